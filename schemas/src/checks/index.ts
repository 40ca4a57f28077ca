import type { ControlBody, Report } from '../generated/types.ts'
import type { Problem } from '../problem.ts'
import { checkBorderMeasure } from './border-measure.ts'
import { checkAssessment, checkCapacityNeed } from './follow-up.ts'
import { checkHumanitarianSite } from './humanitarian-site.ts'
import { checkMeta } from './meta.ts'
import { checkActorProfile, checkSitrep } from './periodic.ts'
import { checkQuestionnaire } from './questionnaire.ts'
import { checkIntrep, checkIntsum, checkRfi, checkSpotrep, checkWarning } from './reports.ts'
import { checkSeizure } from './seizure.ts'
import { checkStructures } from './structures.ts'
import { checkTexts } from './texts.ts'

/** Runs the named checks that apply to a body which matches its schema. */
export const checksOf = (body: Report | ControlBody): readonly Problem[] => [
  ...checkStructures(body),
  ...checkTexts(body),
  ...(isReport(body) ? [...checkMeta(body), ...checkType(body)] : []),
]

const isReport = (body: Report | ControlBody): body is Report =>
  'meta' in body && 'handling' in body.meta

function checkType(report: Report): readonly Problem[] {
  switch (report.type) {
    case 'actor-profile':
      return checkActorProfile(report)
    case 'assessment':
      return checkAssessment(report)
    case 'border-measure':
      return checkBorderMeasure(report)
    case 'capacity-need':
      return checkCapacityNeed(report)
    case 'humanitarian-site':
      return checkHumanitarianSite(report)
    case 'intrep':
      return checkIntrep(report)
    case 'questionnaire':
      return checkQuestionnaire(report)
    case 'rfi':
      return checkRfi(report)
    case 'seizure':
      return checkSeizure(report)
    case 'sitrep':
      return checkSitrep(report)
    case 'spotrep':
      return checkSpotrep(report)
    case 'warning':
      return checkWarning(report)
    case 'intsum':
      return checkIntsum(report)
    case 'meeting':
      return []
  }
}
