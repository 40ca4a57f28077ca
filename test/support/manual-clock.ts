import { type Clock, type EpochMs, epochMs } from '@liaison/protocol'

/** A clock that stands still until a test moves it. */
export interface ManualClock extends Clock {
  /** Moves the clock forward by so many milliseconds. */
  advance(ms: number): void
  /** Sets the clock to a point in time; backwards too, as clocks of machines do. */
  set(to: number): void
}

/** Makes a clock that stands at `start`, in milliseconds since 1970. */
export function manualClock(start = Date.UTC(2013, 2, 17)): ManualClock {
  let now = epochMs(start)
  const read = (): EpochMs => now
  return Object.assign(read, {
    advance(ms: number) {
      now = epochMs(now + ms)
    },
    set(to: number) {
      now = epochMs(to)
    },
  })
}
