import type { EpochMs } from '../brand.ts'
import { concat, u32, utf8 } from '../bytes.ts'
import { sha256 } from '../crypto/hash.ts'
import type { ErrorCode } from '../errors.ts'
import { limits } from '../limits.ts'
import { err, ok, type Result } from '../result.ts'
import type { DeviceRecord } from './records.ts'
import type { DirectoryState } from './state.ts'

/** One device that an envelope is sealed for, by the key of its week. */
export interface Recipient {
  readonly dev: number
  readonly kid: Uint8Array
}

/** Who receives an envelope: computed alike by sender, relay and reader. */
export interface Audience {
  /** Devices of the unit first, then ascending device number within each part. */
  readonly recipients: readonly Recipient[]
  readonly hash: Uint8Array
  /** How many of the first recipients are devices of the unit. */
  readonly fluCount: number
  /** Devices that drop out because they have published no key for the week. */
  readonly withoutKey: readonly number[]
}

/** What an audience depends on besides the directory. */
export interface AudienceQuery {
  readonly topic: number
  /** Handling code of the envelope, 0..4. */
  readonly hc: number
  /** 0: everybody who may read the topic. 1: the members in `to`. */
  readonly mode: 0 | 1
  /** Member numbers, strictly ascending; empty: the unit only. */
  readonly to?: readonly number[]
  /** Creation time of the envelope. */
  readonly t: EpochMs
  /** A release (kind 4, mode 1): `to` may name any active member; clearance is the device's own. */
  readonly release?: boolean
}

/** `SHA-256("sir/1 aud" || for each: u32(device) || kid)`. */
export const audienceHash = (recipients: readonly Recipient[]): Uint8Array =>
  sha256(utf8('sir/1 aud'), concat(...recipients.flatMap(({ dev, kid }) => [u32(dev), kid])))

/** How many audiences one directory remembers: the topics and code of a busy hour. */
const rememberedMax = 512

/** Remembers audiences: the relay needs one per envelope and they rarely change. */
export class AudienceBook {
  readonly #state: DirectoryState
  readonly #known: Map<string, Result<Audience, ErrorCode>> = new Map()

  constructor(state: DirectoryState) {
    this.#state = state
  }

  /** The audience as of `size`. */
  find(q: AudienceQuery, size: number): Result<Audience, ErrorCode> {
    const key = this.#key(q, size)
    const known = this.#known.get(key)
    if (known !== undefined) {
      // Moved to the end, so that the oldest unused goes first.
      this.#known.delete(key)
      this.#known.set(key, known)
      return known
    }
    const found = computeAudience(this.#state, q, size)
    if (this.#known.size >= rememberedMax) {
      for (const oldest of this.#known.keys()) {
        this.#known.delete(oldest)
        break
      }
    }
    this.#known.set(key, found)
    return found
  }

  /** Time enters by its key week and by the enrolments that hold at it, not by the millisecond. */
  #key(q: AudienceQuery, size: number): string {
    const to = q.to === undefined ? '-' : q.to.join()
    const when = `${this.#state.week(q.t)} ${this.#state.boundaryBefore(q.t)}`
    return `${size} ${q.topic} ${q.hc} ${q.mode} ${q.release === true} ${when} ${to}`
  }
}

/** Computes an audience without memory. */
export function computeAudience(
  state: DirectoryState,
  q: AudienceQuery,
  size: number,
): Result<Audience, ErrorCode> {
  const topic = state.topics.get(q.topic)
  if (topic === undefined || q.topic >= size) return err('topic_unknown')
  if (!toIsValid(state, q, size)) return err('audience_invalid')
  const found = collect(state, q, size)
  if (found.flu.length === 0) return err('no_flu')
  const recipients = [...found.flu, ...found.others]
  if (recipients.length > limits.recipientsMax) return err('audience_too_large')
  return ok({
    recipients,
    hash: audienceHash(recipients),
    fluCount: found.flu.length,
    withoutKey: found.withoutKey,
  })
}

function toIsValid(state: DirectoryState, q: AudienceQuery, size: number): boolean {
  const to = q.to ?? []
  if (q.mode === 0) return to.length === 0 && q.release !== true
  return to.every(
    (mem, i) =>
      (i === 0 || mem > (to[i - 1] as number)) &&
      state.memberActive(mem, size) &&
      (q.release === true || memberMayRead(state, mem, q.topic, size)),
  )
}

const memberMayRead = (state: DirectoryState, mem: number, top: number, size: number): boolean =>
  state.isFlu(mem, size) || state.grant(top, mem, size)?.read === true

interface Found {
  readonly flu: readonly Recipient[]
  readonly others: readonly Recipient[]
  readonly withoutKey: readonly number[]
}

function collect(state: DirectoryState, q: AudienceQuery, size: number): Found {
  const week = state.week(q.t)
  const limitOf = clearanceLimits(state, q, size)
  const keyed: { readonly flu: boolean; readonly recipient: Recipient }[] = []
  const without: { readonly flu: boolean; readonly dev: number }[] = []
  for (const device of state.devices.values()) {
    if (device.num >= size) break
    const limit = limitOf(device)
    const entitled = limit === 'flu' || Math.min(limit, device.clearance) >= q.hc
    if (!entitled || device.role === 'administrator') continue
    if (!state.deviceActive(device.num, q.t, size)) continue
    const kid = state.kid(device.num, week, size)
    const flu = limit === 'flu'
    if (kid === null) without.push({ flu, dev: device.num })
    else keyed.push({ flu, recipient: { dev: device.num, kid } })
  }
  return {
    flu: keyed.filter((one) => one.flu).map((one) => one.recipient),
    others: keyed.filter((one) => !one.flu).map((one) => one.recipient),
    withoutKey: [...without.filter((o) => o.flu), ...without.filter((o) => !o.flu)].map(
      (one) => one.dev,
    ),
  }
}

/**
 * Highest handling code that a device's member may receive here, looked up once per member:
 * `'flu'` for the unit, whatever its grants; -1 for members who receive nothing.
 */
function clearanceLimits(
  state: DirectoryState,
  q: AudienceQuery,
  size: number,
): (device: DeviceRecord) => number | 'flu' {
  const named = new Set(q.to ?? [])
  const limits = new Map<number, number | 'flu'>()
  const compute = (mem: number): number | 'flu' => {
    if (state.isFlu(mem, size)) return 'flu'
    if (q.mode === 1 && !named.has(mem)) return -1
    if (q.release === true) return 4
    const grant = state.grant(q.topic, mem, size)
    return grant?.read === true ? grant.clearance : -1
  }
  return ({ mem }) => {
    const known = limits.get(mem)
    if (known !== undefined) return known
    const limit = compute(mem)
    limits.set(mem, limit)
    return limit
  }
}
