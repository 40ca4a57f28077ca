import type { ActorProfile, Sitrep } from '../generated/types.ts'
import { type Problem, problem } from '../problem.ts'

/** The next report cannot be due within the period of this one. */
export function checkSitrep(report: Sitrep): readonly Problem[] {
  const { next, period } = report
  return next !== undefined && next < period.to.slice(0, 10)
    ? [problem('/next', 'next_before_period_end')]
    : []
}

/** Estimates and dates are in order, and naming a natural person needs a legal basis. */
export function checkActorProfile(report: ActorProfile): readonly Problem[] {
  const problems: Problem[] = []
  const { min = 0, max = Number.POSITIVE_INFINITY } = report.strength ?? {}
  if (max < min) problems.push(problem('/strength/max', 'range_reversed'))
  const { firstSeen, lastSeen } = report
  if (firstSeen !== undefined && lastSeen !== undefined && lastSeen < firstSeen) {
    problems.push(problem('/lastSeen', 'last_seen_before_first_seen'))
  }
  const named =
    report.leadership?.some(({ holder }) => holder !== undefined) === true ||
    report.actors?.some(({ individual }) => individual === true) === true
  if (named && report.legalBasis === undefined) {
    problems.push(problem('/legalBasis', 'legal_basis_missing'))
  }
  return problems
}
