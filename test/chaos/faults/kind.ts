import type { SeededRandom } from '../../support/seeded-random.ts'
import type { World } from '../world/world.ts'

/** Values that a fault draws once, when the schedule is made. */
export type Draw = Readonly<Record<string, number>>

/** What a fault needs of the machine. */
export type Need = 'namespaces' | 'compiler'

/** A kind of fault. */
export interface FaultKind {
  readonly name: string
  /** What happens, for people. */
  readonly what: string
  /** Faults of one lane come one after the other; those of the clients beside those of the store. */
  readonly lane: 'servers' | 'clients'
  readonly needs?: Need
  draw(random: SeededRandom): Draw
  /** Makes the fault and takes it away again. @returns a text, if there is more to say */
  run(world: World, draw: Draw): Promise<unknown>
}

/** A time between two bounds, short ones more often, ms. */
export const someMs = (random: SeededRandom, min: number, max: number): number =>
  Math.round(min + (max - min) * random.next() ** 2)

/** A relay of a world by its drawn index. */
export const relayOf = (world: World, { relay = 0 }: Draw): World['relays'][number] =>
  world.relays[relay % world.relays.length] as World['relays'][number]
