import { fromBase64url } from '@liaison/protocol'

/** Hears of a field that is wrong: throws, or notes it so that reading can go on. */
export type FieldProblem = (field: string) => void

/** Bounds of a text. */
export interface TextBounds {
  readonly min?: number
  readonly max?: number
  readonly pattern?: RegExp
}

/** Bounds of a whole number, both inclusive. */
export interface NumberBounds {
  readonly min?: number
  readonly max?: number
}

/**
 * Reads a JSON object that came from outside, field by field. What is wrong is reported under its
 * JSON pointer and replaced by an empty value, so that a reader can list everything at once; whoever
 * wants to stop at the first problem throws in the callback.
 */
export class JsonFields {
  readonly #value: { readonly [key: string]: unknown }
  readonly #at: string
  readonly #problem: FieldProblem

  /** @param known Names that may occur; anything else is a problem. */
  constructor(value: unknown, at: string, known: readonly string[], problem: FieldProblem) {
    this.#at = at
    this.#problem = problem
    this.#value = {}
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      problem(at === '' ? '/' : at)
      return
    }
    this.#value = value as { readonly [key: string]: unknown }
    for (const key of Object.keys(value)) {
      if (!known.includes(key)) problem(`${at}/${key.slice(0, 40)}`)
    }
  }

  /** Whether the field is there. */
  has(key: string): boolean {
    return Object.hasOwn(this.#value, key) && this.#value[key] !== undefined
  }

  /** The value of a field, whatever it is. */
  raw(key: string): unknown {
    return this.has(key) ? this.#value[key] : undefined
  }

  /** Reports a field. */
  bad(key: string): void {
    this.#problem(`${this.#at}/${key}`)
  }

  text(key: string, { min = 1, max = 256, pattern }: TextBounds = {}): string {
    const value = this.raw(key)
    const fits =
      typeof value === 'string' &&
      value.length >= min &&
      value.length <= max &&
      // A lone surrogate has no UTF-8, so it could never be signed.
      !/\p{Surrogate}/u.test(value) &&
      (pattern === undefined || pattern.test(value))
    if (fits) return value
    this.bad(key)
    return ''
  }

  /** One of a few words. */
  word<W extends string>(key: string, words: readonly [W, ...W[]]): W {
    const found = words.find((word) => word === this.raw(key))
    if (found === undefined) this.bad(key)
    return found ?? words[0]
  }

  uint(key: string, { min = 0, max = Number.MAX_SAFE_INTEGER }: NumberBounds = {}): number {
    const value = this.raw(key)
    const fits =
      typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max
    if (fits) return value
    this.bad(key)
    return 0
  }

  flag(key: string): boolean {
    const value = this.raw(key)
    if (typeof value === 'boolean') return value
    this.bad(key)
    return false
  }

  /** Base64url of exactly `length` bytes; any length when it is absent. */
  bytes(key: string, length?: number): Uint8Array {
    return this.#bytesOf(this.raw(key), `${this.#at}/${key}`, length)
  }

  /** A list of byte strings. */
  bytesList(key: string, length: number, { min = 0, max = 256 }: NumberBounds = {}): Uint8Array[] {
    return this.list(key, (item, at) => this.#bytesOf(item, at, length), { min, max })
  }

  /** A list whose elements are read by `read`, which gets the pointer of each. */
  list<T>(
    key: string,
    read: (item: unknown, at: string) => T,
    { min = 0, max = 4096 }: NumberBounds = {},
  ): T[] {
    const value = this.raw(key)
    if (!Array.isArray(value) || value.length < min || value.length > max) {
      this.bad(key)
      return []
    }
    return value.map((item: unknown, i) => read(item, `${this.#at}/${key}/${i}`))
  }

  /** A list of texts. */
  texts(key: string, bounds: TextBounds, counts: NumberBounds = {}): string[] {
    return this.list(
      key,
      (item, at) => {
        const { min = 1, max = 256, pattern } = bounds
        const fits =
          typeof item === 'string' &&
          item.length >= min &&
          item.length <= max &&
          (pattern === undefined || pattern.test(item))
        if (fits) return item
        this.#problem(at)
        return ''
      },
      counts,
    )
  }

  /** A nested object. */
  object(key: string, known: readonly string[]): JsonFields {
    return new JsonFields(this.raw(key), `${this.#at}/${key}`, known, this.#problem)
  }

  #bytesOf(value: unknown, at: string, length?: number): Uint8Array {
    const bytes = typeof value === 'string' ? fromBase64url(value) : null
    if (bytes !== null && (length === undefined || bytes.length === length)) return bytes
    this.#problem(at)
    return new Uint8Array(length ?? 0)
  }
}

/** Parses JSON as people and mailers leave it: a byte order mark at the start is passed over. */
export function parseJson(text: string, problem: FieldProblem): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, '')) as unknown
  } catch {
    problem('/')
    return null
  }
}
