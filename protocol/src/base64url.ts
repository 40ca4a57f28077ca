const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const values = new Int16Array(128).fill(-1)
for (let i = 0; i < alphabet.length; i++) values[alphabet.charCodeAt(i)] = i

const letter = (sixBits: number): string => alphabet.charAt(sixBits & 63)

/** Base64url without padding (RFC 4648, section 5). */
export function toBase64url(bytes: Uint8Array): string {
  let out = ''
  let i = 0
  for (; i + 2 < bytes.length; i += 3) {
    const n =
      ((bytes[i] as number) << 16) | ((bytes[i + 1] as number) << 8) | (bytes[i + 2] as number)
    out += letter(n >> 18) + letter(n >> 12) + letter(n >> 6) + letter(n)
  }
  if (i + 1 === bytes.length) {
    const n = (bytes[i] as number) << 16
    out += letter(n >> 18) + letter(n >> 12)
  } else if (i + 2 === bytes.length) {
    const n = ((bytes[i] as number) << 16) | ((bytes[i + 1] as number) << 8)
    out += letter(n >> 18) + letter(n >> 12) + letter(n >> 6)
  }
  return out
}

/** Strict decoding: no padding, no white space, no other alphabet, no stray low bits. @returns null otherwise. */
export function fromBase64url(text: string): Uint8Array | null {
  const tail = text.length % 4
  if (tail === 1) return null
  const out = new Uint8Array(Math.floor((text.length * 3) / 4))
  let buffer = 0
  let bits = 0
  let at = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    const value = code < 128 ? (values[code] as number) : -1
    if (value < 0) return null
    buffer = ((buffer << 6) | value) & 0xffff
    bits += 6
    if (bits >= 8) {
      bits -= 8
      out[at++] = (buffer >> bits) & 255
    }
  }
  return (buffer & ((1 << bits) - 1)) === 0 ? out : null
}
