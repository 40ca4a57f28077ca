import { pause } from '../world/processes.ts'
import { type FaultKind, relayOf, someMs } from './kind.ts'

/** What happens to connections. */
export const wireFaults: readonly FaultKind[] = [
  {
    name: 'relay-store-cut',
    what: 'a relay and its store no longer hear each other, or one of them does not',
    lane: 'servers',
    draw: (random) => ({
      relay: random.integer(3),
      way: random.integer(3),
      ms: someMs(random, 500, 7_000),
    }),
    async run(world, draw) {
      const wires = world.store.wiresOf(relayOf(world, draw).number)
      wires?.cut((['both', 'up', 'down'] as const)[draw['way'] ?? 0])
      await pause(draw['ms'] ?? 0)
      wires?.heal()
    },
  },
  {
    name: 'relay-client-cut',
    what: 'the clients of a relay and the relay no longer hear each other, or one side does not',
    lane: 'servers',
    draw: (random) => ({
      relay: random.integer(3),
      way: random.integer(3),
      ms: someMs(random, 500, 5_000),
    }),
    async run(world, draw) {
      const { wires } = relayOf(world, draw)
      wires.cut((['both', 'up', 'down'] as const)[draw['way'] ?? 0])
      await pause(draw['ms'] ?? 0)
      wires.heal()
    },
  },
  {
    name: 'slow-link',
    what: 'the links to a relay become slow and narrow',
    lane: 'clients',
    draw: (random) => ({
      relay: random.integer(3),
      delayMs: 50 + random.integer(450),
      bytesPerSecond: random.pick([8_000, 64_000, 512_000]),
      ms: someMs(random, 1_500, 4_000),
    }),
    async run(world, draw) {
      const { wires } = relayOf(world, draw)
      wires.slow(draw['delayMs'] ?? 0, draw['bytesPerSecond'] ?? null)
      await pause(draw['ms'] ?? 0)
      wires.heal()
    },
  },
  {
    name: 'reset-after',
    what: 'connections to a relay are reset in the middle, again and again',
    lane: 'clients',
    draw: (random) => ({
      relay: random.integer(3),
      bytes: 500 + random.integer(60_000),
      ms: someMs(random, 1_000, 3_000),
    }),
    async run(world, draw) {
      const { wires } = relayOf(world, draw)
      wires.resetAfter = draw['bytes'] ?? 0
      wires.reset()
      await pause(draw['ms'] ?? 0)
      wires.heal()
      wires.reset()
    },
  },
]
