import { decode, encode, rfc8949EncodeOptions } from 'cborg'
import { compareBytes } from './bytes.ts'
import { hasHead, headLength, major } from './cbor-head.ts'
import { limits } from './limits.ts'
import { err, ok, type Result } from './result.ts'

/** What the profile can say: unsigned integers, bytes, text, arrays, maps with text keys. Nothing else. */
export type CborValue = number | Uint8Array | string | readonly CborValue[] | CborMap

/** A map with text keys; decoded maps inherit nothing. */
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
    const value = new EncodingCheck(bytes).whole(decoded)
    if (value === null) return err('cbor_malformed')
    return ok(value)
  } catch {
    return err('cbor_malformed')
  }
}

const encoder = new TextEncoder()

/**
 * Walks a decoded value and the bytes that it came from side by side: each must stand there in its one
 * encoding, so that the whole is what encoding the value again would give, without doing that.
 */
class EncodingCheck {
  readonly #bytes: Uint8Array
  #at = 0
  #items = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** The value in our own form, or null when something lies outside the profile. */
  whole(decoded: unknown): CborValue | null {
    const value = this.#value(decoded, 0)
    return this.#at === this.#bytes.length ? value : null
  }

  #value(value: unknown, depth: number): CborValue | null {
    this.#items += 1
    if (depth > limits.cborDepthMax || this.#items > limits.cborItemsMax) return null
    if (typeof value === 'number') return this.#number(value)
    if (typeof value === 'string') return this.#text(value) ? value : null
    // The decoder has copied it out of the message already.
    if (value instanceof Uint8Array) {
      if (!this.#head(major.bytes, value.length)) return null
      this.#at += value.length
      return value
    }
    if (Array.isArray(value)) return this.#array(value, depth)
    return value instanceof Map ? this.#map(value, depth) : null
  }

  #number(value: number): number | null {
    // Object.is: cborg decodes a half-float zero to -0 and 1.5 to itself; neither is an unsigned integer.
    if (!Number.isSafeInteger(value) || value < 0 || Object.is(value, -0)) return null
    return this.#head(major.uint, value) ? value : null
  }

  #text(value: string): boolean {
    const { length } = value
    for (let i = 0; i < length; i++) if (value.charCodeAt(i) >= 0x80) return this.#wideText(value)
    if (!this.#head(major.text, length)) return false
    for (let i = 0; i < length; i++) {
      if (this.#bytes[this.#at + i] !== value.charCodeAt(i)) return false
    }
    this.#at += length
    return true
  }

  /** Text that is not one byte for each character; field names never are. */
  #wideText(value: string): boolean {
    if (!value.isWellFormed()) return false
    const bytes = encoder.encode(value)
    if (!this.#head(major.text, bytes.length)) return false
    for (let i = 0; i < bytes.length; i++) if (this.#bytes[this.#at + i] !== bytes[i]) return false
    this.#at += bytes.length
    return true
  }

  #array(value: readonly unknown[], depth: number): CborValue | null {
    if (!this.#head(major.array, value.length)) return null
    const out: CborValue[] = []
    for (const item of value) {
      const inner = this.#value(item, depth + 1)
      if (inner === null) return null
      out.push(inner)
    }
    return out
  }

  #map(value: ReadonlyMap<unknown, unknown>, depth: number): CborValue | null {
    if (!this.#head(major.map, value.size)) return null
    const out: Record<string, CborValue> = new BareMap()
    let previous: readonly [number, number] | null = null
    for (const [key, item] of value) {
      const from = this.#at
      if (typeof key !== 'string' || key === '__proto__' || !this.#text(key)) return null
      const place = [from, this.#at] as const
      if (previous !== null && !this.#ascends(previous, place)) return null
      previous = place
      const inner = this.#value(item, depth + 1)
      if (inner === null) return null
      out[key] = inner
    }
    return out
  }

  /** Whether the encoded key at `b` comes after the one at `a` in bytewise order. */
  #ascends(a: readonly [number, number], b: readonly [number, number]): boolean {
    return compareBytes(this.#bytes.subarray(...a), this.#bytes.subarray(...b)) < 0
  }

  /** Takes the head of an item, whose argument must be in its shortest form. */
  #head(type: number, argument: number): boolean {
    const fits = hasHead(this.#bytes, this.#at, type, argument)
    this.#at += headLength(argument)
    return fits
  }
}

/**
 * An object that inherits nothing but, unlike `Object.create(null)`, is not a hash table to the engine:
 * whoever checks its form reads its fields several times as fast.
 */
const BareMap = ((): (new () => Record<string, CborValue>) => {
  function Bare(): void {
    // Fields are added by the decoder.
  }
  Bare.prototype = Object.create(null)
  return Bare as unknown as new () => Record<string, CborValue>
})()
