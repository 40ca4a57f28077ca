import { clientLimits } from './limits.ts'

/** A number in [0, 1). */
export type Random = () => number

/** Draws from the system's generator; quality does not matter here, but there is only one source. */
export const systemRandom: Random = () => {
  const [n = 0] = globalThis.crypto.getRandomValues(new Uint32Array(1))
  return n / 2 ** 32
}

/** Bounds of the pause before connecting again, ms: the first, and the longest. */
export interface ReconnectBounds {
  readonly minMs: number
  readonly maxMs: number
}

/** Unless the program says otherwise. */
export const usualBounds: ReconnectBounds = {
  minMs: clientLimits.backoffMsMin,
  maxMs: clientLimits.backoffMsMax,
}

/**
 * How long to wait before the n-th try in a row, with full jitter: anything between nothing and the
 * doubled bound, so that thousands of clients do not come back at once. The relay's advice comes on
 * top as a floor.
 *
 * @param failures Failed tries so far, from 0.
 * @returns Milliseconds.
 */
export function backoffMs(
  failures: number,
  random: Random,
  adviceMs = 0,
  bounds: ReconnectBounds = usualBounds,
): number {
  const bound = Math.min(bounds.maxMs, bounds.minMs * 2 ** failures)
  return adviceMs + Math.floor(random() * bound)
}
