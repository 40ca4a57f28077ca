import {
  type Problem,
  type ProblemCode,
  pointerStep,
  pointerToUnknown,
  problem,
} from './problem.ts'
import type { RawError } from './runtime.ts'

const codes: Readonly<Record<string, ProblemCode>> = {
  required: 'required',
  dependentRequired: 'required',
  additionalProperties: 'unknown_field',
  type: 'type',
  const: 'const',
  enum: 'enum',
  format: 'format',
  pattern: 'pattern',
  minLength: 'too_short',
  maxLength: 'too_long',
  minimum: 'min',
  maximum: 'max',
  minItems: 'min_items',
  maxItems: 'max_items',
  // `items: false` after `prefixItems`.
  items: 'max_items',
  maxProperties: 'max_fields',
  propertyNames: 'field_name',
  anyOf: 'any_of',
}

/** Of several complaints about one value only the first in this order helps a person. */
const rank: readonly ProblemCode[] = [
  'type',
  'const',
  'enum',
  'too_short',
  'too_long',
  'format',
  'pattern',
]

/** Bounds the work on a hostile document; twenty times what is shown. */
const readMax = 1000

/** Turns what a generated validator found into problems: one per place, without the noise of `if` and `anyOf`. */
export function problemsOfErrors(all: readonly RawError[]): readonly Problem[] {
  const errors = all.slice(0, readMax)
  const noise = noiseOf(errors)
  const byPointer = new Map<string, Problem>()
  for (const error of errors) {
    if (noise.has(error)) continue
    const found = toProblem(error, errors)
    const known = byPointer.get(found.pointer)
    if (known === undefined || rankOf(found.code) < rankOf(known.code)) {
      byPointer.set(found.pointer, found)
    }
  }
  return [...byPointer.values()]
}

const rankOf = (code: ProblemCode): number => {
  const at = rank.indexOf(code)
  return at === -1 ? rank.length : at
}

const textKeywords: ReadonlySet<string> = new Set(['pattern', 'minLength', 'maxLength', 'format'])

/** Errors that only explain another one. */
function noiseOf(errors: readonly RawError[]): ReadonlySet<RawError> {
  const noise = new Set(errors.filter((error) => error.keyword === 'if'))
  const named = new Set(
    errors.filter(({ keyword }) => keyword === 'propertyNames').map((error) => error.instancePath),
  )
  for (const error of errors) {
    // What an object breaks as if it were text is said of its field names, which are reported themselves.
    if (named.has(error.instancePath) && textKeywords.has(error.keyword)) noise.add(error)
  }
  for (const parent of errors.filter(({ keyword }) => keyword === 'anyOf')) {
    for (const error of branchesOf(parent, errors)) noise.add(error)
  }
  return noise
}

const branchesOf = (parent: RawError, errors: readonly RawError[]): readonly RawError[] =>
  errors.filter(
    (error) =>
      error.instancePath === parent.instancePath &&
      error.schemaPath.startsWith(`${parent.schemaPath}/`),
  )

function toProblem(error: RawError, errors: readonly RawError[]): Problem {
  const { instancePath, keyword, params } = error
  const code = codes[keyword] ?? 'other'
  switch (keyword) {
    case 'required':
    case 'dependentRequired':
      return problem(instancePath + pointerStep(text(params['missingProperty'])), code)
    case 'additionalProperties':
      return problem(pointerToUnknown(instancePath, text(params['additionalProperty'])), code)
    case 'propertyNames':
      return problem(pointerToUnknown(instancePath, text(params['propertyName'])), code)
    case 'anyOf':
      return problem(instancePath, code, {
        fields: branchesOf(error, errors).map(({ params: of }) => text(of['missingProperty'])),
      })
    case 'type':
      return problem(instancePath, code, { expected: text(params['type']) })
    case 'const':
      return problem(instancePath, code, { expected: text(params['allowedValue']) })
    case 'enum':
      return problem(instancePath, code, {
        allowed: Array.isArray(params['allowedValues']) ? params['allowedValues'].map(text) : [],
      })
    case 'format':
      return problem(instancePath, code, { format: text(params['format']) })
    default:
      return typeof params['limit'] === 'number'
        ? problem(instancePath, code, { limit: params['limit'] })
        : problem(instancePath, code)
  }
}

const text = (value: unknown): string => (value === undefined ? '' : String(value))
