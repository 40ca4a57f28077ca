import type { ControlBody, Grading, Place, Report } from '../generated/types.ts'
import { type Problem, pointerStep, problem } from '../problem.ts'
import { isCountry } from './countries.ts'
import { checkMgrs } from './mgrs.ts'

/**
 * Checks the shared structures wherever they stand. The value matches its schema, in which a field
 * name means one structure only, so that the shape of an object says what it is.
 */
export function checkStructures(body: Report | ControlBody): readonly Problem[] {
  const problems: Problem[] = []
  const walk = (node: unknown, pointer: string): void => {
    if (typeof node !== 'object' || node === null) return
    if (!Array.isArray(node)) problems.push(...checkObject(node as Fields, pointer))
    for (const [key, inner] of Object.entries(node)) {
      // Extensions are the members' own; their fields mean nothing to us.
      if (pointer === '' && key === 'x') continue
      const at = pointer + pointerStep(key)
      if (countryFields.has(key)) problems.push(...checkCountries(inner, at))
      walk(inner, at)
    }
  }
  walk(body, '')
  return problems
}

const countryFields: ReadonlySet<string> = new Set(['country', 'countries', 'countryOfManufacture'])

function checkCountries(value: unknown, pointer: string): readonly Problem[] {
  if (typeof value === 'string') {
    return isCountry(value) ? [] : [problem(pointer, 'country_unknown')]
  }
  return Array.isArray(value)
    ? value.flatMap((one, index) => checkCountries(one, `${pointer}/${index}`))
    : []
}

type Fields = Readonly<Record<string, unknown>>

function checkObject(node: Fields, pointer: string): readonly Problem[] {
  if (typeof node['from'] === 'string' && typeof node['to'] === 'string') {
    return Date.parse(node['to']) < Date.parse(node['from'])
      ? [problem(`${pointer}/to`, 'period_reversed')]
      : []
  }
  if ('information' in node && 'source' in node) {
    return checkGrading(node as unknown as Grading, pointer)
  }
  // A place, or an area, which has a country and a subdivision only.
  if ('country' in node && ('precision' in node || 'subdivision' in node)) {
    return checkPlace(node as unknown as Place, pointer)
  }
  if (node['type'] === 'Polygon') {
    return checkRings(node['coordinates'] as readonly (readonly Position[])[], pointer)
  }
  return []
}

/** Confidence by credibility of the information; 6, "cannot be judged", leaves it out. */
const confidences: readonly (number | undefined)[] = [undefined, 90, 70, 50, 30, 10, undefined]

function checkGrading(grading: Grading, pointer: string): readonly Problem[] {
  const { confidence, information } = grading
  return confidence === undefined || confidence === confidences[information]
    ? []
    : [problem(`${pointer}/confidence`, 'confidence_mismatch')]
}

function checkPlace(place: Place, pointer: string): readonly Problem[] {
  const problems: Problem[] = []
  const { country, geometry, mgrs, subdivision } = place
  if (subdivision !== undefined && !subdivision.startsWith(`${country}-`)) {
    problems.push(problem(`${pointer}/subdivision`, 'subdivision_mismatch'))
  }
  if (mgrs !== undefined) {
    const code = checkMgrs(mgrs, geometry?.type === 'Point' ? geometry.coordinates : null)
    if (code !== null) problems.push(problem(`${pointer}/mgrs`, code))
  }
  return problems
}

type Position = readonly [number, number]

function checkRings(rings: readonly (readonly Position[])[], pointer: string): readonly Problem[] {
  return rings.flatMap((ring, index) => {
    const first = ring[0]
    const last = ring.at(-1)
    return first?.[0] === last?.[0] && first?.[1] === last?.[1]
      ? []
      : [problem(`${pointer}/coordinates/${index}`, 'ring_open')]
  })
}
