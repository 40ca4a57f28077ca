import type { HumanitarianSite } from '../generated/types.ts'
import { type Problem, problem } from '../problem.ts'
import { areCoarse, hasFinePlace, isCoarseGrid, isCoarseNumber } from './coarse-places.ts'
import { hasMailAddress, identifiesPerson, isNumberAsCode, isPersonalField } from './personal.ts'
import { checkPopulation, isSmall, smallestCount } from './population.ts'
import { walk } from './walk.ts'

/** A place is given to a kilometre at best. */
const finestMetres = 1000

/**
 * The rules that keep a report on a camp from doing harm to the people in it: nothing that
 * identifies a person, no exact place, and no number under ten, given or derivable.
 */
export function checkHumanitarianSite(report: HumanitarianSite): readonly Problem[] {
  const problems = (report.actors ?? []).flatMap(({ individual }, index) =>
    individual === true ? [problem(`/actors/${index}/individual`, 'personal_identifier')] : [],
  )
  const { meta, x, ...content } = report
  const collect =
    (check: (key: string, value: unknown, pointer: string) => Problem | null) =>
    (key: string, value: unknown, pointer: string): void => {
      const found = check(key, value, pointer)
      if (found !== null) problems.push(found)
    }
  walk(content, '', collect(checkField))
  walk(meta.sources, '/meta/sources', collect(checkSource))
  walk(x, '/x', collect(checkExtension))
  return report.population === undefined
    ? problems
    : [...problems, ...checkPopulation(report.population)]
}

const personal = (pointer: string): Problem => problem(pointer, 'personal_identifier')
const tooFine = (pointer: string): Problem =>
  problem(pointer, 'coordinates_too_fine', { metres: finestMetres })
const tooSmall = (pointer: string): Problem =>
  problem(pointer, 'small_count', { least: smallestCount })

const counts: ReadonlySet<string> = new Set(['households', 'individuals', 'affected'])
const codes: ReadonlySet<string> = new Set(['code', 'sourceRef'])

function checkField(key: string, value: unknown, pointer: string): Problem | null {
  if (key === 'coordinates' && !areCoarse(value)) return tooFine(pointer)
  if (typeof value === 'number') {
    if (counts.has(key) && isSmall(value)) return tooSmall(pointer)
    return key === 'errorMetres' && value < finestMetres ? tooFine(pointer) : null
  }
  if (typeof value !== 'string') return null
  if (key === 'precision' && value === 'exact' && !pointer.startsWith('/observed')) {
    return tooFine(pointer)
  }
  if (key === 'mgrs') return isCoarseGrid(value) ? null : tooFine(pointer)
  if (codes.has(key)) return isNumberAsCode(value) ? personal(pointer) : null
  return checkText(value, pointer)
}

function checkText(text: string, pointer: string): Problem | null {
  // Before numbers, because exact coordinates are long ones.
  if (hasFinePlace(text)) return tooFine(pointer)
  return identifiesPerson(text) ? personal(pointer) : null
}

/** Documents are public, and still no place to leave a number to call. */
function checkSource(key: string, value: unknown, pointer: string): Problem | null {
  if (typeof value !== 'string') return null
  const identifies = key === 'url' ? hasMailAddress(value) : identifiesPerson(value)
  return identifies ? personal(pointer) : null
}

const writtenNumber = /^[-+]?\d{1,15}(?:\.\d{1,15})?$/
const longestInteger = 9_999_999
/** Names of fields whose small numbers count no people. */
const ordinal = /^(?:version|revision|level|priority|page|rank|order|step|phase)$/

/** Members agree on extensions among themselves, so any number may be a count, a place or a telephone. */
function checkExtension(key: string, value: unknown, pointer: string): Problem | null {
  if (isPersonalField(key)) return personal(pointer)
  const number =
    typeof value === 'string' && writtenNumber.test(value.trim()) ? Number(value) : value
  if (typeof number === 'number') {
    if (!isCoarseNumber(number)) return tooFine(pointer)
    if (Number.isInteger(number) && Math.abs(number) > longestInteger) return personal(pointer)
    const isCount = Number.isInteger(number) && !ordinal.test(key)
    return isCount && isSmall(Math.abs(number)) ? tooSmall(pointer) : null
  }
  return typeof value === 'string' ? checkText(value, pointer) : null
}
