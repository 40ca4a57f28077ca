/** Several relays over one log in Redis: any of them serves any device. */
import { sodiumReady, toHex } from '@liaison/protocol'
import t from 'tap'
import { Composer } from '../support/composer.ts'
import { makeSealingNetwork } from '../support/epoch-keys.ts'
import type { TestNetwork } from '../support/network.ts'
import { RedisServer } from '../support/redis-server.ts'
import { startTestRelay, type TestRelay } from '../support/relay.ts'
import { type TempFolder, tempFolder } from '../support/temp-folder.ts'

t.before(() => sodiumReady())

interface Shared extends AsyncDisposable {
  readonly network: TestNetwork
  readonly redis: RedisServer
  readonly one: TestRelay
  readonly two: TestRelay
}

/** Two relays of one network on one server. */
async function startShared(monotonic?: () => number): Promise<Shared> {
  const network = makeSealingNetwork({ relays: 2 })
  const redis = await RedisServer.start()
  const folder: TempFolder = await tempFolder()
  const clock = monotonic === undefined ? {} : { monotonic }
  const one = await startTestRelay(network, { redis, folder, number: 1 })
  const two = await startTestRelay(network, { redis, folder, number: 2, keepData: true, ...clock })
  return {
    network,
    redis,
    one,
    two,
    async [Symbol.asyncDispose]() {
      await one[Symbol.asyncDispose]()
      await two[Symbol.asyncDispose]()
      await redis[Symbol.asyncDispose]()
      await folder[Symbol.asyncDispose]()
    },
  }
}

t.test('what is published at one relay is delivered by the other, in one order', async (t) => {
  await using shared = await startShared()
  const { network, one, two } = shared
  const [bf, ml, ne] = ['BF', 'ML', 'NE'].map((code) => network.deviceOf(code))
  if (bf === undefined || ml === undefined || ne === undefined) throw new Error('no devices')
  const top = network.topic('terrorism')
  const readers = [await one.client(ne), await two.client(ne)]
  for (const reader of readers) reader.subscribe(1, top)
  const composers = [new Composer(network, bf), new Composer(network, ml)]
  const publishers = [await one.client(bf), await two.client(ml)]
  for (let round = 0; round < 5; round++) {
    const results = await Promise.all(
      publishers.map((publisher, i) => {
        const composer = composers[i] as Composer
        return publisher.publish(composer.seal().envelope)
      }),
    )
    t.same(
      results.map((r) => r.codes),
      [['ok'], ['ok']],
    )
    t.same(results.map((r) => r.receipts[0]?.rk).sort(), [1, 2], 'each relay signs for itself')
  }
  const seen: string[][] = []
  for (const reader of readers) {
    const cores: string[] = []
    while (cores.length < 10) {
      const frame = await reader.next('deliver')
      reader.send({ kind: 'credit', sub: 1, frames: 1, bytes: 20_000 })
      for (const item of frame.items) {
        if (item.form === 'full') cores.push(`${item.cursor} ${toHex(item.seal)}`)
      }
    }
    seen.push(cores)
  }
  t.same(seen[0], seen[1], 'both readers saw the same ten in the same order')
  const leaves = [one, two].map((relay) => relay.running.relay.source.log.leafCount())
  t.equal(leaves[0], leaves[1])
})

t.test('the same envelope at two relays is one report with one receipt place', async (t) => {
  await using shared = await startShared()
  const { network, one, two } = shared
  const bf = network.deviceOf('BF')
  const { envelope } = new Composer(network, bf).seal()
  const results = await Promise.all(
    [one, two].map(async (relay) => (await relay.client(bf)).publish(envelope)),
  )
  const [a, b] = results.map((r) => r.receipts[0])
  t.same([a?.d, b?.d].sort(), [0, 1])
  t.same([a?.cur, a?.ix], [b?.cur, b?.ix])
})

t.test(
  'a suspension at one relay cuts the sockets at the other before it is answered',
  async (t) => {
    await using shared = await startShared()
    const { network, one, two } = shared
    const stolen = network.deviceOf('ML')
    const socket = await two.client(stolen)
    socket.subscribe(1, network.topic('terrorism'))
    await socket.barrier()
    const admin = await one.administrator(3)
    const entry = network.sign('suspend', { dev: stolen.num, why: 'stolen' }, [3])
    t.match(await admin.append(entry), { codes: ['ok'] })
    t.equal(two.running.relay.sessions.size, 0, 'gone at the other relay when the receipt is out')
    t.equal(two.running.relay.directory.size, one.running.relay.directory.size)
    network.appendEntry(entry)
    t.equal((await socket.ended()).code, 1006)
    const bf = await two.client(network.deviceOf('BF'))
    const composer = new Composer(network, network.deviceOf('BF'))
    t.match(await bf.publish(composer.seal().envelope), { codes: ['ok'] })
  },
)

