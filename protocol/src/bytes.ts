import { sodium } from './crypto/sodium.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** UTF-8 bytes of a string. */
export const utf8 = (text: string): Uint8Array => encoder.encode(text)

const labels = new Map<string, Uint8Array>()

/** UTF-8 bytes of a constant of ours, made once; they must not be written to. */
export function labelBytes(label: string): Uint8Array {
  let bytes = labels.get(label)
  if (bytes === undefined) {
    bytes = utf8(label)
    labels.set(label, bytes)
  }
  return bytes
}

/** Strict UTF-8 decoding. @throws TypeError on invalid UTF-8. */
export const textOf = (bytes: Uint8Array): string => decoder.decode(bytes)

/** Joins byte strings. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const part of parts) length += part.length
  const out = new Uint8Array(length)
  let offset = 0
  for (const part of parts) {
    out.set(part, offset)
    offset += part.length
  }
  return out
}

/** 4-byte big-endian unsigned integer. @param n 0..2^32-1 */
export function u32(n: number): Uint8Array {
  const out = new Uint8Array(4)
  new DataView(out.buffer).setUint32(0, n)
  return out
}

/** `lp(x)`: 4-byte big-endian length, then x, so that no two part lists share an encoding. */
export const lp = (bytes: Uint8Array): Uint8Array => concat(u32(bytes.length), bytes)

/** Constant-time equality; unequal lengths are unequal. */
export const equal = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && sodium().memcmp(a, b)

/** Bytewise lexicographic order of public values: negative, zero or positive. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const n = Math.min(a.length, b.length)
  for (let i = 0; i < n; i++) {
    const d = (a[i] as number) - (b[i] as number)
    if (d !== 0) return d
  }
  return a.length - b.length
}

/** `length` bytes from the system's generator. */
export const randomBytes = (length: number): Uint8Array =>
  globalThis.crypto.getRandomValues(new Uint8Array(length))

const hexDigits = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, '0'))

/** Lower-case hexadecimal. */
export function toHex(bytes: Uint8Array): string {
  let out = ''
  for (const b of bytes) out += hexDigits[b]
  return out
}

/** Strict hexadecimal, either case. @returns null when the text is not an even number of hex digits. */
export function fromHex(text: string): Uint8Array | null {
  if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text)) return null
  const out = new Uint8Array(text.length / 2)
  for (let i = 0; i < out.length; i++) out[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16)
  return out
}
