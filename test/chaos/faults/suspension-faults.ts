import { pause } from '../world/processes.ts'
import type { World } from '../world/world.ts'
import { type Draw, type FaultKind, relayOf, someMs } from './kind.ts'

/** Time for a backlog to gather at a device that takes nothing in, ms. */
const backlogMs = 700

/**
 * Suspends the device that stands at a relay, through another relay, while something is wrong with the
 * first one. Its backlog is released when the suspension was acknowledged: nothing of it may be sent.
 */
async function suspendDuring(
  world: World,
  draw: Draw,
  begin: () => Promise<void> | void,
  end: () => Promise<void> | void,
): Promise<void> {
  const at = (draw['relay'] ?? 0) % world.relays.length
  const victim = world.victims[at]
  const other = world.relays[(at + 1) % world.relays.length]
  if (victim === undefined || other === undefined) throw new Error('no victim')
  victim.stall(true)
  await pause(backlogMs)
  await begin()
  const suspended = await world.admin.suspend(victim.device, world.urlOf(other))
  victim.stall(false)
  await pause(300)
  await end()
  await pause(draw['afterMs'] ?? 300)
  if (!(await world.admin.resume(victim.device, world.urlOf(other)))) world.out.add(victim)
  if (!suspended) throw new Error('the suspension was not acknowledged')
}

const draw: FaultKind['draw'] = (random) => ({
  relay: random.integer(3),
  afterMs: someMs(random, 100, 1_000),
})

/** Suspensions while something else goes wrong. */
export const suspensionFaults: readonly FaultKind[] = [
  {
    name: 'suspension',
    what: 'a device with a backlog is suspended, and let in again',
    lane: 'servers',
    draw,
    run: (world, drawn) =>
      suspendDuring(
        world,
        drawn,
        () => undefined,
        () => undefined,
      ),
  },
  {
    name: 'suspension-partition',
    what: 'a device is suspended while its relay cannot reach the store',
    lane: 'servers',
    draw,
    run(world, drawn) {
      const wires = world.store.wiresOf(relayOf(world, drawn).number)
      return suspendDuring(
        world,
        drawn,
        () => wires?.cut(),
        () => wires?.heal(),
      )
    },
  },
  {
    name: 'suspension-pause',
    what: 'a device is suspended while its relay holds still',
    lane: 'servers',
    draw,
    run(world, drawn) {
      const relay = relayOf(world, drawn)
      return suspendDuring(
        world,
        drawn,
        () => relay.signal('SIGSTOP'),
        () => relay.signal('SIGCONT'),
      )
    },
  },
]