t.test('an envelope sealed for the old directory is judged again at every relay', async (t) => {
  await using shared = await startShared()
  const { network, one, two } = shared
  const composer = new Composer(network, network.deviceOf('BF'))
  const old = composer.seal().envelope
  const publisher = await two.client(network.deviceOf('BF'))
  const admin = await one.administrator(3)
  const entry = network.sign('suspend', { dev: network.deviceOf('ML').num, why: 'lost' }, [3])
  t.match(await admin.append(entry), { codes: ['ok'] })
  t.same((await publisher.publish(old)).codes, ['audience_stale'])
})

t.test(
  'a relay that does not renew its lease resets everybody, and is not waited for twice',
  async (t) => {
    let ahead = 0
    await using shared = await startShared(() => performance.now() + ahead)
    const { network, two } = shared
    const reader = await two.client(network.deviceOf('NE'))
    reader.subscribe(1, network.topic('terrorism'))
    await reader.barrier()
    // As after a pause of the process: its own clock shows that more than a lease has passed.
    ahead = 10_000
    t.equal((await reader.ended()).code, 1006, 'reset without another byte')
    while (!two.running.relay.serving()) await new Promise((resolve) => setTimeout(resolve, 20))
    const back = await two.client(network.deviceOf('NE'))
    t.equal(back.closed, null, 'a renewed lease lets everybody in again')
  },
)

t.test('without the server nobody is served after the lease; with it everybody is', async (t) => {
  await using shared = await startShared()
  const { network, redis, one } = shared
  const reader = await one.client(network.deviceOf('NE'))
  reader.subscribe(1, network.topic('terrorism'))
  await redis.kill()
  t.equal((await reader.ended()).code, 1006)
  await t.rejects(one.client(network.deviceOf('NE')), /503|closed/)
  const ready = await fetch(`${one.running.operatorUrl}/readyz`)
  t.equal(ready.status, 503)
  const live = await fetch(`${one.running.operatorUrl}/livez`)
  t.equal(live.status, 200, 'nothing that a restart of the relay would mend')
  await redis.restart()
  while ((await fetch(`${one.running.operatorUrl}/readyz`)).status !== 200) {
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  const bf = await one.client(network.deviceOf('BF'))
  const composer = new Composer(network, network.deviceOf('BF'))
  t.match(await bf.publish(composer.seal().envelope), { codes: ['ok'] })
})

t.test('a suspension that is sent again is answered no sooner than it is in force', async (t) => {
  await using shared = await startShared()
  const { network, one } = shared
  const { leases } = one.running.relay.source.log
  const stolen = network.deviceOf('ML')
  const [admin, again] = [await one.administrator(3), await one.administrator(3)]
  // A relay that died without a word: its lease has to run out.
  await leases?.renew('gone', network.directory.size)
  const entry = network.sign('suspend', { dev: stolen.num, why: 'stolen' }, [3])
  const first = admin.append(entry)
  const { size } = network.directory
  while (one.running.relay.directory.size === size) await new Promise(setImmediate)
  const second = await again.append(entry)
  t.same(second.codes, ['nonce_used'])
  const holders = (await leases?.holders())?.map(([[instance]]) => instance) ?? []
  t.equal(holders.includes('gone'), false, 'nobody counts on the old directory any more')
  t.same((await first).codes, ['ok'])
})

t.test(
  'what was admitted under a newer directory reaches readers of a relay that has yet to follow',
  async (t) => {
    await using shared = await startShared()
    const { network, one, two } = shared
    const reader = await two.client(network.deviceOf('NE'))
    reader.subscribe(1, network.topic('terrorism'))
    await reader.barrier()
    // The other relay hears of the entry late: its next look at the directory waits for a while.
    const { host } = two.running.relay
    const follow = host.follow.bind(host)
    let late = true
    host.follow = async () => {
      if (late) await new Promise((resolve) => setTimeout(resolve, 300))
      return follow()
    }
    const admin = await one.administrator(3)
    const entry = network.sign('suspend', { dev: network.deviceOf('ML').num, why: 'lost' }, [3])
    const appended = admin.append(entry)
    while (one.running.relay.directory.size === network.directory.size) {
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    network.appendEntry(entry)
    const composer = new Composer(network, network.deviceOf('BF'))
    const publisher = await one.client(composer.device)
    t.match(await publisher.publish(composer.seal().envelope), { codes: ['ok'] })
    const { items } = await reader.next('deliver')
    t.match(items, [{ form: 'full', cursor: 1 }], 'the first and only one')
    late = false
    t.match(await appended, { codes: ['ok'] })
  },
)
