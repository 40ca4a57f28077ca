import type { RelayError } from '@liaison/protocol'
import { backoffMs } from './backoff.ts'
import { asRelayError, Endings } from './endings.ts'
import { clientLimits } from './limits.ts'
import { Link, type Unasked } from './link.ts'
import { LinkCounters } from './link-stats.ts'
import { Pause } from './pause.ts'
import type { DeviceSessionDeps } from './session-parts.ts'

/** A connection that lasted so long, ms, ends the series of failures before it. */
const steadyMs = 10_000

/** What a session does with its connections. */
export interface ConnectionHooks {
  readonly onState: (state: 'connecting' | 'online' | 'offline') => void
  readonly onFrame: (link: Link, frame: Unasked) => void
  /** Readies a link that let this device in; it calls `admit` once the link may be used. */
  readonly welcome: (link: Link) => Promise<void>
  /** Works with a link until `isPresent` is false. */
  readonly use: (link: Link, isPresent: () => boolean) => Promise<void>
  /** Called after a link has ended. */
  readonly onEnded: () => void
}

/** Connects, and connects again after a pause, until that is pointless or not wanted any more. */
export class Connections {
  readonly counters: LinkCounters = new LinkCounters()
  readonly #deps: DeviceSessionDeps
  readonly #stop: AbortSignal
  readonly #hooks: ConnectionHooks
  readonly #endings: Endings
  #link: Link | null = null
  /** Why this device itself ended a link. */
  readonly #failures = new WeakMap<Link, RelayError>()
  /** The pause before the next connection; null when there is none, or it must be kept. */
  #pause: Pause | null = null
  /** When this connection was let in, on the monotonic clock, ms. */
  #onlineSince = Number.POSITIVE_INFINITY

  constructor(deps: DeviceSessionDeps, stop: AbortSignal, hooks: ConnectionHooks) {
    this.#deps = deps
    this.#stop = stop
    this.#hooks = hooks
    this.#endings = new Endings(deps.url)
  }

  /** The present link, or null. */
  get link(): Link | null {
    return this.#link
  }

  /** From now on this is the present link. */
  admit(link: Link): void {
    this.#link = link
  }

  /** Looks for a link soon, unless the relay has asked for a pause. */
  nudge(): void {
    this.#pause?.shorten(clientLimits.backoffMsMin)
  }

  /** Ends a link because of something that went wrong on it. */
  fail(link: Link, error: RelayError): void {
    this.#failures.set(link, error)
    link.close()
  }

  /** @returns why it is pointless to go on; null when it was stopped. */
  async run(): Promise<RelayError | null> {
    let failures = 0
    while (!this.#stop.aborted) {
      this.#hooks.onState(failures === 0 ? 'connecting' : 'offline')
      this.#onlineSince = Number.POSITIVE_INFINITY
      const ended = await this.#connection()
      if (this.#stop.aborted) break
      if (performance.now() - this.#onlineSince > steadyMs) {
        failures = 0
        this.#endings.forget()
      }
      if (this.#endings.isFinal(ended)) return ended
      await this.#rest(ended, failures)
      failures++
    }
    return null
  }

  async #rest(ended: RelayError, failures: number): Promise<void> {
    this.#hooks.onState('offline')
    const advice = ended.retryAfterMs ?? 0
    const { random, reconnect, log } = this.#deps
    const pauseMs = backoffMs(failures, random, advice, reconnect)
    log({ level: 'info', event: 'link-ended', code: ended.code, pauseMs })
    const pause = new Pause(pauseMs, this.#stop)
    // What the relay asks for is kept; otherwise a person need not wait for the end of it.
    this.#pause = advice > 0 ? null : pause
    await pause.over
    this.#pause = null
  }

  /** One connection from its beginning to its end. @returns why it ended. */
  async #connection(): Promise<RelayError> {
    const { url, open, local, device, identity } = this.#deps
    let link: Link
    try {
      link = await Link.connect({
        url,
        open,
        directory: local.directory,
        principal: { kind: 'device', number: device },
        key: identity.signingKey,
        signal: this.#stop,
      })
    } catch (error) {
      return asRelayError(error)
    }
    const ended = await this.#use(link)
    return this.#failures.get(link) ?? ended
  }

  async #use(link: Link): Promise<RelayError> {
    link.onFrame = (frame) => this.#hooks.onFrame(link, frame)
    try {
      await this.#hooks.welcome(link)
      this.#onlineSince = performance.now()
      this.counters.opened()
      this.#hooks.onState('online')
      const using = this.#hooks.use(link, () => this.#link === link)
      const ended = await link.closed
      // Cleared first: the work goes on for as long as this is the link.
      this.#link = null
      this.#hooks.onEnded()
      await using
      return ended
    } catch (error) {
      link.close()
      return asRelayError(error)
    } finally {
      this.counters.ended(link)
      this.#link = null
      this.#hooks.onEnded()
    }
  }
}
