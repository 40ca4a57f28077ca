import { creditBytes, type DeliverItem, errorRow, kidOf, limits } from '@liaison/protocol'
import { relayLimits } from '@liaison/server'
import t from 'tap'
import { Composer } from '../support/composer.ts'
import { heldLog } from '../support/held-log.ts'
import { RawClient } from '../support/raw-client.ts'
import { startScenario } from '../support/relay.ts'

const sumOf = (sum: number, item: DeliverItem): number => sum + creditBytes(item)

t.test('a session that sends too many frames is ended; time gives new ones', async (t) => {
  let now = 0
  await using relay = await startScenario({}, { monotonic: () => now })
  const client = await relay.client(relay.network.deviceOf('BF'))
  // Two went for the handshake. In pieces, so that the inbox does not fill first.
  for (let sent = 2; sent < relayLimits.framesBurst; sent += 51) {
    for (let i = 0; i < 50; i++) client.send({ kind: 'pong', t: 1 })
    await client.barrier()
  }
  now += 1000
  await client.barrier()
  for (let i = 0; i < 200; i++) client.send({ kind: 'pong', t: 1 })
  t.equal(await client.nextError(), 'rate_limited')
  t.equal((await client.ended()).code, 4000)
})

t.test('a reader that answers every delivery is never over its limit', async (t) => {
  // No time passes, so that nothing but deliveries pays for the answers.
  await using relay = await startScenario({}, { monotonic: () => 0 })
  const { network } = relay
  const reader = await relay.client(network.deviceOf('ML'))
  reader.subscribe(1, network.topic('terrorism'))
  let delivered = 0
  for (const code of ['BF', 'FLU']) {
    const composer = new Composer(network, network.deviceOf(code))
    const publisher = await relay.client(composer.device)
    for (let i = 0; i < relayLimits.framesBurst / 2 + 20; i++) {
      await publisher.publish(composer.seal().envelope)
      const { items } = await reader.next('deliver')
      delivered += items.length
      reader.send({ kind: 'credit', sub: 1, frames: 1, bytes: items.reduce(sumOf, 0) })
    }
  }
  await reader.barrier()
  t.ok(delivered > relayLimits.framesBurst)
})

t.test('frames that come faster than they can be handled end the session', async (t) => {
  const { openLog, release } = heldLog('getBlob')
  await using relay = await startScenario({}, { openLog })
  const client = await relay.client(relay.network.deviceOf('BF'))
  for (let i = 0; i < relayLimits.inboxFramesMax + 2; i++) {
    client.send({ kind: 'blob-get', rq: i, hashes: [new Uint8Array(32)] })
  }
  t.equal(await client.nextError(), 'rate_limited')
  release()
})

t.test('a device that has used its quota is told to wait, and the session goes on', async (t) => {
  let now = 0
  await using relay = await startScenario({}, { monotonic: () => now })
  const composer = new Composer(relay.network, relay.network.deviceOf('BF'))
  const client = await relay.client(composer.device)
  const { envelope } = composer.seal()
  const junk = { ...envelope, payload: new Uint8Array(200_000), ctx: new Uint8Array(1) }
  let rq = 0
  for (let sent = 0; sent < relayLimits.publishBytesBurst; sent += 600_000) {
    rq = client.beginPublish(junk, junk, junk)
    if (rq % 20 === 0) await client.barrier()
    now += 1
  }
  const error = await client.next('error')
  t.match(error, { code: 100 })
  t.ok(error.retryAfterMs > 0)
  now += 10_000
  t.same((await client.publish(envelope)).codes, ['ok'])
})

t.test('one address may open only so many connections', async (t) => {
  await using relay = await startScenario()
  const open: RawClient[] = []
  for (let i = 0; i < relayLimits.connectionsPerAddressMax; i++) {
    open.push(await RawClient.connect(relay.url, relay.network))
  }
  await t.rejects(RawClient.connect(relay.url, relay.network), /503/)
  await open.pop()?.[Symbol.asyncDispose]()
  const { running } = relay
  t.equal(running.relay.sessions.size, 0)
  let again: RawClient | null = null
  for (let tries = 0; tries < 50 && again === null; tries++) {
    again = await RawClient.connect(relay.url, relay.network).catch(() => null)
  }
  t.ok(again !== null, 'a closed one makes room')
  for (const client of [...open, ...(again === null ? [] : [again])]) {
    await client[Symbol.asyncDispose]()
  }
})

t.test('more than the frame allows is refused by its schema', async (t) => {
  await using relay = await startScenario()
  const composer = new Composer(relay.network, relay.network.deviceOf('BF'))
  const client = await relay.client(composer.device)
  const { envelope } = composer.seal()
  client.beginPublish(...Array.from({ length: limits.publishEnvelopesMax + 1 }, () => envelope))
  t.equal(await client.nextError(), 'frame_malformed')
  const other = await relay.client(composer.device)
  other.beginPublish({ ...envelope, slots: new Uint8Array(limits.slotBytes * 257) })
  t.match(await other.nextError(), /frame_malformed/)
})

t.test(
  'a relay with too much work sends new work away, and goes on with what it has',
  async (t) => {
    let loopDelayMs = 0
    await using relay = await startScenario(
      {},
      { load: () => ({ loopDelayMs, heapUsedPercent: 1 }) },
    )
    const { network } = relay
    const reader = await relay.client(network.deviceOf('ML'))
    reader.subscribe(1, network.topic('terrorism'))
    const composer = new Composer(network, network.deviceOf('BF'))
    const publisher = await relay.client(composer.device)
    t.match(await publisher.publish(composer.seal().envelope), { codes: ['ok'] })
    loopDelayMs = relayLimits.loopDelayMsMax + 1
    const { envelope } = composer.seal()
    publisher.beginPublish(envelope)
    const refused = await publisher.next('error')
    t.match(refused, {
      code: errorRow('overloaded').n,
      retryAfterMs: relayLimits.overloadedRetryMs,
    })
    await t.rejects(relay.client(network.deviceOf('NE')), /503/, 'nobody new comes in')
    t.equal((await reader.next('deliver')).items.length, 1, 'readers are served')
    await reader.barrier()
    loopDelayMs = 0
    t.match(await publisher.publish(envelope), { codes: ['ok'] }, 'the same bytes a little later')
    t.ok(await relay.client(network.deviceOf('NE')))
  },
)

t.test('a client that asks and does not read is cut off as a slow consumer', async (t) => {
  await using relay = await startScenario()
  const client = await relay.client(relay.network.deviceOf('BF'))
  client.socket.pause()
  const keys = [...relay.network.devices.values()].flatMap((d) => [...d.epochKeys.values()])
  const hashes = keys.slice(0, 64).map(kidOf)
  // Answers of 78 KB each: together more than the kernel takes for a reader that stands still.
  for (let rq = 0; rq < 200; rq++) client.send({ kind: 'blob-get', rq, hashes })
  while (relay.running.relay.sessions.size > 0) await new Promise((r) => setTimeout(r, 10))
  const other = await relay.client(relay.network.deviceOf('ML'))
  await other.barrier()
  client.socket.resume()
  t.match(await client.ended(), { code: 4000, reason: 'slow_consumer' })
})
