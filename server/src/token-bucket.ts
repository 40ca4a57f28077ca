/** A burst, and a refill per second: the usual bound on how much one party may ask for. */
export class TokenBucket {
  readonly #burst: number
  readonly #perSecond: number
  #tokens: number
  #at: number

  /** @param now Monotonic time, ms. */
  constructor(burst: number, perSecond: number, now: number) {
    this.#burst = burst
    this.#perSecond = perSecond
    this.#tokens = burst
    this.#at = now
  }

  /** Takes `n` tokens. @returns 0, or how long to wait before that many are there, ms. */
  take(n: number, now: number): number {
    const refill = ((now - this.#at) / 1000) * this.#perSecond
    this.#tokens = Math.min(this.#burst, this.#tokens + Math.max(0, refill))
    this.#at = now
    if (this.#tokens >= n) {
      this.#tokens -= n
      return 0
    }
    return Math.ceil(((n - this.#tokens) / this.#perSecond) * 1000)
  }

  /** Adds tokens that were earned otherwise; never more than the burst. */
  give(n: number): void {
    this.#tokens = Math.min(this.#burst, this.#tokens + n)
  }
}
