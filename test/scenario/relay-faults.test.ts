import { encodeAck, signAck } from '@liaison/protocol'
import { openLog } from '@liaison/server'
import t from 'tap'
import { Composer } from '../support/composer.ts'
import { type FaultyLog, faultyLog } from '../support/faulty-log.ts'
import { startScenario, type TestRelay } from '../support/relay.ts'

async function setup(): Promise<{ relay: TestRelay; log: FaultyLog }> {
  let log: FaultyLog | null = null
  const relay = await startScenario(
    {},
    {
      openLog: async (options) => {
        log = faultyLog(await openLog(options))
        return log
      },
    },
  )
  if (log === null) throw new Error('the log was not opened')
  return { relay, log }
}

for (const fault of ['not-kept', 'kept'] as const) {
  t.test(
    `a write that failed and was ${fault}: the same bytes again get the first receipt`,
    async (t) => {
      const { relay, log } = await setup()
      await using _ = relay
      const composer = new Composer(relay.network, relay.network.deviceOf('BF'))
      const first = await relay.client(composer.device)
      const sealed = [composer.seal(), composer.seal(), composer.seal()].map((s) => s.envelope)
      log.failNext('accept', fault)
      first.beginPublish(...sealed)
      t.equal(await first.nextError(), 'log_unavailable', 'the outcome is unknown, and said to be')
      t.equal((await first.ended()).code, 4000)
      t.notOk(first.inbox.some((f) => f.kind === 'result'))
      const second = await relay.client(composer.device)
      const repeated = await second.publish(...sealed)
      t.same(repeated.codes, ['ok', 'ok', 'ok'])
      t.equal(repeated.receipts[0]?.d, fault === 'kept' ? 1 : 0)
      const again = await second.publish(...sealed)
      t.same(
        again.receipts.map((r) => ({ ...r, d: 0 })),
        repeated.receipts.map((r) => ({ ...r, d: 0 })),
      )
      t.same(
        repeated.receipts.map((r) => r.cur),
        [1, 2, 3],
      )
      t.equal(log.topicHead(relay.network.topic('terrorism')), 3, 'each is there once')
    },
  )

  t.test(`an acknowledgement whose write failed and was ${fault} is stored once`, async (t) => {
    const { relay, log } = await setup()
    await using _ = relay
    const { network } = relay
    const composer = new Composer(network, network.deviceOf('BF'))
    const publisher = await relay.client(composer.device)
    const { envelope, core } = composer.seal()
    await publisher.publish(envelope)
    const reader = network.deviceOf('ML')
    const ack = encodeAck({ v: 1, dev: reader.num, t: network.now, ok: [core] })
    const sig = signAck(network.directory.net, reader.key, ack)
    const first = await relay.client(reader)
    log.failNext('appendAck', fault)
    first.send({ kind: 'ack', ack, sig })
    t.equal(await first.nextError(), 'log_unavailable')
    const second = await relay.client(reader)
    second.send({ kind: 'ack', ack, sig })
    await second.barrier()
    t.equal(log.ackHead(network.member('BF')), 1)
  })
}

t.test('a directory entry whose write failed changes nothing and can be sent again', async (t) => {
  const { relay, log } = await setup()
  await using _ = relay
  const { network } = relay
  const lost = network.deviceOf('ML')
  const entry = network.sign('suspend', { dev: lost.num, why: 'lost' }, [1])
  const first = await relay.administrator(1)
  log.failNext('appendDirectory', 'not-kept')
  await t.rejects(first.append(entry), /log_unavailable|before a result/)
  const still = await relay.client(lost)
  const second = await relay.administrator(1)
  t.same((await second.append(entry)).codes, ['ok'])
  t.equal((await still.ended()).code, 1006)
})

t.test('a refusal that cannot be logged is no answer at all', async (t) => {
  const { relay, log } = await setup()
  await using _ = relay
  const composer = new Composer(relay.network, relay.network.deviceOf('BF'))
  const client = await relay.client(composer.device)
  log.failNext('appendLeaf', 'not-kept')
  client.beginPublish(composer.seal({ ctx: { seq: 7 } }).envelope)
  t.equal(await client.nextError(), 'log_unavailable')
})
