import type { HumanitarianSite } from '../generated/types.ts'
import { type Problem, pointerStep, problem } from '../problem.ts'

/** Below this a number may point to a family or a person. */
const smallestCount = 10
/** Two decimals of a degree are about a kilometre. */
const coordinateDecimals = 2
const finestMetres = 1000
/** Zone, band, square and two digits each way: a square of one kilometre. */
const mgrsDigitsMax = 4

/**
 * The rules that keep a report on a camp from doing harm to the people in it: nothing that
 * identifies a person, no exact place, and no number under ten, given or derivable.
 */
export function checkHumanitarianSite(report: HumanitarianSite): readonly Problem[] {
  const individuals = (report.actors ?? []).flatMap(({ individual }, index) =>
    individual === true ? [problem(`/actors/${index}/individual`, 'personal_identifier')] : [],
  )
  const { meta: _meta, ...content } = report
  const problems: Problem[] = []
  walk(content, '', (key, value, pointer) => {
    const found = checkNode(key, value, pointer)
    if (found !== null) problems.push(found)
  })
  return [...individuals, ...problems, ...checkBands(report.population)]
}

type Visit = (key: string, value: unknown, pointer: string) => void

function walk(node: unknown, pointer: string, visit: Visit): void {
  if (typeof node !== 'object' || node === null) return
  for (const [key, value] of Object.entries(node)) {
    const at = pointer + pointerStep(key)
    visit(key, value, at)
    walk(value, at, visit)
  }
}

const counts: ReadonlySet<string> = new Set(['households', 'individuals', 'affected'])

function checkNode(key: string, value: unknown, pointer: string): Problem | null {
  if (pointer.startsWith('/x/') && personalField.test(key.toLowerCase())) {
    return problem(pointer, 'personal_identifier')
  }
  if (typeof value === 'string') {
    if (identifies(key, value, pointer)) return problem(pointer, 'personal_identifier')
    if (key === 'precision' && value === 'exact' && !pointer.startsWith('/observed')) {
      return problem(pointer, 'coordinates_too_fine', { metres: finestMetres })
    }
    if (key === 'mgrs' && mgrsDigits(value) > mgrsDigitsMax) {
      return problem(pointer, 'coordinates_too_fine', { metres: finestMetres })
    }
  }
  if (typeof value === 'number') {
    if (counts.has(key) && value < smallestCount) {
      return problem(pointer, 'small_count', { least: smallestCount })
    }
    if (key === 'errorMetres' && value < finestMetres) {
      return problem(pointer, 'coordinates_too_fine', { metres: finestMetres })
    }
  }
  if (key === 'coordinates' && !isCoarse(value)) {
    return problem(pointer, 'coordinates_too_fine', { metres: finestMetres })
  }
  return null
}

const mgrsDigits = (reference: string): number => /[0-9]*$/.exec(reference)?.[0].length ?? 0

function isCoarse(coordinates: unknown): boolean {
  if (Array.isArray(coordinates)) return coordinates.every(isCoarse)
  return (
    typeof coordinates !== 'number' ||
    Number(coordinates.toFixed(coordinateDecimals)) === coordinates
  )
}

/** An address of electronic mail; one character before the sign is enough, and keeps the search linear. */
const mailAddress = /[^\s@]@[A-Za-z0-9-]{1,63}\.[A-Za-z]{2}/u
/** Eight digits in a row, or more with the marks that people put between them: a telephone or an identity number. An opening bracket is left out: "2085 (2012)". */
const longNumber = /\p{Nd}(?:[ .\-/)]{0,2}\p{Nd}){7}/u
/** A date or a period, which is no such number: 2013-03-17, 17/03/2013, 2013-2014. */
const dates =
  /(?<!\p{Nd})(?:\p{Nd}{4}[-/.]\p{Nd}{1,2}[-/.]\p{Nd}{1,2}|\p{Nd}{1,2}[-/.]\p{Nd}{1,2}[-/.]\p{Nd}{4}|\p{Nd}{4}[-/]\p{Nd}{4})(?!\p{Nd})/gu
/** Names of fields that hold what identifies a person; only extensions can have them. */
const personalField =
  /(?:^|[_.-])(?:person|surname|firstname|lastname|fullname|passport|phone|telephone|mobile|email|birth|birthdate|dob|fingerprint|biometrics?|iris|photo|face|idcard|idnumber|nin)(?:$|[_.-])/

const untouched = /^\/(?:x\/exercise_fields|derivedFrom|grading\/sourceRef)(?:\/|$)/

function identifies(key: string, value: string, pointer: string): boolean {
  // A hash or an id of a report is long and has digits, but points to no person.
  if (untouched.test(pointer) || ['ref', 'code', 'mgrs'].includes(key)) return false
  const bare = value.replace(dates, ' ')
  return mailAddress.test(bare) || longNumber.test(bare)
}

/** The part of the whole that a suppressed group makes up may not follow from the rest. */
function checkBands(population: HumanitarianSite['population']): readonly Problem[] {
  const { bands = [], individuals } = population ?? {}
  const problems = bands.flatMap(({ individuals: number, suppressed }, index) =>
    suppressed === true && number !== undefined
      ? [problem(`/population/bands/${index}/individuals`, 'small_count', { least: smallestCount })]
      : [],
  )
  const open = bands.filter(({ suppressed }) => suppressed === true)
  if (individuals === undefined || open.length !== 1) return problems
  const rest = bands.reduce((sum, band) => sum + (band.individuals ?? 0), 0)
  const left = individuals - rest
  return rest > 0 && left >= 0 && left < smallestCount
    ? [
        ...problems,
        problem('/population/individuals', 'small_count_derivable', { least: smallestCount }),
      ]
    : problems
}
