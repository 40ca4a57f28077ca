import { fromBase64url, toBase64url } from './base64url.ts'

/** Base64 with padding (RFC 4648, section 4), as signed notes use it. */
export function toBase64(bytes: Uint8Array): string {
  const text = toBase64url(bytes).replaceAll('-', '+').replaceAll('_', '/')
  return text.padEnd(Math.ceil(text.length / 4) * 4, '=')
}

/** Strict decoding: padding must be right, no white space. @returns null otherwise. */
export function fromBase64(text: string): Uint8Array | null {
  if (text.length % 4 !== 0 || /[-_]/.test(text)) return null
  const bare = text.replace(/={1,2}$/, '')
  if (Math.ceil(bare.length / 4) * 4 !== text.length) return null
  return fromBase64url(bare.replaceAll('+', '-').replaceAll('/', '_'))
}
