import { type Problem, pointerStep, pointerToUnknown, problem } from './problem.ts'

/** Bounds on a whole body. The schemas bound every field; these also bound what `x` carries. */
export const bodyLimits = {
  /** Bytes of the JSON text in UTF-8. */
  bytesMax: 1_048_576,
  /** Nesting. The deepest field of a report, a polygon's coordinate, has nine levels. */
  depthMax: 16,
  /** Values in all. A report of the largest size that the lists allow in practice has some thousand. */
  valuesMax: 20_000,
} as const

/** Keys that change what an object is in JavaScript; no field of ours is called so. */
export const forbiddenKeys: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype'])

const loneSurrogate = /\p{Surrogate}/u

/** True when the text has half of a surrogate pair, which no UTF-8 can carry. Linear. */
export const hasLoneSurrogate = (text: string): boolean => loneSurrogate.test(text)

/**
 * Checks that a value is JSON of bounded depth and size, whoever made it. Runs before the
 * generated validators, so that they never meet a getter, a cycle or a million values.
 *
 * @returns The first problem, or null.
 */
export function checkTree(root: unknown): Problem | null {
  const open: { value: unknown; pointer: string; depth: number }[] = [
    { value: root, pointer: '', depth: 0 },
  ]
  let values = 0
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { value, pointer, depth } = next
    values += 1
    if (values + (Array.isArray(value) ? value.length : 0) > bodyLimits.valuesMax) {
      return problem('', 'too_many_values', { limit: bodyLimits.valuesMax })
    }
    if (typeof value !== 'object' || value === null) {
      const found = checkScalar(value, pointer)
      if (found !== null) return found
      continue
    }
    if (depth >= bodyLimits.depthMax) {
      return problem('', 'too_deep', { limit: bodyLimits.depthMax })
    }
    const entries = ownEntries(value)
    if (entries === null) return problem(pointer, 'not_json')
    for (const [key, inner] of entries) {
      if (forbiddenKeys.has(key)) return problem(pointer, 'forbidden_key')
      if (hasLoneSurrogate(key)) return problem(pointer, 'lone_surrogate')
      const step = Array.isArray(value)
        ? pointer + pointerStep(key)
        : pointerToUnknown(pointer, key)
      open.push({ value: inner, pointer: step, depth: depth + 1 })
    }
  }
  return null
}

/** Own fields or items, or null when the object is no plain one or has a getter or a hole. */
function ownEntries(value: object): readonly (readonly [string, unknown])[] | null {
  if (Array.isArray(value)) {
    return Array.from(value, (item: unknown, index) => [String(index), item] as const)
  }
  const proto: unknown = Object.getPrototypeOf(value)
  if (proto !== null && proto !== Object.prototype) return null
  const descriptors = Object.entries(Object.getOwnPropertyDescriptors(value))
  if (descriptors.some(([, { value: inner, get }]) => get !== undefined || inner === undefined)) {
    return null
  }
  return descriptors.map(([key, { value: inner }]) => [key, inner as unknown] as const)
}

function checkScalar(value: unknown, pointer: string): Problem | null {
  switch (typeof value) {
    case 'string':
      return hasLoneSurrogate(value) ? problem(pointer, 'lone_surrogate') : null
    case 'number':
      return isSafeNumber(value) ? null : problem(pointer, 'unsafe_number')
    case 'boolean':
      return null
    default:
      return value === null ? null : problem(pointer, 'not_json')
  }
}

/** False for what another JSON implementation may read as another number. */
export const isSafeNumber = (value: number): boolean =>
  Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value))
