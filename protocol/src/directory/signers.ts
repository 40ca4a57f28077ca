import type { EpochMs } from '../brand.ts'
import { toHex } from '../bytes.ts'
import type { ErrorCode } from '../errors.ts'
import { limits } from '../limits.ts'
import { err, ok, type Result } from '../result.ts'
import { organisationCount } from './names.ts'
import type { Administrator, Operation, Operations } from './operations.ts'
import { adminsInForce } from './records.ts'
import type { Requirement } from './requirement.ts'
import type { DirectoryState } from './state.ts'
import type { Entry, StatementSignature } from './statement.ts'
import { verifyStatement } from './statement.ts'

/** Administrators whose signatures under one statement verified. */
export interface Signers {
  /** By the set in force. */
  readonly present: readonly Administrator[]
  /** By the set that a `quorum` statement brings; empty otherwise. */
  readonly next: readonly Administrator[]
}

/** Whether signers are listed once each, ascending. One signer listed twice must not count twice. */
export const signersOrdered = (signatures: readonly StatementSignature[]): boolean =>
  signatures.every(([num], i) => i === 0 || num > (signatures[i - 1] as StatementSignature)[0])

/** Administrators of a set that is not in force yet, without those whose key is out of force. */
export const nextInForce = (
  state: DirectoryState,
  body: Pick<Operations['quorum'], 'admins'>,
): Administrator[] => body.admins.filter((admin) => !state.adminStanding.has(toHex(admin.key)))

/**
 * Verifies every signature under a statement by administrators.
 * A number that both sets give to different keys counts for the set whose key verifies.
 */
export function verifySigners(
  state: DirectoryState,
  entry: Entry,
  op: Operation,
): Result<Signers, ErrorCode> {
  const before = byNumber(adminsInForce(state.adminSet()))
  const after = byNumber(op.op === 'quorum' ? nextInForce(state, op.body) : [])
  const present: Administrator[] = []
  const next: Administrator[] = []
  for (const [num, sig] of entry.signatures) {
    const old = before.get(num)
    const late = after.get(num)
    if (old === undefined && late === undefined) return err('signer_unknown')
    const signedBy = (admin: Administrator | undefined): admin is Administrator =>
      admin !== undefined && verifyStatement(state.net, admin.key, entry.stmt, sig)
    const counted = present.length + next.length
    if (signedBy(old)) present.push(old)
    if (signedBy(late)) next.push(late)
    if (present.length + next.length === counted) return err('signature_invalid')
  }
  return ok({ present, next })
}

const byNumber = (admins: readonly Administrator[]): ReadonlyMap<number, Administrator> =>
  new Map(admins.map((admin) => [admin.num, admin]))

/** Judges the single signature of a device under its own statement. */
export function verifySelf(state: DirectoryState, entry: Entry, dev: number): ErrorCode | null {
  const [first, ...others] = entry.signatures
  const device = state.devices.get(dev)
  if (first === undefined || first[0] !== dev || others.length > 0 || device === undefined) {
    return 'signer_unknown'
  }
  const valid = verifyStatement(state.net, device.identityKey, entry.stmt, first[1])
  return valid ? null : 'signature_invalid'
}

/** Whether the verified signers are enough, limits of a lone administrator aside. */
export function isEnough(
  state: DirectoryState,
  op: Operation,
  need: Exclude<Requirement, { from: 'self' }>,
  signers: Signers,
): boolean {
  if (need.from === 'all') return signers.present.length === adminsInForce(state.adminSet()).length
  const except = need.from === 1 ? undefined : need.except
  if (organisationCount(signers.present.filter((s) => s.num !== except)) < need.orgs) return false
  return op.op !== 'quorum' || organisationCount(signers.next) >= op.body.r
}

/**
 * What one administrator may suspend alone, in log time: five devices in 24 hours, never the last
 * two active devices of the unit.
 *
 * @param time Log time that the entry would get.
 * @returns hex of the key that the suspension is charged to; null when m organisations signed, so
 * that nothing is charged.
 */
export function soloSuspension(
  state: DirectoryState,
  dev: number,
  signers: Signers,
  time: EpochMs,
): Result<string | null, 'suspend_limit' | 'last_flu'> {
  if (organisationCount(signers.present) >= state.adminSet().m) return ok(null)
  const flu = state.fluDevices(time)
  if (flu.includes(dev) && flu.length <= 2) return err('last_flu')
  const charged = signers.present
    .map((admin) => toHex(admin.key))
    .find((key) => soloCount(state, key, time) < limits.soloSuspensionsPerDayMax)
  return charged === undefined ? err('suspend_limit') : ok(charged)
}

/** How many suspensions of the last 24 hours of log time are charged to one administrator. */
export const soloCount = (state: DirectoryState, adminKey: string, time: EpochMs): number =>
  state.soloSuspensions.filter(
    (solo) => solo.adminKey === adminKey && solo.time > time - limits.soloSuspensionWindowMs,
  ).length
