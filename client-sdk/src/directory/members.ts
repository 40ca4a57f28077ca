import {
  type Device,
  type Directory,
  type EpochMs,
  type Member,
  memberFingerprint,
  RelayError,
} from '@liaison/protocol'
import { decodeCbor, encodeCbor } from '@liaison/protocol/internal'
import type { Pulse } from '../session/emitter.ts'
import type { ClientStore } from '../store/client-store.ts'

/** That a person compared the safety number of a member with somebody there. */
export interface Verification {
  /** How, in the words of that person: `by voice`, `face to face`. */
  readonly how: string
  /** When, ms. */
  readonly t: number
  /** Whether the number is still the one that was compared; false after a device came or went. */
  readonly current: boolean
}

/** A member of the network, with its devices in force. */
export interface MemberEntry extends Member {
  readonly devices: readonly Device[]
  /** Null when nobody at this device has compared the number. */
  readonly verification: Verification | null
}

/** What was compared, by number of the member. */
export type VerifiedMembers = Map<
  number,
  { readonly number: string; readonly how: string; readonly t: number }
>

/** What the members need. */
export interface MembersDeps {
  readonly directory: Directory
  readonly store: ClientStore
  readonly clock: () => EpochMs
  /** Beats when entries were added to the directory. */
  readonly changed: Pulse
  /** Whether the session has ended for good. */
  readonly isClosed: () => boolean
  readonly verified: VerifiedMembers
}

const keyOf = (num: number | ''): string => `verified/${num}`

/** Reads from the store what was compared before. */
export async function readVerified(store: ClientStore): Promise<VerifiedMembers> {
  const verified: VerifiedMembers = new Map()
  for (const [key, bytes] of await store.list('state', { prefix: keyOf('') })) {
    const decoded = decodeCbor(bytes)
    if (!decoded.ok) throw new RelayError('store_unavailable', { field: key })
    const [number, how, t] = decoded.value as unknown as readonly [string, string, number]
    verified.set(Number(key.slice(keyOf('').length)), { number, how, t })
  }
  return verified
}

/** The members of the network as this device knows them, and which of them its people have verified. */
export class Members {
  readonly #deps: MembersDeps

  /** Internal: `session.members` is the one of a session. */
  constructor(deps: MembersDeps) {
    this.#deps = deps
  }

  /** All members, suspended ones too, by ascending number. */
  list(): readonly MemberEntry[] {
    return this.#deps.directory.members().map((member) => this.#entryOf(member))
  }

  /** The member with this code, or null. */
  get(code: string): MemberEntry | null {
    const member = this.#deps.directory.memberByCode(code)
    return member === null ? null : this.#entryOf(member)
  }

  /**
   * Forty digits that stand for all devices of a member: two people compare them by voice, and from then
   * on a device that somebody slips in is noticed. The same on every machine of the network.
   *
   * @throws RelayError `subject_unknown`
   */
  safetyNumber(code: string): string {
    return this.#number(this.#member(code))
  }

  /**
   * Remembers that the present number was compared.
   *
   * @param how In a few words, for whoever asks later; at most 100 characters.
   * @throws RelayError `subject_unknown`
   */
  async markVerified(code: string, how: string): Promise<void> {
    const { num } = this.#member(code)
    const stored = {
      number: this.safetyNumber(code),
      how: how.slice(0, 100),
      t: this.#deps.clock(),
    }
    const value = encodeCbor([stored.number, stored.how, stored.t])
    await this.#deps.store.commit([{ table: 'state', key: keyOf(num), value }])
    this.#deps.verified.set(num, stored)
  }

  /** Whether the people of this device have verified the member of a device, at whatever time. */
  hasVerified(device: number): boolean {
    const found = this.#deps.directory.device(device)
    return found !== null && this.#deps.verified.has(found.mem)
  }

  /** Yields the size of the directory now, and whenever it has grown; ends with the session or the signal. */
  async *watch(o: { readonly signal?: AbortSignal } = {}): AsyncGenerator<number> {
    const { directory, changed, isClosed } = this.#deps
    let told = -1
    for (;;) {
      const next = changed.next(o.signal)
      if (o.signal?.aborted === true) return
      if (directory.size !== told) {
        told = directory.size
        yield told
      }
      if (isClosed()) return
      await next
    }
  }

  #member(code: string): Member {
    const member = this.#deps.directory.memberByCode(code)
    if (member === null) throw new RelayError('subject_unknown', { field: code })
    return member
  }

  #devices({ num }: Member): Device[] {
    const { directory, clock } = this.#deps
    const now = clock()
    return directory
      .devices()
      .filter((device) => device.mem === num && directory.deviceActive(device.num, now))
  }

  #number(member: Member): string {
    const keys = this.#devices(member).map((device) => device.identityKey)
    return memberFingerprint(this.#deps.directory.net, member.num, keys)
  }

  #entryOf(member: Member): MemberEntry {
    const stored = this.#deps.verified.get(member.num)
    return {
      ...member,
      devices: this.#devices(member),
      verification:
        stored === undefined
          ? null
          : { how: stored.how, t: stored.t, current: stored.number === this.#number(member) },
    }
  }
}
