import {
  adminsInForce,
  type Device,
  type Directory,
  type EpochMs,
  type Operation,
  RelayError,
  type Threshold,
  thresholdFor,
} from '@liaison/protocol'
import { adminLabel, deviceLabel, memberLabel } from './labels.ts'

/** Who would be revoked: exactly one of the three. */
export interface RevocationTarget {
  readonly dev?: number
  readonly mem?: number
  readonly adm?: number
}

/** A device that would be cut off. */
export interface CutDevice {
  readonly num: number
  readonly member: string
  readonly role: Device['role']
  readonly label: string
}

/** A topic that loses readers. */
export interface TopicLoss {
  readonly num: number
  readonly name: string
  /** Devices that leave its audience. */
  readonly devices: readonly number[]
  /** Devices in its audience today and afterwards, the unit's included. */
  readonly readersBefore: number
  readonly readersAfter: number
  /** Members that could publish in it and would have no device left for that. */
  readonly publishersLost: readonly string[]
}

/** What a revocation would do, before anybody signs it. */
export interface RevocationPlan {
  readonly what: 'dev' | 'mem' | 'adm'
  readonly num: number
  readonly label: string
  readonly devices: readonly CutDevice[]
  readonly topics: readonly TopicLoss[]
  /** Active devices of the Fusion and Liaison Unit today and afterwards. Without any, nothing can be sent. */
  readonly flu: { readonly before: number; readonly after: number }
  /** Members that would have no active officer left, by code. */
  readonly withoutOfficer: readonly string[]
  /** Administrators that would still count, by organisation; only when one is revoked. */
  readonly administratorsLeft: readonly string[]
  /** Who has to sign: the suspension that can come first, and the revocation. */
  readonly signatures: { readonly suspend: Threshold; readonly revoke: Threshold }
}

/**
 * Works out what a revocation would do. Changes nothing and asks nobody.
 *
 * @throws RelayError `subject_unknown` when the target does not exist, `state_unchanged` when it is
 * revoked already.
 */
export function planRevocation(
  directory: Directory,
  target: RevocationTarget,
  now: EpochMs,
): RevocationPlan {
  const { what, num } = targetOf(directory, target)
  const active = directory.devices().filter((d) => directory.deviceActive(d.num, now))
  const cut = active.filter(
    (d) => (what === 'dev' && d.num === num) || (what === 'mem' && d.mem === num),
  )
  const left = active.filter((d) => !cut.includes(d))
  const fluAfter = left.filter((d) => directory.isFlu(d.mem) && d.role !== 'administrator')
  return {
    what,
    num,
    label: labelOf(directory, what, num),
    devices: cut.map((d) => ({
      num: d.num,
      member: directory.member(d.mem)?.code ?? '',
      role: d.role,
      label: d.label ?? '',
    })),
    topics: topicLosses(directory, active, cut),
    flu: { before: directory.fluDevices(now).length, after: fluAfter.length },
    withoutOfficer: withoutOfficer(directory, cut, left),
    administratorsLeft:
      what === 'adm'
        ? adminsInForce(directory.admins())
            .filter((admin) => admin.num !== num)
            .map((admin) => admin.org)
        : [],
    signatures: {
      suspend: thresholdOf(directory, 'suspend', what, num),
      revoke: thresholdOf(directory, 'revoke', what, num),
    },
  }
}

function targetOf(
  directory: Directory,
  { dev, mem, adm }: RevocationTarget,
): Pick<RevocationPlan, 'what' | 'num'> {
  const named = [['dev', dev] as const, ['mem', mem] as const, ['adm', adm] as const].flatMap(
    ([what, num]) => (num === undefined ? [] : [{ what, num }]),
  )
  const [only] = named
  if (only === undefined || named.length > 1) throw new RelayError('subject_unknown')
  const state = stateOf(directory, only.what, only.num)
  if (state === null) throw new RelayError('subject_unknown', { field: `${only.what} ${only.num}` })
  if (state === 'revoked') throw new RelayError('state_unchanged')
  return only
}

function stateOf(
  directory: Directory,
  what: RevocationPlan['what'],
  num: number,
): 'active' | 'suspended' | 'revoked' | null {
  if (what === 'dev') return directory.device(num)?.state ?? null
  if (what === 'mem') return directory.member(num)?.state ?? null
  const set = directory.admins()
  return set.admins.has(num) ? (set.standing.get(num) ?? 'active') : null
}

function labelOf(directory: Directory, what: RevocationPlan['what'], num: number): string {
  if (what === 'dev') return deviceLabel(directory, num)
  return what === 'mem' ? memberLabel(directory, num) : adminLabel(directory, num)
}

function thresholdOf(
  directory: Directory,
  op: 'suspend' | 'revoke',
  what: RevocationPlan['what'],
  num: number,
): Threshold {
  const operation: Operation = { op, body: { [what]: num, why: 'plan' } }
  return thresholdFor(directory, operation)
}

function topicLosses(
  directory: Directory,
  active: readonly Device[],
  cut: readonly Device[],
): TopicLoss[] {
  const losses: TopicLoss[] = []
  for (const topic of directory.topics()) {
    const readers = active.filter((d) => directory.mayRead(d.num, topic.num))
    const leaving = readers.filter((d) => cut.includes(d))
    const publishersLost = publishersWithoutDevice(directory, topic.num, active, cut)
    if (leaving.length === 0 && publishersLost.length === 0) continue
    losses.push({
      num: topic.num,
      name: topic.name,
      devices: leaving.map((d) => d.num),
      readersBefore: readers.length,
      readersAfter: readers.length - leaving.length,
      publishersLost,
    })
  }
  return losses
}

/** Members that can publish at the lowest handling code today and could not any more. */
function publishersWithoutDevice(
  directory: Directory,
  topic: number,
  active: readonly Device[],
  cut: readonly Device[],
): string[] {
  const publishers = active.filter((d) => directory.mayPublish(d.num, topic, 0) === 'ok')
  const left = new Set(publishers.filter((d) => !cut.includes(d)).map((d) => d.mem))
  const members = new Set(publishers.map((d) => d.mem))
  return codes(
    directory,
    [...members].filter((mem) => !left.has(mem)),
  )
}

function withoutOfficer(
  directory: Directory,
  cut: readonly Device[],
  left: readonly Device[],
): string[] {
  const officersLost = new Set(cut.filter((d) => d.role === 'officer').map((d) => d.mem))
  const stillThere = new Set(left.filter((d) => d.role === 'officer').map((d) => d.mem))
  return codes(
    directory,
    [...officersLost].filter((mem) => !stillThere.has(mem)),
  )
}

const codes = (directory: Directory, members: readonly number[]): string[] =>
  members.map((mem) => directory.member(mem)?.code ?? `${mem}`).sort()
