import { randomBytes, toHex } from '@liaison/protocol'
import { relayLimits } from '../limits.ts'
import type { ViewLeases } from '../log/view-leases.ts'

/** What a lease needs to know of its relay. */
export interface ViewLeaseDeps {
  /** Null when this process owns the log: it always has the newest directory. */
  readonly leases: ViewLeases | null
  /** Number of the relay in the directory; only makes the instance easier to recognise. */
  readonly relayNumber: number
  readonly monotonic: () => number
  /** Size of the directory that this relay enforces. */
  readonly enforced: () => number
  /** Takes over what other relays appended. */
  readonly follow: () => Promise<void>
  /** The view may be stale from this turn on: nothing that was prepared may leave. */
  readonly lost: () => void
  readonly failed: (error: unknown) => void
}

/**
 * This relay's right to act on its view of the directory. Several relays share one log, so one of them
 * may not know yet that a device was suspended at another. Each therefore holds a short lease that is
 * renewed only for the newest directory, and serves nobody without it; whoever appends an entry waits
 * until every holder enforces it or no older lease can still be held.
 *
 * All durations are counted on the monotonic clock of the process that uses them. A lease counts from
 * before its renewal was sent; so it ends, at the latest, `leaseMs` after the log last gave it.
 */
export class ViewLease {
  readonly #deps: ViewLeaseDeps
  readonly #instance: string
  #heldUntil = 0
  #wasHeld = false
  #timer: NodeJS.Timeout | undefined
  #watch: NodeJS.Timeout | undefined
  #renewing: Promise<void> | null = null
  #again = false
  #closed = false

  constructor(deps: ViewLeaseDeps) {
    this.#deps = deps
    this.#instance = `${deps.relayNumber}-${toHex(randomBytes(8))}`
  }

  /** Whether this relay may serve anybody in this very turn. */
  held(): boolean {
    if (this.#deps.leases === null) return true
    if (this.#deps.monotonic() < this.#heldUntil) return true
    if (this.#wasHeld) {
      this.#wasHeld = false
      this.#deps.lost()
    }
    return false
  }

  /** Takes the first lease and goes on renewing. @throws RelayError `log_unavailable` */
  async start(): Promise<void> {
    if (this.#deps.leases === null) return
    await this.#renewOnce()
    this.#timer = setInterval(() => this.renew(), relayLimits.leaseRenewMs)
    // After a pause of the process nothing that waited may go out: whatever wakes first checks.
    this.#watch = setInterval(() => this.held(), relayLimits.leaseWatchMs)
    this.#timer.unref()
    this.#watch.unref()
  }

  /** Renews now, for instance to say at once that a new entry is enforced. */
  renew(): void {
    if (this.#closed || this.#deps.leases === null) return
    if (this.#renewing !== null) {
      this.#again = true
      return
    }
    this.#renewing = this.#renewOnce()
      .catch((error: unknown) => this.#deps.failed(error))
      .finally(() => {
        this.#renewing = null
        if (!this.#again) return
        this.#again = false
        this.renew()
      })
  }

  async #renewOnce(): Promise<void> {
    const { leases, monotonic, enforced, follow } = this.#deps
    if (leases === null) return
    for (let tries = 0; tries < relayLimits.leaseTriesMax && !this.#closed; tries++) {
      const began = monotonic()
      const renewal = await leases.renew(this.#instance, enforced())
      if (renewal === 'renewed') {
        this.#heldUntil = Math.max(this.#heldUntil, began + relayLimits.leaseMs)
        this.#wasHeld = true
        return
      }
      await follow()
    }
  }

  /**
   * Resolves when no relay serves anybody on a directory smaller than `size` any more: all have said
   * so, or their leases have run out. Call it once the entry is safe in the log.
   */
  async settled(size: number): Promise<void> {
    const { leases, monotonic } = this.#deps
    if (leases === null) return
    this.renew()
    const { leaseMs, leaseMarginMs, leasePollMs } = relayLimits
    const until = monotonic() + leaseMs + leaseMarginMs
    for (;;) {
      const behind = await this.#behind(leases, size)
      if (behind !== null && behind.length === 0) return
      if (monotonic() >= until) {
        // Their leases have run out; only a renewal for the newest directory brings them back.
        for (const [instance, seen] of behind ?? []) {
          await leases.leave(instance, seen).catch((error: unknown) => this.#deps.failed(error))
        }
        return
      }
      await new Promise((resolve) => setTimeout(resolve, leasePollMs))
    }
  }

  /** Holders that do not enforce so much yet; null when the list itself cannot be relied on. */
  async #behind(leases: ViewLeases, size: number): Promise<(readonly [string, string])[] | null> {
    // After a change of server the list may lack a relay that still counts on its lease.
    if (leases.upMs() < relayLimits.leaseMs + relayLimits.leaseMarginMs) return null
    try {
      const holders = await leases.holders()
      return holders
        .filter(([[instance], enforced]) => instance !== this.#instance && enforced < size)
        .map(([holder]) => holder)
    } catch {
      return null
    }
  }

  /** Gives the lease back: nobody needs to wait for this relay. */
  async stop(): Promise<void> {
    this.#closed = true
    clearInterval(this.#timer)
    clearInterval(this.#watch)
    await this.#renewing
    this.#heldUntil = 0
    this.#wasHeld = false
    await this.#deps.leases?.leave(this.#instance).catch(() => undefined)
  }
}
