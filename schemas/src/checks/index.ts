import type { ControlBody, Report } from '../generated/types.ts'
import type { Problem } from '../problem.ts'
import { checkBorderMeasure } from './border-measure.ts'
import { checkMeta } from './meta.ts'
import { checkIntrep, checkRfi, checkSpotrep, checkWarning } from './reports.ts'
import { checkStructures } from './structures.ts'

/** Runs the named checks that apply to a body which matches its schema. */
export const checksOf = (body: Report | ControlBody): readonly Problem[] => [
  ...checkStructures(body),
  ...(isReport(body) ? [...checkMeta(body), ...checkType(body)] : []),
]

const isReport = (body: Report | ControlBody): body is Report =>
  'meta' in body && 'handling' in body.meta

function checkType(report: Report): readonly Problem[] {
  switch (report.type) {
    case 'border-measure':
      return checkBorderMeasure(report)
    case 'intrep':
      return checkIntrep(report)
    case 'rfi':
      return checkRfi(report)
    case 'spotrep':
      return checkSpotrep(report)
    case 'warning':
      return checkWarning(report)
    case 'meeting':
      return []
  }
}
