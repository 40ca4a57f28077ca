import { type Clock, type EpochMs, epochMs } from '@liaison/protocol'

/** A clock that stands still until the test moves it. */
export interface ManualClock extends Clock {
  /** Moves it forward by so many milliseconds. */
  advance(ms: number): void
}

/** Makes a clock that stands at `start`, ms since 1970. */
export function manualClock(start: number = Date.UTC(2026, 0, 5)): ManualClock {
  let now: EpochMs = epochMs(start)
  const read = (): EpochMs => now
  return Object.assign(read, {
    advance(ms: number): void {
      now = epochMs(now + ms)
    },
  })
}
