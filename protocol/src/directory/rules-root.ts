import { toHex } from '../bytes.ts'
import { isEnrollableKey } from '../crypto/sign.ts'
import type { ErrorCode } from '../errors.ts'
import { organisationCount } from './names.ts'
import type { Administrator, Operation, Operations } from './operations.ts'
import { adminsInForce, type StandingState } from './records.ts'
import { nextInForce } from './signers.ts'
import type { DirectoryState, KeyUse } from './state.ts'
import { standingSubject } from './subjects.ts'

type Settings = Pick<
  Operations['genesis'],
  'relays' | 'logs' | 'flu' | 'freshness' | 'recallHold' | 'cosigners'
>

const distinct = (values: readonly (string | number)[]): boolean =>
  new Set(values).size === values.length

/** Keys of administrators, relays or logs must be usable and serve nothing else. */
function judgeKeys(
  keys: readonly Uint8Array[],
  use: KeyUse,
  known: ReadonlyMap<string, KeyUse>,
): ErrorCode | null {
  if (!keys.every(isEnrollableKey)) return 'key_unfit'
  const names = keys.map(toHex)
  if (!distinct(names)) return 'subject_exists'
  return names.every((name) => (known.get(name) ?? use) === use) ? null : 'subject_exists'
}

/** Numbers, keys and thresholds of an administrator set. @param inForce Those who can sign. */
function judgeAdmins(
  set: { readonly admins: readonly Administrator[]; readonly m: number; readonly r: number },
  inForce: readonly Administrator[],
  known: ReadonlyMap<string, KeyUse>,
): ErrorCode | null {
  if (!distinct(set.admins.map((admin) => admin.num))) return 'entry_malformed'
  const keys = set.admins.map((admin) => admin.key)
  const fault = judgeKeys(keys, 'admin', known)
  if (fault !== null) return fault
  // One organisation must be able to fall out without stopping the network.
  const fits = set.m >= 1 && set.r >= set.m && set.r < organisationCount(inForce)
  return fits ? null : 'quorum_unsafe'
}

/** Relays, log keys, cosigners, freshness and recall rules after the change. */
function judgeSettings(
  next: Settings,
  example: boolean,
  known: ReadonlyMap<string, KeyUse>,
): ErrorCode | null {
  const cosigners = next.cosigners ?? []
  const wellFormed =
    distinct(next.relays.map((relay) => relay.num)) &&
    distinct(next.flu) &&
    distinct(cosigners.map((cosigner) => cosigner.name)) &&
    distinct(cosigners.map((cosigner) => toHex(cosigner.key)))
  if (!wellFormed) return 'entry_malformed'
  if (!cosigners.every((cosigner) => isEnrollableKey(cosigner.key))) return 'key_unfit'
  const relayKeys = next.relays.map((relay) => relay.key)
  const logKeys = [next.logs.dir, next.logs.audit]
  const fault = judgeKeys(relayKeys, 'relay', known) ?? judgeKeys(logKeys, 'log', known)
  if (fault !== null) return fault
  if (!distinct([...relayKeys, ...logKeys].map(toHex))) return 'subject_exists'
  // Without time between recall and destruction, a thief of one device could destroy evidence.
  if (next.recallHold === 0 && !example) return 'not_permitted'
  const need = next.freshness.need
  const enough = (['flu', 'admin', 'witness'] as const).every(
    (kind) => cosigners.filter((cosigner) => cosigner.kind === kind).length >= need[kind],
  )
  return enough ? null : 'quorum_unsafe'
}

/** Rules for the first entry. */
export function judgeGenesis(body: Operations['genesis']): ErrorCode | null {
  const admins = new Map<string, KeyUse>(body.admins.map((admin) => [toHex(admin.key), 'admin']))
  return (
    judgeAdmins(body, body.admins, new Map()) ?? judgeSettings(body, body.example === 1, admins)
  )
}

/** Rules for a new administrator set. */
export function judgeQuorum(state: DirectoryState, body: Operations['quorum']): ErrorCode | null {
  if (body.ver !== state.adminSet().ver + 1) return 'entry_malformed'
  const revoked = body.admins.some(
    (admin) => state.adminStanding.get(toHex(admin.key)) === 'revoked',
  )
  if (revoked) return 'subject_exists'
  return judgeAdmins(body, nextInForce(state, body), state.keys)
}

/** Rules for a change of policy: what it leaves out stays. */
export function judgePolicy(state: DirectoryState, body: Operations['policy']): ErrorCode | null {
  const next = { ...state.policyAt(), ...body }
  const fault = judgeSettings(next, state.genesis.example === 1, state.keys)
  if (fault !== null) return fault
  const known = (body.flu ?? []).every((code) => {
    const member = state.memberByCode.get(code)
    return member !== undefined && state.memberActive(member.num)
  })
  return known ? null : 'subject_unknown'
}

/** Rules for `suspend`, `revoke` and `resume`: the subject exists and the change is one. */
export function judgeStanding(
  state: DirectoryState,
  op: Extract<Operation, { op: 'suspend' | 'revoke' | 'resume' }>,
): ErrorCode | null {
  const { what, num } = standingSubject(op.body)
  const present = what === 'adm' ? adminStandingOf(state, num) : standingOf(state, what, num)
  if (present === undefined) return 'subject_unknown'
  const changes =
    op.op === 'suspend'
      ? present === 'active'
      : op.op === 'resume'
        ? present === 'suspended'
        : present !== 'revoked'
  if (!changes) return 'state_unchanged'
  return what === 'adm' && op.op !== 'resume' ? judgeSpareAdmins(state, num) : null
}

const standingOf = (
  state: DirectoryState,
  what: 'dev' | 'mem',
  num: number,
): StandingState | undefined =>
  (what === 'dev' ? state.devices : state.members).get(num)?.standing.at(state.size)

function adminStandingOf(state: DirectoryState, num: number): StandingState | undefined {
  const set = state.adminSet()
  return set.admins.has(num) ? (set.standing.get(num) ?? 'active') : undefined
}

/**
 * Enough organisations for root changes must stay in force, or m of them could take the network
 * from all others, or stop it for good, by suspending administrators one after another.
 */
function judgeSpareAdmins(state: DirectoryState, leaving: number): ErrorCode | null {
  const set = state.adminSet()
  const staying = adminsInForce(set).filter((admin) => admin.num !== leaving)
  return organisationCount(staying) >= set.r ? null : 'quorum_unsafe'
}
