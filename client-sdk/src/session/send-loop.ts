import { type Directory, type ErrorCode, errorRow, type RelayError } from '@liaison/protocol'
import { isLinkTrouble } from '../inbox/ack-queue.ts'
import type { Outbox } from '../outbox/outbox.ts'
import type { ProvenClock } from './clock.ts'
import type { Pulse } from './emitter.ts'
import { asRelayError } from './endings.ts'
import { clientLimits } from './limits.ts'
import type { Link } from './link.ts'
import { Pause } from './pause.ts'

/** What sending needs. */
export interface SendLoopDeps {
  readonly outbox: Outbox
  /** Beats when there is something to do. */
  readonly work: Pulse
  readonly stop: AbortSignal
  /** Called with an error after which sending on this link is pointless. */
  readonly onFailure: (link: Link, error: RelayError) => void
}

/** Sends what is in the outbox, round after round, for as long as a link is there. */
export class SendLoop {
  readonly #deps: SendLoopDeps
  #waiting: ErrorCode | null = null

  constructor(deps: SendLoopDeps) {
    this.#deps = deps
  }

  /** Why nothing is sent now, or null. */
  get waiting(): ErrorCode | null {
    return this.#waiting
  }

  /** Sends until the link is not the present one any more. */
  async run(link: Link, isPresent: () => boolean): Promise<void> {
    const { outbox, work, stop, onFailure } = this.#deps
    while (isPresent() && !stop.aborted) {
      const next = work.next(stop)
      try {
        const round = await outbox.round(link)
        this.#waiting = round.kind === 'wait' ? round.code : null
        if (round.kind === 'more') continue
        if (round.kind === 'wait') await this.#pause(round.ms, link)
        else await Promise.race([next, link.closed])
      } catch (error) {
        if (isLinkTrouble(error)) return
        const known = asRelayError(error)
        this.#waiting = known.code
        if (errorRow(known.code).retry === 'never') return onFailure(link, known)
        await this.#pause(known.retryAfterMs ?? clientLimits.publishRetryMs, link)
      }
    }
  }

  async #pause(ms: number, link: Link): Promise<void> {
    const pause = new Pause(ms, this.#deps.stop)
    await Promise.race([pause.over, link.closed])
    pause.end()
  }
}

/**
 * Why nothing may be published now, or null.
 *
 * @param fresh Whether the checkpoint of the present connection was verified.
 */
export function whyNotPublish(
  directory: Directory,
  clock: ProvenClock,
  fresh: boolean,
): ErrorCode | null {
  if (!fresh) return 'checkpoint_stale'
  if (clock.skewMs !== null) return 'clock_skew'
  const { need } = directory.policy().freshness
  // Cosignatures are not part of this release; a network that demands them is not sent to.
  return need.flu + need.admin + need.witness > 0 ? 'checkpoint_stale' : null
}
