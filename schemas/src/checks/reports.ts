import type { Intrep, Intsum, Rfi, Spotrep, Warning } from '../generated/types.ts'
import { type Problem, problem } from '../problem.ts'
import { checkDerivations, endsAfterIssue, isBefore } from './meta.ts'

/** Naming a natural person needs a legal basis. */
export function checkIntrep(report: Intrep): readonly Problem[] {
  const named = report.actors?.some(({ individual }) => individual === true) ?? false
  return named && report.legalBasis === undefined
    ? [problem('/legalBasis', 'legal_basis_missing')]
    : []
}

/** A summary of a period does not count itself among its reports. */
export const checkIntsum = ({ meta, significant }: Intsum): readonly Problem[] =>
  significant.flatMap(({ id }, index) =>
    id === meta.id ? [problem(`/significant/${index}/id`, 'references_itself')] : [],
  )

/** Whatever is no request refers to one; an answer is due after the question, and useful at least until then. */
export function checkRfi(report: Rfi): readonly Problem[] {
  const problems: Problem[] = []
  if (report.kind !== 'request' && report.meta.references.length === 0) {
    problems.push(problem('/meta/references', 'answer_without_request'))
  }
  const { due, latestUseful } = report
  if (due !== undefined && latestUseful !== undefined && isBefore(latestUseful, due)) {
    problems.push(problem('/latestUseful', 'latest_useful_before_due'))
  }
  if (due !== undefined && isBefore(due, report.meta.issued)) {
    problems.push(problem('/due', 'due_before_issued'))
  }
  report.answers?.forEach(({ derivedFrom }, index) => {
    problems.push(...checkDerivations(derivedFrom, report.meta.id, `/answers/${index}/derivedFrom`))
  })
  return problems
}

/** The count lies within its estimate, and nothing is observed after it was reported. */
export function checkSpotrep(report: Spotrep): readonly Problem[] {
  const problems: Problem[] = []
  if (isBefore(report.meta.issued, report.time.from)) {
    problems.push(problem('/time/from', 'observed_after_issued'))
  }
  problems.push(...endsAfterIssue(report.time, report.meta.issued, '/time'))
  const { count, min = 0, max = Number.POSITIVE_INFINITY } = report.size ?? {}
  if (max < min) problems.push(problem('/size/max', 'range_reversed'))
  else if (count !== undefined && (count < min || count > max)) {
    problems.push(problem('/size/count', 'count_out_of_range'))
  }
  return problems
}

/** An acknowledgement cannot be due before there is anything to acknowledge. */
export function checkWarning(report: Warning): readonly Problem[] {
  const { ackRequiredBy, meta } = report
  return ackRequiredBy !== undefined && isBefore(ackRequiredBy, meta.issued)
    ? [problem('/ackRequiredBy', 'ack_before_issued')]
    : []
}
