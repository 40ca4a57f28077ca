import {
  type Ack,
  decodeAck,
  decodeLeaf,
  encodeAck,
  randomBytes,
  sha256,
  signAck,
  toHex,
  verifyAck,
} from '@liaison/protocol'
import t from 'tap'
import { Composer } from '../support/composer.ts'
import type { TestDevice } from '../support/network.ts'
import type { RawClient } from '../support/raw-client.ts'
import { startScenario, type TestRelay } from '../support/relay.ts'

interface Setup extends AsyncDisposable {
  readonly relay: TestRelay
  readonly publisher: RawClient
  readonly core: Uint8Array
  readonly privateCore: Uint8Array
}

async function setup(): Promise<Setup> {
  const relay = await startScenario()
  const { network } = relay
  const composer = new Composer(network, network.deviceOf('BF'))
  const publisher = await relay.client(composer.device)
  const toAll = composer.seal()
  const toMali = composer.seal({ to: [network.member('ML')] })
  await publisher.publish(toAll.envelope, toMali.envelope)
  return {
    relay,
    publisher,
    core: toAll.core,
    privateCore: toMali.core,
    [Symbol.asyncDispose]: () => relay[Symbol.asyncDispose](),
  }
}

function signed(
  relay: TestRelay,
  device: TestDevice,
  changes: Partial<Ack>,
  key = device.key,
): { readonly kind: 'ack'; readonly ack: Uint8Array; readonly sig: Uint8Array } {
  const ack = encodeAck({ v: 1, dev: device.num, t: relay.network.now, ...changes })
  return { kind: 'ack', ack, sig: signAck(relay.network.directory.net, key, ack) }
}

t.test(
  "attack 31: an acknowledgement reaches the sender's member with the reader's own signature",
  async (t) => {
    await using s = await setup()
    const { network } = s.relay
    const reader = network.deviceOf('ML')
    const client = await s.relay.client(reader)
    const frame = signed(s.relay, reader, { ok: [s.core], rd: [s.privateCore] })
    s.publisher.send({ kind: 'subscribe-acks', sub: 9, from: 0 })
    client.send(frame)
    const { sub, items } = await s.publisher.next('acks')
    t.equal(sub, 9)
    t.match(items, [{ index: 1 }])
    const [item] = items
    t.same(item?.ack, frame.ack)
    const key = network.directory.device(reader.num)?.identityKey as Uint8Array
    t.ok(verifyAck(network.directory.net, key, frame.ack, item?.sig as Uint8Array))
    t.match(decodeAck(frame.ack), { ok: true, value: { dev: reader.num } })
    const { log } = s.relay.running.relay.source
    const [leaf] = await log.readLeaves(log.leafCount() - 1, log.leafCount())
    const decoded = decodeLeaf(leaf as Uint8Array)
    t.match(decoded, { value: { e: 'ack', by: reader.num, n: 2 } })
    t.equal(
      toHex((decoded.ok && decoded.value.obj) || (leaf as Uint8Array)),
      toHex(sha256(frame.ack)),
    )
    const other = await s.relay.client(network.deviceOf('NE'))
    other.send({ kind: 'subscribe-acks', sub: 1, from: 0 })
    await other.barrier()
    t.notOk(
      other.inbox.some((f) => f.kind === 'acks'),
      'and nobody else',
    )
  },
)

t.test(
  'attack 33: a forged, foreign, unknown or unaddressed acknowledgement is refused and not kept',
  async (t) => {
    await using s = await setup()
    const { network } = s.relay
    const { log } = s.relay.running.relay.source
    const reader = network.deviceOf('NE')
    const other = network.deviceOf('ML')
    const client = await s.relay.client(reader)
    const leaves = log.leafCount()
    const hostile = [
      signed(s.relay, reader, { ok: [s.core] }, other.key),
      signed(s.relay, other, { ok: [s.core] }),
      signed(s.relay, reader, { ok: [randomBytes(32)] }),
      signed(s.relay, reader, { ok: [s.core, s.privateCore] }),
      signed(s.relay, reader, { bad: [[s.privateCore, 300]] }),
    ]
    for (const frame of hostile) {
      client.send(frame)
      t.equal(await client.nextError(), 'ack_refused')
    }
    client.send({ kind: 'ack', ack: randomBytes(40), sig: new Uint8Array(64) })
    t.match(await client.nextError(), /malformed/)
    t.equal(log.leafCount(), leaves)
    t.equal(log.ackHead(network.member('BF')), 0)
  },
)

t.test('the same acknowledgement again is no news', async (t) => {
  await using s = await setup()
  const { network } = s.relay
  const reader = network.deviceOf('ML')
  const client = await s.relay.client(reader)
  const frame = signed(s.relay, reader, { ok: [s.core] })
  for (let i = 0; i < 3; i++) client.send(frame)
  client.send(signed(s.relay, reader, { rd: [s.core] }))
  await client.barrier()
  t.equal(s.relay.running.relay.source.log.ackHead(network.member('BF')), 2)
  t.notOk(client.inbox.some((f) => f.kind === 'error'))
  s.publisher.send({ kind: 'subscribe-acks', sub: 1, from: 1 })
  t.match(
    (await s.publisher.next('acks')).items,
    [{ index: 2 }],
    'and can be read on from an index',
  )
  s.publisher.send({ kind: 'subscribe-acks', sub: 2, from: 3 })
  t.equal(await s.publisher.nextError(), 'cursor_ahead')
})
