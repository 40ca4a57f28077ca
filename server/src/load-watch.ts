import { monitorEventLoopDelay } from 'node:perf_hooks'
import { getHeapStatistics } from 'node:v8'
import { relayLimits } from './limits.ts'

/** What a relay measures of itself. */
export interface Load {
  /** 99 of 100 turns of the event loop were no later than that, ms. */
  readonly loopDelayMs: number
  /** Percent of the permitted heap that is in use. */
  readonly heapUsedPercent: number
}

/** Whether so much load is too much for taking on more. */
export const isTooMuch = ({ loopDelayMs, heapUsedPercent }: Load): boolean =>
  loopDelayMs > relayLimits.loopDelayMsMax || heapUsedPercent > relayLimits.heapUsedPercentMax

/** A relay without work. */
export const idle: Load = { loopDelayMs: 0, heapUsedPercent: 0 }

/**
 * Watches how late the event loop is and how full the heap. While either is too much, new connections
 * and reports are sent away for a while, so that those that are here are served in time.
 */
export class LoadWatch implements Disposable {
  readonly #delays = monitorEventLoopDelay({ resolution: 20 })
  readonly #timer: NodeJS.Timeout
  #latest: Load = idle
  #before: Load = idle

  constructor() {
    this.#delays.enable()
    this.#timer = setInterval(() => this.#look(), relayLimits.loadWatchMs)
    this.#timer.unref()
  }

  /** The better of the last two looks: one late moment is no overload. */
  get latest(): Load {
    const [a, b] = [this.#latest, this.#before]
    return {
      loopDelayMs: Math.min(a.loopDelayMs, b.loopDelayMs),
      heapUsedPercent: Math.min(a.heapUsedPercent, b.heapUsedPercent),
    }
  }

  #look(): void {
    const { heap_size_limit: limit, used_heap_size: used } = getHeapStatistics()
    this.#before = this.#latest
    this.#latest = {
      loopDelayMs: this.#delays.percentile(99) / 1e6,
      heapUsedPercent: (100 * used) / limit,
    }
    this.#delays.reset()
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
    this.#delays.disable()
  }
}
