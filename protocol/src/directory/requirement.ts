import type { Freshness, Operation } from './operations.ts'
import type { AdminSet, Policy } from './records.ts'
import { standingSubject } from './subjects.ts'

/**
 * Who must sign a statement. Thresholds are numbers of organisations.
 * `self`: the device itself. `all`: every administrator in force. `m`, `r`: that many organisations,
 * one administrator not counted when `except` names it. 1: any administrator, within the limits of
 * what one may do alone, else `m`.
 */
export type Requirement =
  | { readonly from: 'self'; readonly dev: number }
  | { readonly from: 'all' }
  | { readonly from: 'm' | 'r'; readonly orgs: number; readonly except?: number }
  | { readonly from: 1; readonly orgs: 1 }

/** What the requirements depend on, all as of now. */
export interface RequirementFacts {
  adminSet(): AdminSet
  policyAt(): Policy
  isFlu(mem: number): boolean
  memberOf(dev: number): number | undefined
}

/** What an operation needs in the present state. */
export function requirementOf(state: RequirementFacts, op: Operation): Requirement {
  const set = state.adminSet()
  const m: Requirement = { from: 'm', orgs: set.m }
  const r: Requirement = { from: 'r', orgs: set.r }
  switch (op.op) {
    case 'genesis':
      return { from: 'all' }
    case 'epoch':
      return { from: 'self', dev: op.body.dev }
    case 'quorum':
      return r
    case 'policy':
      return lowersNeed(state.policyAt().freshness, op.body.freshness) ? { from: 'all' } : r
    case 'member':
    case 'topic':
    case 'schema':
    case 'grant':
      return m
    case 'enrol':
      return state.isFlu(op.body.mem) ? r : m
    case 'suspend':
    case 'revoke':
    case 'resume':
      return standingRequirement(state, op, m, r)
  }
}

function standingRequirement(
  state: RequirementFacts,
  op: Extract<Operation, { op: 'suspend' | 'revoke' | 'resume' }>,
  m: Requirement,
  r: Requirement,
): Requirement {
  const { what, num } = standingSubject(op.body)
  if (what === 'adm') {
    return op.op === 'resume' ? r : { from: 'm', orgs: state.adminSet().m, except: num }
  }
  if (op.op === 'suspend') return what === 'dev' ? { from: 1, orgs: 1 } : m
  const mem = what === 'mem' ? num : state.memberOf(num)
  return mem !== undefined && state.isFlu(mem) ? r : m
}

/** Whether fewer cosigners of some kind would do than now. */
function lowersNeed(now: Freshness, next: Freshness | undefined): boolean {
  if (next === undefined) return false
  return (['flu', 'admin', 'witness'] as const).some((kind) => next.need[kind] < now.need[kind])
}
