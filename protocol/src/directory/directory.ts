import type { EpochMs, NetworkId } from '../brand.ts'
import { toHex } from '../bytes.ts'
import type { ErrorCode } from '../errors.ts'
import { limits } from '../limits.ts'
import { err, ok, type Result } from '../result.ts'
import { epochMs } from '../time.ts'
import { applyEntry, type Change } from './apply.ts'
import { type Audience, AudienceBook, type AudienceQuery } from './audience.ts'
import { type CheckedEntry, judgeEntry, judgeFirst } from './judge.ts'
import type { RelayIdentity } from './operations.ts'
import type { AdminSet, Grant, Policy } from './records.ts'
import { soloCount } from './signers.ts'
import { DirectoryState } from './state.ts'
import {
  type Device,
  deviceView,
  type Member,
  memberView,
  type Schema,
  schemaView,
  type Topic,
  topicView,
  viewsOf,
} from './views.ts'

/** An entry that has become part of the directory. */
export interface AppliedEntry extends CheckedEntry {
  readonly change: Change
  /** Devices that were in force before the entry and are not any more, ascending. */
  readonly deactivated: readonly number[]
}

/** What went wrong at which entry of a replay. */
export interface ReplayFault {
  readonly index: number
  readonly code: ErrorCode
}

/**
 * Members, devices, topics, rights and administrators of one network: an append-only log of signed
 * statements and what they add up to. Relay, clients and tools replay the same entries and reach the
 * same answers.
 *
 * Every query takes the `size` as of which it is answered; it defaults to the present size, and a
 * greater one is answered as of the present.
 */
export class Directory {
  readonly #state: DirectoryState
  /** Views of devices at the present size. */
  readonly #presentDevices = new Map<number, Device>()
  #presentSize = -1
  readonly #audiences: AudienceBook

  private constructor(state: DirectoryState) {
    this.#state = state
    this.#audiences = new AudienceBook(state)
  }

  /** Starts a directory from its genesis entry; every founding administrator must have signed. */
  static fromGenesis(entry: Uint8Array): Result<Directory, ErrorCode> {
    const first = judgeFirst(entry)
    if (!first.ok) return first
    const { net, body, checked } = first.value
    const state = new DirectoryState(net, body, checked.time)
    applyEntry(state, checked)
    return ok(new Directory(state))
  }

  /** Replays a log that a relay admitted, genesis first. */
  static replay(entries: readonly Uint8Array[]): Result<Directory, ReplayFault> {
    const started = Directory.fromGenesis(entries[0] ?? new Uint8Array(0))
    if (!started.ok) return err({ index: 0, code: started.error })
    for (const [i, entry] of entries.slice(1).entries()) {
      const applied = started.value.append(entry, null)
      if (!applied.ok) return err({ index: i + 1, code: applied.error })
    }
    return started
  }

  /** Network id: enters every hash and signature. */
  get net(): NetworkId {
    return this.#state.net
  }

  /** Name of the network; also the beginning of its log origins. */
  get name(): string {
    return this.#state.genesis.name
  }

  /** Whether the network is an example and every client must say so. */
  get example(): boolean {
    return this.#state.genesis.example === 1
  }

  /** Time of genesis, from which key weeks are counted. */
  get genesisT(): EpochMs {
    return this.#state.genesisT
  }

  /** Number of entries. */
  get size(): number {
    return this.#state.size
  }

  /** Merkle root over all entries. */
  get root(): Uint8Array {
    return this.#state.tree.root
  }

  /** Merkle root over the first `size` entries, or null when there are fewer. */
  rootAt(size: number): Uint8Array | null {
    return this.#state.tree.rootAt(size)
  }

  /** Log time: the newest accepted statement time, never decreasing. */
  get time(): EpochMs {
    return this.#state.time
  }

  /** Log time of the first `size` entries. */
  timeAt(size: number): EpochMs {
    return this.#state.timeAt(size)
  }

  /**
   * By when a directory of `size` entries had certainly been replaced by a longer one: the end of the
   * time in which the next entry could be appended. Null when there is no next entry yet.
   */
  replacedBy(size: number): EpochMs | null {
    return this.#state.ends[size] ?? null
  }

