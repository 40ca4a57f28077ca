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
  return [...problems, ...checkOnlyLabel(report), ...checkExerciseFields(report)]
}

/** Compares moments, because "…:00Z" and "…:00.000Z" are the same one. */
export const isBefore = (a: string, b: string): boolean => Date.parse(a) < Date.parse(b)

const labelInText = /\bTLP[ :-]{0,2}(RED|AMBER\+STRICT|AMBER|GREEN|CLEAR|WHITE)(?![A-Za-z+])/gi

/** A report has one label. Another one written into its text would be believed by some readers. */
function checkOnlyLabel(report: Report): readonly Problem[] {
  const { handling } = report.meta
  const texts = [
    ['/title', report.title],
    ['/summary', report.summary],
    ['/comment', report.comment],
    ['/meta/handling/caveat', handling.caveat],
  ] as const
  return texts.flatMap(([pointer, text = '']) => {
    const labels = [...text.matchAll(labelInText)].map((match) => match[1]?.toUpperCase())
    return labels.some((label) => label !== handling.tlp) ? [problem(pointer, 'tlp_in_text')] : []
  })
}

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
