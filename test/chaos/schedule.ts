import { type SeededRandom, seededRandom } from '../support/seeded-random.ts'
import type { Draw, FaultKind } from './faults/kind.ts'

/** One fault of a run, drawn before the run begins. */
export interface Planned {
  readonly kind: FaultKind
  readonly draw: Draw
}

/** More rounds than any run has time for. */
const roundsMax = 400

/**
 * The faults of one lane in their order. The seed alone decides the order and everything that is drawn,
 * so the same seed makes the same faults; how many of them a run reaches depends on the time it has.
 */
export function scheduleOf(
  seed: number,
  lane: FaultKind['lane'],
  kinds: readonly FaultKind[],
): Planned[] {
  const random = seededRandom((seed ^ (lane === 'servers' ? 0x51ab : 0xc11e)) >>> 0)
  const mine = kinds.filter((kind) => kind.lane === lane)
  return Array.from({ length: roundsMax }, () => shuffled(random, mine))
    .flat()
    .map((kind) => ({ kind, draw: kind.draw(random) }))
}

function shuffled<T>(random: SeededRandom, values: readonly T[]): T[] {
  const out = [...values]
  for (let at = out.length - 1; at > 0; at--) {
    const other = random.integer(at + 1)
    const [a, b] = [out[at] as T, out[other] as T]
    out[at] = b
    out[other] = a
  }
  return out
}
