import type { BorderMeasure } from '../generated/types.ts'
import { type Problem, problem } from '../problem.ts'

const noticeDays = 14
const dayMs = 86_400_000

/** Date by which the Commission must have the notice: two weeks after the decision (paragraph 8(a)). */
export function borderMeasureDueBy(decided: string): string {
  const ms = Date.parse(`${decided}T00:00:00Z`) + noticeDays * dayMs
  return new Date(ms).toISOString().slice(0, 10)
}

/** The due date is computed, the end follows the start, the two countries differ. */
export function checkBorderMeasure(report: BorderMeasure): readonly Problem[] {
  const problems: Problem[] = []
  if (report.dueBy !== borderMeasureDueBy(report.decided)) {
    problems.push(problem('/dueBy', 'due_by_mismatch', { days: noticeDays }))
  }
  const { effective, ends } = report
  if (effective !== undefined && ends !== undefined && ends < effective) {
    problems.push(problem('/ends', 'ends_before_effective'))
  }
  const [first, second] = report.border.countries
  if (first === second) problems.push(problem('/border/countries/1', 'same_country'))
  return problems
}
