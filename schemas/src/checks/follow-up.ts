import type { Assessment, CapacityNeed } from '../generated/types.ts'
import { type Problem, problem } from '../problem.ts'
import { isCoreHash } from './reference.ts'

/** A commitment and a delivery say to what they belong. */
export function checkCapacityNeed(report: CapacityNeed): readonly Problem[] {
  const { kind, links = [], meta } = report
  const problems = links.flatMap(({ id }, index) =>
    id === meta.id ? [problem(`/links/${index}/id`, 'references_itself')] : [],
  )
  return links.length === 0 && (kind === 'commitment' || kind === 'delivery')
    ? [...problems, problem('/links', 'need_not_linked')]
    : problems
}

/** A recommendation is closed by evidence, and evidence names the bytes that were read. */
export function checkAssessment(report: Assessment): readonly Problem[] {
  const { kind, meta, recommendation } = report
  const problems: Problem[] = []
  if ((kind === 'progress' || kind === 'closure') && meta.references.length === 0) {
    problems.push(problem('/meta/references', 'progress_without_recommendation'))
  }
  if (recommendation === undefined) return problems
  const { evidence = [], state } = recommendation
  if (kind === 'closure' && state !== 'closed') {
    problems.push(problem('/recommendation/state', 'closure_not_closed'))
  }
  if ((kind === 'closure' || state === 'closed') && evidence.length === 0) {
    problems.push(problem('/recommendation/evidence', 'closed_without_evidence'))
  }
  evidence.forEach(({ report: shown }, index) => {
    if (shown !== undefined && !isCoreHash(shown)) {
      problems.push(problem(`/recommendation/evidence/${index}/report`, 'reference_not_by_hash'))
    }
  })
  return problems
}
