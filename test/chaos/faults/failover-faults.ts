import { HaStore } from '../world/ha-store.ts'
import { pause } from '../world/processes.ts'
import type { World } from '../world/world.ts'
import { type FaultKind, someMs } from './kind.ts'

function storeOf(world: World): HaStore {
  if (world.store instanceof HaStore) return world.store
  throw new Error('this world has one server only')
}

/** What happens to the servers of the profile `ha`. */
export const failoverFaults: readonly FaultKind[] = [
  {
    name: 'failover-kill',
    what: 'the primary is killed, a replica takes over, the old one comes back',
    lane: 'servers',
    draw: () => ({}),
    async run(world) {
      const store = storeOf(world)
      const old = await store.findPrimary()
      await old.kill()
      await store.failedOver(old)
      await store.takeBack(old)
      await store.healthy()
    },
  },
  {
    name: 'failover-pause',
    what: 'the primary holds still until a replica took over, and wakes up in the belief that it is one',
    lane: 'servers',
    draw: (random) => ({ afterMs: someMs(random, 0, 1_500) }),
    async run(world, draw) {
      const store = storeOf(world)
      const old = await store.findPrimary()
      old.signal('SIGSTOP')
      await store.failedOver(old)
      await pause(draw['afterMs'] ?? 0)
      old.signal('SIGCONT')
      await store.healthy()
    },
  },
  {
    name: 'failover-partition',
    what: 'the primary and the relays are cut off from the other servers, which choose a new primary',
    lane: 'servers',
    needs: 'namespaces',
    draw: (random) => ({ afterMs: someMs(random, 500, 3_000) }),
    async run(world, draw) {
      const store = storeOf(world)
      const old = await store.findPrimary()
      const others = store.nodes.flatMap((node, at) => (node === old ? [] : [at]))
      await store.networks?.cutOff(others)
      await pause(5_000 + (draw['afterMs'] ?? 0))
      await store.networks?.heal()
      await store.failedOver(old)
      await store.healthy()
    },
  },
  {
    name: 'suspension-failover',
    what: 'a device is suspended while the primary dies',
    lane: 'servers',
    draw: (random) => ({ relay: random.integer(3) }),
    async run(world, draw) {
      const store = storeOf(world)
      const at = draw['relay'] ?? 0
      const [victim, relay] = [world.victims[at], world.relays[at]]
      if (victim === undefined || relay === undefined) throw new Error('no victim')
      const old = await store.findPrimary()
      victim.stall(true)
      const suspending = world.admin.suspend(victim.device, world.urlOf(relay))
      await old.kill()
      await store.failedOver(old)
      const isSuspended = await suspending
      victim.stall(false)
      await store.takeBack(old)
      await store.healthy()
      if (!(await world.admin.resume(victim.device, world.urlOf(relay)))) world.out.add(victim)
      if (!isSuspended) throw new Error('the suspension was not acknowledged')
    },
  },
]
