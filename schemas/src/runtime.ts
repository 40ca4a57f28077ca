/** One failure as a generated validator states it. Internal: callers see `Problem`. */
export type RawError = {
  readonly instancePath: string
  readonly schemaPath: string
  readonly keyword: string
  readonly params: Readonly<Record<string, unknown>>
}

/** A generated validator: false with `errors` set until the next call, or true. It never changes `data`. */
export type Validate = {
  (data: unknown): boolean
  errors?: readonly RawError[] | null
}

/** Enough for any honest document; beyond it a list of failures is not read by anybody. */
const errorsMax = 1000

/**
 * Adds the failures of an inner validator to those before. Copying both lists, as ajv would, takes
 * quadratic time on a hostile document. At least one is always added, because the generated code
 * tells success from failure by counting.
 */
export function joinErrors(before: RawError[], inner: readonly RawError[]): RawError[] {
  const room = Math.max(1, errorsMax - before.length)
  for (const error of inner.slice(0, room)) before.push(error)
  return before
}

/** Length in code points, as JSON Schema counts it: a surrogate pair is one. Linear. */
export function codePointLength(text: string): number {
  let pairs = 0
  for (let index = 0; index + 1 < text.length; index += 1) {
    const high = text.charCodeAt(index)
    if (high < 0xd800 || high > 0xdbff) continue
    const low = text.charCodeAt(index + 1)
    if (low >= 0xdc00 && low <= 0xdfff) {
      pairs += 1
      index += 1
    }
  }
  return text.length - pairs
}

/** Equality of JSON values; used by `const` and `uniqueItems` on objects. */
export function deepEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) !== Array.isArray(b)) return false
  const keys = Object.keys(a)
  if (keys.length !== Object.keys(b).length) return false
  const left = a as Record<string, unknown>
  const right = b as Record<string, unknown>
  return keys.every((key) => Object.hasOwn(right, key) && deepEqual(left[key], right[key]))
}
