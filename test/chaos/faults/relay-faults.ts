import { pause } from '../world/processes.ts'
import { type FaultKind, relayOf, someMs } from './kind.ts'

/** What happens to relay processes. */
export const relayFaults: readonly FaultKind[] = [
  {
    name: 'relay-kill',
    what: 'a relay is killed and started again',
    lane: 'servers',
    draw: (random) => ({ relay: random.integer(3), awayMs: someMs(random, 0, 1_500) }),
    async run(world, draw) {
      const relay = relayOf(world, draw)
      await relay.kill()
      await pause(draw['awayMs'] ?? 0)
      await relay.start()
    },
  },
  {
    name: 'relay-pause',
    what: 'a relay holds still, often for longer than its lease',
    lane: 'servers',
    draw: (random) => ({ relay: random.integer(3), ms: someMs(random, 100, 9_000) }),
    async run(world, draw) {
      const relay = relayOf(world, draw)
      relay.signal('SIGSTOP')
      await pause(draw['ms'] ?? 0)
      relay.signal('SIGCONT')
    },
  },
  {
    name: 'rolling-restart',
    what: 'all relays are stopped in good order and started again, one after the other',
    lane: 'servers',
    draw: () => ({}),
    async run(world) {
      for (const relay of world.relays) {
        await relay.stop()
        await relay.start()
      }
    },
  },
  {
    name: 'clock-step',
    what: 'the clock of a relay jumps, a little or by an hour',
    lane: 'servers',
    draw: (random) => ({
      relay: random.integer(3),
      stepMs: random.pick([-3_600_000, -10_000, 60_000, 3_600_000]),
      ms: someMs(random, 500, 2_500),
    }),
    async run(world, draw) {
      const relay = relayOf(world, draw)
      await relay.setClock(draw['stepMs'] ?? 0)
      await pause(draw['ms'] ?? 0)
      await relay.setClock(0)
    },
  },
]
