import type { Seizure } from '../generated/types.ts'
import { type Problem, problem } from '../problem.ts'

/** A serial number is that of one item, and only what is marked can be traced. */
export function checkSeizure(report: Seizure): readonly Problem[] {
  const problems: Problem[] = []
  report.items.forEach(({ quantity, serial }, index) => {
    if (serial !== undefined && quantity !== undefined && quantity !== 1) {
      problems.push(problem(`/items/${index}/serial`, 'serial_of_several'))
    }
  })
  const marked = report.items.some(
    ({ lotMarks, serial }) => serial !== undefined || lotMarks !== undefined,
  )
  if (report.tracingRequested === true && !marked && (report.matchTokens ?? []).length === 0) {
    problems.push(problem('/tracingRequested', 'tracing_without_marks'))
  }
  return problems
}
