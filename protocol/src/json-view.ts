import { toBase64url } from './base64url.ts'
import type { CborValue } from './cbor.ts'

/** JSON rendering of a CBOR value: byte strings become base64url, everything else maps one to one. */
export type JsonView = number | string | readonly JsonView[] | { readonly [key: string]: JsonView }

/** The view that the published schemas describe. Never signed and never hashed. */
export function jsonView(value: CborValue): JsonView {
  if (typeof value === 'number' || typeof value === 'string') return value
  if (value instanceof Uint8Array) return toBase64url(value)
  if (isArray(value)) return value.map(jsonView)
  const out: Record<string, JsonView> = Object.create(null) as Record<string, JsonView>
  for (const key of Object.keys(value)) out[key] = jsonView(value[key] as CborValue)
  return out
}

/** `Array.isArray` that keeps the element type of a read-only array. */
export const isArray = (value: CborValue): value is readonly CborValue[] => Array.isArray(value)
