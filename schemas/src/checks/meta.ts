import type { Report } from '../generated/types.ts'
import { type Problem, problem } from '../problem.ts'

/** What holds between the parts of `meta`, and between `meta` and the fields of every report. */
export function checkMeta(report: Report): readonly Problem[] {
  const { meta } = report
  const problems: Problem[] = []
  if (meta.validUntil !== undefined && isBefore(meta.validUntil, meta.issued)) {
    problems.push(problem('/meta/validUntil', 'valid_until_before_issued'))
  }
  meta.references.forEach((reference, index) => {
    if (reference === meta.id) {
      problems.push(problem(`/meta/references/${index}`, 'references_itself'))
    }
    if (meta.references.indexOf(reference) !== index) {
      problems.push(problem(`/meta/references/${index}`, 'reference_repeated'))
    }
  })
  if (report.observed !== undefined && isBefore(meta.issued, report.observed.from)) {
    problems.push(problem('/observed/from', 'observed_after_issued'))
  }
  if (report.observed !== undefined) {
    problems.push(...endsAfterIssue(report.observed, meta.issued, '/observed'))
  }
  problems.push(...checkDerivations(report.derivedFrom, meta.id, '/derivedFrom'))
  return [...problems, ...checkExerciseFields(report)]
}

const hourMs = 3_600_000
/** How far an observation may end after it was reported: the rest of the day, week or month that it names. */
const restMs: Readonly<Record<'exact' | 'day' | 'week' | 'month', number>> = {
  exact: hourMs,
  day: 24 * hourMs,
  week: 168 * hourMs,
  month: 744 * hourMs,
}

interface Span {
  readonly to?: string
  readonly precision: keyof typeof restMs
}

/** Nothing is observed that had not happened yet. @param pointer Where the span stands. */
export function endsAfterIssue(
  { to, precision }: Span,
  issued: string,
  pointer: string,
): readonly Problem[] {
  return to !== undefined && Date.parse(to) > Date.parse(issued) + restMs[precision]
    ? [problem(`${pointer}/to`, 'observed_ends_after_issued')]
    : []
}

/** A report is not made from itself, and from each other one once. */
export function checkDerivations(
  derivedFrom: Report['derivedFrom'],
  own: string,
  pointer: string,
): readonly Problem[] {
  const seen = new Set<string>()
  return (derivedFrom ?? []).flatMap(({ id }, index) => {
    const isRepeated = seen.has(id)
    seen.add(id)
    if (id === own) return [problem(`${pointer}/${index}/id`, 'references_itself')]
    return isRepeated ? [problem(`${pointer}/${index}/id`, 'derivation_repeated')] : []
  })
}

/** Compares moments, because "…:00Z" and "…:00.000Z" are the same one. */
export const isBefore = (a: string, b: string): boolean => Date.parse(a) < Date.parse(b)

function checkExerciseFields(report: Report): readonly Problem[] {
  const pointers = report.x?.exercise_fields ?? []
  return pointers.flatMap((pointer, index) => {
    const at = `/x/exercise_fields/${index}`
    if (report.meta.status === 'actual') return [problem(at, 'exercise_field_in_actual')]
    return resolves(report, pointer) ? [] : [problem(at, 'exercise_field_unknown')]
  })
}

function resolves(root: unknown, pointer: string): boolean {
  let node = root
  for (const step of pointer.split('/').slice(1)) {
    const key = step.replaceAll('~1', '/').replaceAll('~0', '~')
    if (typeof node !== 'object' || node === null || !Object.hasOwn(node, key)) return false
    node = (node as Readonly<Record<string, unknown>>)[key]
  }
  return true
}
