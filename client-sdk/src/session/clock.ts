import { type Clock, type Directory, type EpochMs, epochMs, limits } from '@liaison/protocol'

/**
 * Time as this device may use it: never earlier than what signed entries prove, so that a clock set
 * back does not make old things valid again.
 */
export class ProvenClock {
  readonly #clock: Clock
  readonly #directory: Directory
  /** Relay time minus local time at the last session, ms; null before the first. */
  #relayAheadMs: number | null = null

  constructor(clock: Clock, directory: Directory) {
    this.#clock = clock
    this.#directory = directory
  }

  /** Present time, ms. */
  now(): EpochMs {
    return epochMs(Math.max(this.#clock(), this.#directory.time))
  }

  /** Notes the relay's clock; it is compared, never adopted. */
  heardRelay(t: number): void {
    this.#relayAheadMs = t - this.#clock()
  }

  /** Relay time minus local time when the relay last let this device in, ms; null before. */
  get relayAheadMs(): number | null {
    return this.#relayAheadMs
  }

  /**
   * By how much the clocks differ when that is too much to publish, else null; ms, the other clock
   * minus this machine's. The other one is the relay's, or that of the newest directory entry: a relay
   * that lies can bring in an entry of any date with the help of one stolen device.
   */
  get skewMs(): number | null {
    const ahead = this.#relayAheadMs
    if (ahead !== null && Math.abs(ahead) > limits.clockAheadMsMax) return ahead
    const logAhead = this.#directory.time - this.#clock()
    return logAhead > limits.clockAheadMsMax ? logAhead : null
  }
}
