import { clientLimits } from './limits.ts'

/** A number in [0, 1). */
export type Random = () => number

/** Draws from the system's generator; quality does not matter here, but there is only one source. */
export const systemRandom: Random = () => {
  const [n = 0] = globalThis.crypto.getRandomValues(new Uint32Array(1))
  return n / 2 ** 32
}

/**
 * How long to wait before the n-th try in a row, with full jitter: anything between nothing and the
 * doubled bound, so that thousands of clients do not come back at once. The relay's advice comes on
 * top as a floor.
 *
 * @param failures Failed tries so far, from 0.
 * @returns Milliseconds.
 */
export function backoffMs(failures: number, random: Random, adviceMs = 0): number {
  const bound = Math.min(clientLimits.backoffMsMax, clientLimits.backoffMsMin * 2 ** failures)
  return adviceMs + Math.floor(random() * bound)
}