  /** The bytes of one entry. */
  entry(index: number): Uint8Array | undefined {
    return this.#state.entries[index]
  }

  /** Proof that the tree of `oldSize` entries is a prefix of the present one. */
  consistencyProof(oldSize: number): Uint8Array[] {
    return this.#state.tree.consistencyProof(oldSize)
  }

  /** Path from one entry to the present root. */
  inclusionPath(index: number): Uint8Array[] {
    return this.#state.tree.inclusionPath(index)
  }

  /**
   * Judges an entry without changing anything.
   *
   * @param now The relay's clock, or null when replaying what a relay admitted.
   */
  check(entry: Uint8Array, now: EpochMs | null): Result<CheckedEntry, ErrorCode> {
    return judgeEntry(this.#state, entry, now)
  }

  /** Judges an entry and, when it stands, makes it part of the directory. */
  append(entry: Uint8Array, now: EpochMs | null): Result<AppliedEntry, ErrorCode> {
    const checked = this.check(entry, now)
    if (!checked.ok) return checked
    const before = this.#atRisk(checked.value)
    const change = applyEntry(this.#state, checked.value)
    const deactivated = before.filter((dev) => !this.#state.deviceInForce(dev))
    return ok({ ...checked.value, change, deactivated })
  }

  /** Devices in force that a change of standing could touch. */
  #atRisk({ operation: op }: CheckedEntry): number[] {
    if (op.op !== 'suspend' && op.op !== 'revoke') return []
    const { dev, mem } = op.body
    const devices = [...this.#state.devices.values()].filter((d) => d.num === dev || d.mem === mem)
    return devices.map((d) => d.num).filter((num) => this.#state.deviceInForce(num))
  }

  /** One member. */
  member(num: number, size: number = this.size): Member | null {
    return memberView(this.#state, num, size)
  }

  /** The member with this code. */
  memberByCode(code: string, size: number = this.size): Member | null {
    const record = this.#state.memberByCode.get(code)
    return record === undefined ? null : this.member(record.num, size)
  }

  /** All members, suspended and revoked ones too. */
  members(size: number = this.size): Member[] {
    return viewsOf(this.#state, this.#state.members.keys(), size, memberView)
  }

  /** One device. */
  device(num: number, size: number = this.size): Device | null {
    if (size !== this.size) return deviceView(this.#state, num, size)
    // A relay asks several times for each envelope; views never change for one size.
    if (this.#presentSize !== size) {
      this.#presentSize = size
      this.#presentDevices.clear()
    }
    const known = this.#presentDevices.get(num)
    if (known !== undefined) return known
    const view = deviceView(this.#state, num, size)
    if (view !== null) this.#presentDevices.set(num, view)
    return view
  }

  /** The device that was enrolled with this identity key. */
  deviceByKey(identityKey: Uint8Array, size: number = this.size): Device | null {
    const record = this.#state.deviceByKey.get(toHex(identityKey))
    return record === undefined ? null : this.device(record.num, size)
  }

  /** All devices, suspended and revoked ones too. */
  devices(size: number = this.size): Device[] {
    return viewsOf(this.#state, this.#state.devices.keys(), size, deviceView)
  }

  /** Whether the device is enrolled at `t` and neither it nor its member is suspended or revoked. */
  deviceActive(num: number, t: EpochMs, size: number = this.size): boolean {
    return this.#state.deviceActive(num, t, size)
  }

  /**
   * Index of the entry since which the device has been suspended or revoked without a break, by
   * itself or through its member; null when it is in force. The oldest entry of the stretch counts:
   * a revocation that follows a suspension must not make what came between look trustworthy.
   */
  suspendedAt(dev: number, size: number = this.size): number | null {
    return this.#state.suspendedSince(dev, size)
  }

  /** One topic. */
  topic(num: number, size: number = this.size): Topic | null {
    return topicView(this.#state, num, size)
  }

  /** The topic with this name. */
  topicByName(name: string, size: number = this.size): Topic | null {
    const record = this.#state.topicByName.get(name)
    return record === undefined ? null : this.topic(record.num, size)
  }

  /** All topics. */
  topics(size: number = this.size): Topic[] {
    return viewsOf(this.#state, this.#state.topics.keys(), size, topicView)
  }

  /** One report schema. */
  schema(num: number, size: number = this.size): Schema | null {
    return schemaView(this.#state, num, size)
  }

  /** The report schema with this hash. */
  schemaByHash(hash: Uint8Array, size: number = this.size): Schema | null {
    const record = this.#state.schemaByHash.get(toHex(hash))
    return record === undefined ? null : this.schema(record.num, size)
  }

  /** All report schemas, retired ones too. */
  schemas(size: number = this.size): Schema[] {
    return viewsOf(this.#state, this.#state.schemas.keys(), size, schemaView)
  }

  /** Rights of a member in a topic, or null when none were ever given. */
  grant(top: number, mem: number, size: number = this.size): Grant | null {
    return this.#state.grant(top, mem, size) ?? null
  }

  /**
   * Whether a device may publish in a topic at a handling code. Dates of the enrolment are judged by
   * {@link deviceActive}. Administrators' devices never publish.
   */
  mayPublish(dev: number, top: number, hc: number, size: number = this.size): 'ok' | ErrorCode {
    const device = this.device(dev, size)
    if (device === null) return 'device_unknown'
    if (!this.#state.deviceInForce(dev, size)) return 'device_inactive'
    if (this.topic(top, size) === null) return 'topic_unknown'
    if (device.role === 'administrator') return 'publish_refused'
    if (this.grant(top, device.mem, size)?.publish !== true) return 'publish_refused'
    return hc <= this.clearance(dev, top, size) ? 'ok' : 'clearance_insufficient'
  }

  /** Whether a device may read a topic. Administrators' devices never read. */
  mayRead(dev: number, top: number, size: number = this.size): boolean {
    const device = this.device(dev, size)
    if (device === null || device.role === 'administrator') return false
    if (this.topic(top, size) === null || !this.#state.deviceInForce(dev, size)) return false
    return this.isFlu(device.mem, size) || this.grant(top, device.mem, size)?.read === true
  }

  /** Highest handling code for a device in a topic, 0..4; -1 without any grant. 4 for the unit. */
  clearance(dev: number, top: number, size: number = this.size): number {
    const device = this.device(dev, size)
    if (device === null) return -1
    if (this.isFlu(device.mem, size)) return 4
    const grant = this.grant(top, device.mem, size)
    return grant === null ? -1 : Math.min(device.clearance, grant.clearance)
  }

  /** Whether the member's devices receive everything. */
  isFlu(mem: number, size: number = this.size): boolean {
    return this.#state.isFlu(mem, size)
  }

  /** Devices of the unit that are active at `t` and read reports, ascending. */
  fluDevices(t: EpochMs, size: number = this.size): number[] {
    return this.#state.fluDevices(t, size)
  }

  /** Key listed for the week of `t` by the last entry below `size` that lists that week. */
  kidFor(dev: number, t: EpochMs, size: number = this.size): Uint8Array | null {
    return this.#state.kid(dev, this.#state.week(t), size)
  }

  /**
   * Who receives an envelope. Errors: `topic_unknown`, `audience_invalid`, `no_flu`,
   * `audience_too_large`.
   */
  audience(q: AudienceQuery, size: number = this.size): Result<Audience, ErrorCode> {
    return this.#audiences.find(q, Math.min(size, this.size))
  }

  /** Administrators and thresholds. */
  admins(size: number = this.size): AdminSet {
    return this.#state.adminSet(size)
  }

  /** Policy in force. */
  policy(size: number = this.size): Policy {
    return this.#state.policyAt(size)
  }

  /** One relay of the network. */
  relay(num: number, size: number = this.size): RelayIdentity | null {
    return this.policy(size).relays.find((relay) => relay.num === num) ?? null
  }

  /** How many devices an administrator may still suspend alone in the 24 hours before `t`. */
  soloSuspensionsLeft(num: number, t: EpochMs): number {
    const admin = this.admins().admins.get(num)
    if (admin === undefined || this.admins().standing.has(num)) return 0
    const time = epochMs(Math.max(t, this.time))
    const used = soloCount(this.#state, toHex(admin.key), time)
    return Math.max(0, limits.soloSuspensionsPerDayMax - used)
  }
}
