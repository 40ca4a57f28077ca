import { adminsInForce, type Directory, type DirectoryPage, type EpochMs } from '@liaison/protocol'
import { relayLimits } from '../limits.ts'
import type { Principal } from '../relay.ts'

/** What the registry knows of an authenticated session. */
export interface LiveSession {
  readonly principal: Principal
  /** Throws away what is unsent and cuts the connection in this very turn. */
  reset(): void
  /** Says why and closes. */
  end(code: 'shutting_down' | 'rate_limited', retryAfterMs: number): void
  directoryGrew(page: DirectoryPage): void
  topicGrew(topic: number): void
  acksGrew(member: number): void
  /** Ends subscriptions to topics that the device may no longer read. */
  recheckRights(): void
  /** Deliver frames sent and not yet taken in. */
  outstanding(): number
}

/** All authenticated sessions of this relay. */
export class Sessions {
  readonly #live = new Set<LiveSession>()
  readonly #grownTopics = new Set<number>()
  readonly #grownAcks = new Set<number>()
  #waking = false

  get size(): number {
    return this.#live.size
  }

  /** Deliver frames sent and not yet taken in, over all sessions. */
  outstanding(): number {
    let frames = 0
    for (const session of this.#live) frames += session.outstanding()
    return frames
  }

  /** Registers a session; a device that has too many loses its oldest. */
  add(session: LiveSession): void {
    this.#live.add(session)
    const { principal } = session
    if (principal.kind !== 'device') return
    const own = [...this.#live].filter(
      (s) => s.principal.kind === 'device' && s.principal.dev === principal.dev,
    )
    for (const old of own.slice(0, -relayLimits.sessionsPerDeviceMax)) old.end('rate_limited', 1000)
  }

  remove(session: LiveSession): void {
    this.#live.delete(session)
  }

  /**
   * Resets every session whose principal may no longer be connected, and rechecks the rights of the
   * others. @returns the device numbers that were cut off, one for each socket.
   */
  enforce(directory: Directory, now: EpochMs): number[] {
    const cut: number[] = []
    const administrators = new Set(adminsInForce(directory.admins()).map((admin) => admin.num))
    for (const session of [...this.#live]) {
      const { principal } = session
      if (principal.kind === 'administrator') {
        if (!administrators.has(principal.adm)) session.reset()
      } else if (!directory.deviceActive(principal.dev, now)) {
        session.reset()
        cut.push(principal.dev)
      } else {
        session.recheckRights()
      }
    }
    return cut
  }

  /** Resets every session. */
  resetAll(): void {
    for (const session of [...this.#live]) session.reset()
  }

  announceDirectory(page: () => DirectoryPage): void {
    if (this.#live.size === 0) return
    const made = page()
    for (const session of this.#live) session.directoryGrew(made)
  }

  /** Wakes readers of the topic, once for all that is accepted in this turn of the event loop. */
  topicGrew(topic: number): void {
    this.#grownTopics.add(topic)
    this.#wakeSoon()
  }

  /** The same for readers of a member's acknowledgements. */
  acksGrew(member: number): void {
    this.#grownAcks.add(member)
    this.#wakeSoon()
  }

  #wakeSoon(): void {
    if (this.#waking) return
    this.#waking = true
    setImmediate(() => {
      this.#waking = false
      const topics = [...this.#grownTopics]
      const members = [...this.#grownAcks]
      this.#grownTopics.clear()
      this.#grownAcks.clear()
      for (const session of this.#live) {
        for (const topic of topics) session.topicGrew(topic)
        for (const member of members) session.acksGrew(member)
      }
    })
  }

  /** Asks every session to come back later, spread over time. */
  endAll(code: 'shutting_down', retryAfterMs: (index: number) => number): void {
    let index = 0
    for (const session of [...this.#live]) session.end(code, retryAfterMs(index++))
  }
}
