import type { EpochMs, NetworkId } from '../brand.ts'
import { toHex } from '../bytes.ts'
import { GrowingTree } from '../merkle.ts'
import { weekOf } from '../time.ts'
import { History } from './history.ts'
import type { Operations } from './operations.ts'
import type {
  AdminSet,
  DeviceRecord,
  Grant,
  MemberRecord,
  Policy,
  SchemaRecord,
  StandingState,
  TopicRecord,
} from './records.ts'

/** What a key of the network is for; a key serves one purpose only. */
export type KeyUse = 'admin' | 'device' | 'relay' | 'log'

/** One suspension that an administrator ordered alone, in log time. */
export interface SoloSuspension {
  readonly adminKey: string
  readonly time: EpochMs
}

const isInactive = (state: StandingState): boolean => state !== 'active'

/**
 * Everything that replaying the log has built up. Only `apply.ts` changes it; numbers of members,
 * devices, topics and schemas are the indices of the entries that made them, so a record exists as
 * of `size` exactly when its number is below `size`.
 */
export class DirectoryState {
  readonly net: NetworkId
  readonly genesis: Operations['genesis']
  readonly genesisT: EpochMs

  readonly tree: GrowingTree = new GrowingTree()
  readonly entries: Uint8Array[] = []
  /** Log time after each entry. */
  readonly times: EpochMs[] = []
  /** Until when each entry could be appended. */
  readonly ends: EpochMs[] = []
  readonly nonces: Set<string> = new Set()
  /** Newest entry that changed a subject (`subjects.ts`). */
  readonly changedAt: Map<string, number> = new Map()

  readonly members: Map<number, MemberRecord> = new Map()
  readonly memberByCode: Map<string, MemberRecord> = new Map()
  readonly devices: Map<number, DeviceRecord> = new Map()
  /** By hex of the identity key. */
  readonly deviceByKey: Map<string, DeviceRecord> = new Map()
  readonly topics: Map<number, TopicRecord> = new Map()
  readonly topicByName: Map<string, TopicRecord> = new Map()
  readonly schemas: Map<number, SchemaRecord> = new Map()
  readonly schemaByHash: Map<string, SchemaRecord> = new Map()
  readonly grants: Map<string, History<Grant>> = new Map()

  readonly admins: History<AdminSet>
  readonly policy: History<Policy>
  /** Every key that was ever named, by hex. */
  readonly keys: Map<string, KeyUse> = new Map()
  /** Standing follows the key, so that a new administrator set cannot wash a suspension off. */
  readonly adminStanding: Map<string, 'suspended' | 'revoked'> = new Map()
  readonly soloSuspensions: SoloSuspension[] = []
  /** Times at which any enrolment begins or ends, ascending; audiences are constant between them. */
  readonly boundaries: number[] = []

  constructor(net: NetworkId, genesis: Operations['genesis'], genesisT: EpochMs) {
    this.net = net
    this.genesis = genesis
    this.genesisT = genesisT
    this.admins = new History<AdminSet>(0, {
      ver: genesis.ver,
      admins: new Map(genesis.admins.map((admin) => [admin.num, admin])),
      standing: new Map(),
      m: genesis.m,
      r: genesis.r,
    })
    this.policy = new History<Policy>(0, {
      flu: genesis.flu,
      freshness: genesis.freshness,
      cosigners: genesis.cosigners ?? [],
      relays: genesis.relays,
      logs: genesis.logs,
      recallHold: genesis.recallHold,
      auditDeliveries: false,
    })
    for (const admin of genesis.admins) this.keys.set(toHex(admin.key), 'admin')
    for (const relay of genesis.relays) this.keys.set(toHex(relay.key), 'relay')
    for (const key of [genesis.logs.dir, genesis.logs.audit]) this.keys.set(toHex(key), 'log')
  }

  /** Number of entries. */
  get size(): number {
    return this.entries.length
  }

  /** Newest accepted time; never decreases. */
  get time(): EpochMs {
    return this.timeAt(this.size)
  }

  /** Log time of a directory of `size` entries; 0 before genesis. */
  timeAt(size: number): EpochMs {
    return this.times[Math.min(size, this.size) - 1] ?? (0 as EpochMs)
  }

