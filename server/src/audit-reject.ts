import type { ErrorCode } from '@liaison/protocol'
import { errorRow } from '@liaison/protocol'
import { relayLimits } from './limits.ts'
import type { LeafPlace, RelayLog } from './log/relay-log.ts'

const hourMs = 3600 * 1000

interface Window {
  readonly since: number
  leaves: number
  /** Refusals after the cap, not yet in the log. */
  uncounted: number
}

/**
 * Writes refusals into the audit log: one leaf each, up to a cap for each device and hour, then one
 * leaf that counts the rest. Otherwise a broken client could fill the log.
 */
export class RejectAuditor {
  readonly #log: RelayLog
  readonly #windows = new Map<number, Window>()

  constructor(log: RelayLog) {
    this.#log = log
  }

  /** @returns Where the leaf stands, or null when the refusal is only counted. */
  async record(
    device: number,
    code: ErrorCode,
    object: Uint8Array,
    t: number,
  ): Promise<LeafPlace | null> {
    const window = await this.#window(device, t)
    if (window.leaves >= relayLimits.rejectLeavesPerHourMax) {
      window.uncounted += 1
      return null
    }
    window.leaves += 1
    return this.#log.appendLeaf({
      v: 1,
      t,
      e: 'reject',
      by: device,
      obj: object,
      rc: errorRow(code).n,
    })
  }

  /** Writes what was only counted; called when the relay stops. */
  async flush(t: number): Promise<void> {
    for (const [device, window] of this.#windows) await this.#close(device, window, t)
    this.#windows.clear()
  }

  async #window(device: number, t: number): Promise<Window> {
    const known = this.#windows.get(device)
    if (known !== undefined && t - known.since < hourMs) return known
    const fresh: Window = { since: t, leaves: 0, uncounted: 0 }
    this.#windows.set(device, fresh)
    if (known !== undefined) await this.#close(device, known, t)
    return fresh
  }

  async #close(device: number, window: Window, t: number): Promise<void> {
    if (window.uncounted === 0) return
    await this.#log.appendLeaf({ v: 1, t, e: 'reject', by: device, n: window.uncounted })
  }
}
