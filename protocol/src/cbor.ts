import { decode, encode, rfc8949EncodeOptions } from 'cborg'
import { limits } from './limits.ts'
import { err, ok, type Result } from './result.ts'

/** What the profile can say: unsigned integers, bytes, text, arrays, maps with text keys. Nothing else. */
export type CborValue = number | Uint8Array | string | readonly CborValue[] | CborMap

/** A map with text keys; decoded maps have a null prototype. */
export interface CborMap {
  readonly [key: string]: CborValue
}

/** Encodes in the deterministic profile: shortest lengths, keys in bytewise order of their encoding. */
export const encodeCbor = (value: CborValue): Uint8Array =>
  // A copy: cborg hands out views into its own scratch buffer for short values.
  new Uint8Array(encode(value, rfc8949EncodeOptions))

/**
 * Decodes one value of the profile. Whatever is not the single encoding of its value is refused:
 * negative numbers, floats, tags, null, booleans, indefinite lengths, duplicate or unsorted keys,
 * invalid UTF-8, trailing bytes, too much depth or too many items.
 */
export function decodeCbor(bytes: Uint8Array): Result<CborValue, 'cbor_malformed'> {
  try {
    const decoded: unknown = decode(bytes, {
      strict: true,
      allowIndefinite: false,
      allowUndefined: false,
      allowInfinity: false,
      allowNaN: false,
      allowBigInt: false,
      useMaps: true,
      rejectDuplicateMapKeys: true,
    })
    const value = profile(decoded, 0, { items: 0 })
    if (value === null || !sameBytes(encodeCbor(value), bytes)) return err('cbor_malformed')
    return ok(value)
  } catch {
    return err('cbor_malformed')
  }
}

/** Copies a decoded value, or null as soon as something lies outside the profile. */
function profile(value: unknown, depth: number, count: { items: number }): CborValue | null {
  count.items += 1
  if (depth > limits.cborDepthMax || count.items > limits.cborItemsMax) return null
  if (typeof value === 'number') {
    // Object.is: cborg decodes a half-float zero to -0 and 1.5 to itself; neither is an unsigned integer.
    return Number.isSafeInteger(value) && value >= 0 && !Object.is(value, -0) ? value : null
  }
  if (typeof value === 'string') return value.isWellFormed() ? value : null
  if (value instanceof Uint8Array) return new Uint8Array(value)
  if (Array.isArray(value)) return profileArray(value, depth, count)
  if (value instanceof Map) return profileMap(value, depth, count)
  return null
}

function profileArray(
  value: readonly unknown[],
  depth: number,
  count: { items: number },
): CborValue | null {
  const out: CborValue[] = []
  for (const item of value) {
    const inner = profile(item, depth + 1, count)
    if (inner === null) return null
    out.push(inner)
  }
  return out
}

function profileMap(
  value: ReadonlyMap<unknown, unknown>,
  depth: number,
  count: { items: number },
): CborValue | null {
  const out: Record<string, CborValue> = Object.create(null) as Record<string, CborValue>
  for (const [key, item] of value) {
    if (typeof key !== 'string' || key === '__proto__') return null
    const inner = profile(item, depth + 1, count)
    if (inner === null) return null
    out[key] = inner
  }
  return out
}

/** Public bytes only, so an early exit gives nothing away. */
function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}