  /** Week of the network that contains `t`. */
  week(t: EpochMs): number {
    return weekOf(t, this.genesisT)
  }

  /** Administrators and thresholds; genesis exists in every directory. */
  adminSet(size: number = this.size): AdminSet {
    return this.admins.at(Math.max(1, size)) as AdminSet
  }

  /** Policy in force. */
  policyAt(size: number = this.size): Policy {
    return this.policy.at(Math.max(1, size)) as Policy
  }

  /** Whether the member's devices receive everything. */
  isFlu(mem: number, size: number = this.size): boolean {
    const record = this.members.get(mem)
    return record !== undefined && mem < size && this.policyAt(size).flu.includes(record.code)
  }

  /** Whether member `mem` exists and is neither suspended nor revoked. */
  memberActive(mem: number, size: number = this.size): boolean {
    return this.members.get(mem)?.standing.at(size) === 'active'
  }

  /** Member to which a device belongs. */
  memberOf(dev: number): number | undefined {
    return this.devices.get(dev)?.mem
  }

  /** Whether device and member are neither suspended nor revoked, whatever the enrolment's dates. */
  deviceInForce(dev: number, size: number = this.size): boolean {
    const record = this.devices.get(dev)
    return record?.standing.at(size) === 'active' && this.memberActive(record.mem, size)
  }

  /** {@link deviceInForce} and `t` within the enrolment. */
  deviceActive(dev: number, t: EpochMs, size: number = this.size): boolean {
    const record = this.devices.get(dev)
    if (record === undefined || t < record.notBefore || t >= record.notAfter) return false
    return this.deviceInForce(dev, size)
  }

  /** Entry since which the device has been out of force without a break, or null. */
  suspendedSince(dev: number, size: number = this.size): number | null {
    const record = this.devices.get(dev)
    if (record === undefined) return null
    const own = record.standing.since(size, isInactive)
    const members = this.members.get(record.mem)?.standing.since(size, isInactive) ?? null
    if (own === null || members === null) return own ?? members
    return Math.min(own, members)
  }

  /** Key that the device listed for one week, by the last entry below `size` that lists it. */
  kid(dev: number, week: number, size: number = this.size): Uint8Array | null {
    const record = this.devices.get(dev)
    if (record === undefined) return null
    for (const { value } of record.weeks.downFrom(size)) {
      const kid = value.kids[week - value.first]
      if (kid !== undefined) return kid
    }
    return null
  }

  /** Last week for which the device has listed a key. */
  lastWeek(record: DeviceRecord, size: number = this.size): number {
    let last = -1
    for (const { value } of record.weeks.downFrom(size)) {
      last = Math.max(last, value.first + value.kids.length - 1)
    }
    return last
  }

  /** Rights of a member in a topic. */
  grant(top: number, mem: number, size: number = this.size): Grant | undefined {
    return this.grants.get(grantKey(top, mem))?.at(size)
  }

  /** Notes a time at which an enrolment begins or ends. */
  addBoundary(t: number): void {
    const at = this.#boundaryCount(t - 1)
    if (this.boundaries[at] !== t) this.boundaries.splice(at, 0, t)
  }

  /**
   * Newest boundary at or before `t`, or -1: no enrolment begins or ends between the two, so
   * whatever holds at one holds at the other.
   */
  boundaryBefore(t: number): number {
    return this.boundaries[this.#boundaryCount(t) - 1] ?? -1
  }

  /** How many boundaries lie at or before `t`. */
  #boundaryCount(t: number): number {
    let low = 0
    let high = this.boundaries.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.boundaries[middle] as number) <= t) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Active devices of the unit that read reports, ascending. */
  fluDevices(t: EpochMs, size: number = this.size): number[] {
    const found: number[] = []
    for (const record of this.devices.values()) {
      if (record.num >= size) break
      if (record.role === 'administrator' || !this.isFlu(record.mem, size)) continue
      if (this.deviceActive(record.num, t, size)) found.push(record.num)
    }
    return found
  }
}

/** Where the rights of a member in a topic are kept. */
export const grantKey = (top: number, mem: number): string => `${top}/${mem}`
