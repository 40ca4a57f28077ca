import type { EpochMs } from './brand.ts'

/** Where "now" comes from; injected everywhere so that tests own time. */
export type Clock = () => EpochMs

/** The machine's wall clock. The only reader of `Date.now`. */
export const systemClock: Clock = () => Date.now() as EpochMs

/** Marks a number as milliseconds since 1970. */
export const epochMs = (ms: number): EpochMs => ms as EpochMs

/** Length of one key week. */
export const weekMs: number = 7 * 24 * 3600 * 1000

/**
 * The week of a network that contains `t`: 0 in the first seven days after genesis.
 * Times before genesis fall into week 0, so that a slow clock does not name a negative week.
 */
export const weekOf = (t: EpochMs, genesisT: EpochMs): number =>
  Math.max(0, Math.floor((t - genesisT) / weekMs))
