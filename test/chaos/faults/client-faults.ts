import { codeOfNumber, type Envelope, encodeClientFrame } from '@liaison/protocol'
import { Composer } from '../../support/composer.ts'
import { mutate } from '../../support/mutate.ts'
import type { RawClient } from '../../support/raw-client.ts'
import { seededRandom } from '../../support/seeded-random.ts'
import { connectRaw, keepUp, publishRaw } from '../workload/connection.ts'
import { moments } from '../workload/device-child.ts'
import { strangerCount } from '../world/network.ts'
import { pause, until } from '../world/processes.ts'
import type { World } from '../world/world.ts'
import { type FaultKind, someMs } from './kind.ts'

/** For pauses only: what is done does not depend on it. */
const chance = seededRandom()

/** What clients do, or happens to them. */
export const clientFaults: readonly FaultKind[] = [
  {
    name: 'client-pause',
    what: 'devices hold still',
    lane: 'clients',
    draw: (random) => ({ host: random.integer(2), ms: someMs(random, 200, 6_000) }),
    async run(world, draw) {
      const host = world.hosts[(draw['host'] ?? 0) % world.hosts.length]
      host?.signal('SIGSTOP')
      await pause(draw['ms'] ?? 0)
      host?.signal('SIGCONT')
    },
  },
  {
    name: 'client-kill',
    what: 'devices are killed between receiving, storing, showing and sending, and start again',
    lane: 'clients',
    draw: (random) => ({ host: random.integer(2), moment: random.integer(moments.length + 1) }),
    async run(world, draw) {
      const host = world.hosts[(draw['host'] ?? 0) % world.hosts.length]
      const moment = moments[draw['moment'] ?? 0]
      if (moment === undefined) await host?.kill()
      else await host?.dieAt(moment, 2_000)
      await host?.start()
    },
  },
  {
    name: 'slow-consumers',
    what: 'a third of the readers take nothing in for a while',
    lane: 'clients',
    draw: (random) => ({ ms: someMs(random, 2_000, 6_000) }),
    async run(world, draw) {
      for (const one of world.victims) one.stall(true)
      await pause(draw['ms'] ?? 0)
      for (const one of world.victims) one.stall(false)
    },
  },
  {
    name: 'reconnect-storm',
    what: 'all connections are cut at once, and many more come back',
    lane: 'clients',
    draw: () => ({}),
    async run(world) {
      for (const relay of world.relays) relay.wires.reset()
      const strangers = Array.from({ length: strangerCount }, (_, nth) => comeIn(world, nth))
      for (const client of await Promise.all(strangers)) client.socket.terminate()
    },
  },
  {
    name: 'poison',
    what: 'a device sends broken frames, wrong envelopes, and sealed nonsense',
    lane: 'clients',
    draw: (random) => ({ seed: random.integer(1_000_000) + 1 }),
    async run(world, draw) {
      if (world.poisoner !== null) world.poisoner.idle = false
      await brokenFrames(world, draw['seed'] ?? 1)
      await wrongEnvelopes(world)
      if (world.poisoner !== null) world.poisoner.idle = true
    },
  },
]

/** Connects a device that has no rights, however long that takes. */
async function comeIn(world: World, nth: number): Promise<RawClient> {
  const device = world.network.deviceOf('MR', nth)
  const end = performance.now() + 60_000
  for (;;) {
    try {
      return await connectRaw(world.url, world.network, device)
    } catch (error) {
      if (performance.now() > end) throw error
      await pause(100 + chance.next() * 400)
    }
  }
}

/** Nearly valid bytes, each in a session of its own: the relay must say what is wrong with them. */
async function brokenFrames(world: World, seed: number): Promise<void> {
  const random = seededRandom(seed)
  const device = world.network.deviceOf('SN')
  const { envelope } = new Composer(world.network, device).seal({ keepPlace: true })
  const samples = [
    encodeClientFrame({ kind: 'publish', rq: 9, envelopes: [envelope] }),
    encodeClientFrame({ kind: 'subscribe', sub: 1, top: world.topic, from: 0, fluPaths: false }),
    encodeClientFrame({ kind: 'credit', sub: 1, frames: 1, bytes: 1 }),
    encodeClientFrame({ kind: 'append', rq: 3, entry: envelope.ctx }),
    encodeClientFrame({ kind: 'blob-get', rq: 4, hashes: [new Uint8Array(32)] }),
  ] as const
  for (let i = 0; i < 8; i++) {
    const client = await connectRaw(world.url, world.network, device).catch(() => null)
    if (client === null) continue
    for (let n = 0; n < 4 && client.closed === null; n++) client.sendBytes(mutate(random, samples))
    await until('an answer', () => client.closed !== null || client.inbox.length > 0, 500).catch(
      () => undefined,
    )
    for (const frame of client.inbox) {
      if (frame.kind !== 'error') continue
      const code = codeOfNumber(frame.code)
      world.writer.add({ type: 'fail', op: 'refusal', id: 'broken frame', dev: device.num, code })
    }
    client.socket.terminate()
  }
}

/** Envelopes with a wrong signature, payload, sender and audience: none may be accepted. */
async function wrongEnvelopes(world: World): Promise<void> {
  const { network } = world
  const device = network.deviceOf('SN')
  keepUp(network)
  const composer = new Composer(network, device)
  const seal = (ctx = {}): Envelope => composer.seal({ hc: 1, keepPlace: true, ctx }).envelope
  const good = seal({ inc: 900_000 })
  const changed = (bytes: Uint8Array): Uint8Array =>
    bytes.map((byte, i) => (i === 9 ? byte ^ 1 : byte))
  const wrong: readonly Envelope[] = [
    { ...good, sig: changed(good.sig) },
    { ...good, payload: changed(good.payload) },
    { ...good, slots: changed(good.slots) },
    seal({ inc: 900_000, from: device.num + 1 }),
    seal({ inc: 900_000, dir: [network.directory.size + 9, new Uint8Array(32)] }),
    seal({ inc: 900_000, t: Date.now() + 3_600_000 }),
    seal({ inc: 900_000, seq: 77 }),
  ]
  const client = await connectRaw(world.url, network, device).catch(() => null)
  if (client === null) return
  const outcome = await publishRaw(client, wrong, 10_000)
  client.socket.terminate()
  if (outcome.kind !== 'answered') return
  for (const code of outcome.codes) {
    // An acceptance stands here as a refusal without a code, which the checker does not let pass.
    world.writer.add({ type: 'fail', op: 'refusal', id: 'wrong envelope', dev: device.num, code })
  }
}
