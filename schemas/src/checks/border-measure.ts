import type { BorderMeasure } from '../generated/types.ts'
import { type Problem, problem } from '../problem.ts'

const noticeDays = 14
const dayMs = 86_400_000

/** Date by which the Commission must have the notice: two weeks after the decision (paragraph 8(a)). */
export function borderMeasureDueBy(decided: string): string {
  const ms = Date.parse(`${decided}T00:00:00Z`) + noticeDays * dayMs
  return new Date(ms).toISOString().slice(0, 10)
}

/** Date after a date. A decision of today may bear tomorrow's date east of Greenwich. */
const dayAfter = (date: string): string =>
  new Date(Date.parse(date) + dayMs).toISOString().slice(0, 10)

/** The due date is computed, decision, notice, start and end follow each other, the two countries differ. */
export function checkBorderMeasure(report: BorderMeasure): readonly Problem[] {
  const problems: Problem[] = []
  if (report.dueBy !== borderMeasureDueBy(report.decided)) {
    problems.push(problem('/dueBy', 'due_by_mismatch', { days: noticeDays }))
  }
  const { decided, effective, ends, meta } = report
  if (decided > dayAfter(meta.issued.slice(0, 10))) {
    problems.push(problem('/decided', 'decided_after_issued'))
  }
  if (effective !== undefined && effective < decided) {
    problems.push(problem('/effective', 'effective_before_decided'))
  }
  if (ends !== undefined && ends < decided) problems.push(problem('/ends', 'ends_before_decided'))
  if (effective !== undefined && ends !== undefined && ends < effective) {
    problems.push(problem('/ends', 'ends_before_effective'))
  }
  const [first, second] = report.border.countries
  if (first === second) problems.push(problem('/border/countries/1', 'same_country'))
  return problems
}
