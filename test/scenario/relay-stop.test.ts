import { sodiumReady } from '@liaison/protocol'
import { relayLimits } from '@liaison/server'
import t from 'tap'
import { request } from '../contract/relay-log.ts'
import { Composer } from '../support/composer.ts'
import { makeSealingNetwork } from '../support/epoch-keys.ts'
import { heldLog } from '../support/held-log.ts'
import { RawClient } from '../support/raw-client.ts'
import { rejectsWithCode } from '../support/rejects-with-code.ts'
import { startScenario, startTestRelay } from '../support/relay.ts'
import { tempFolder } from '../support/temp-folder.ts'

t.test(
  'a relay that stops answers what it began, says when to come back, and loses nothing',
  async (t) => {
    await sodiumReady()
    const network = makeSealingNetwork()
    await using folder = await tempFolder()
    const composer = new Composer(network, network.deviceOf('BF'))
    const sealed = Array.from({ length: 5 }, () => composer.seal().envelope)
    const { calls, openLog, release } = heldLog('accept', 'answer')
    const first = await startTestRelay(network, { folder, openLog })
    const client = await first.client(composer.device)
    await using silent = await RawClient.connect(first.url, network)
    const rq = client.beginPublish(...sealed)
    await client
      .until(() => calls() === 5 || client.closed !== null, 'the appends')
      .catch(() => undefined)
    t.equal(calls(), 5, 'all are under way')
    const stopped = first.running.stop()
    client.beginPublish(composer.seal().envelope)
    release()
    const { codes, receipts } = await client.result(rq)
    t.same(codes, ['ok', 'ok', 'ok', 'ok', 'ok'])
    const error = await client.next('error')
    t.match(error, { code: 501, rq: 0 })
    t.ok(error.retryAfterMs >= 500 && error.retryAfterMs <= 500 + relayLimits.restartSpreadMs)
    t.equal((await client.ended()).code, 4000)
    t.equal(await silent.nextError(), 'shutting_down', 'sockets before the handshake are told too')
    await stopped
    await using second = await startTestRelay(network, { folder, keepData: true })
    const back = await second.client(composer.device)
    const again = await back.publish(...sealed)
    t.same(
      again.receipts,
      receipts.map((r) => ({ ...r, d: 1 })),
      'started again, it gives the same answers',
    )
    t.equal(second.running.relay.directory.size, network.directory.size)
    const reader = await second.client(network.deviceOf('ML'))
    reader.subscribe(1, network.topic('terrorism'))
    t.match((await reader.next('deliver')).items, [{ cursor: 1 }, {}, {}, {}, { cursor: 5 }])
  },
)

t.test('a relay with nothing but its genesis starts again with the same log', async (t) => {
  await sodiumReady()
  const network = makeSealingNetwork({ members: [], topics: [], fluDevices: 0 })
  await using folder = await tempFolder()
  const starts: number[] = []
  for (let i = 0; i < 3; i++) {
    await using relay = await startTestRelay(network, { folder, keepData: true })
    starts.push(relay.running.relay.source.log.leafCount())
  }
  t.same(starts, [1, 1, 1])
})

t.test('while it stops, the operator sees that it is not ready', async (t) => {
  await using relay = await startScenario()
  const { operatorUrl } = relay.running
  const ready = await fetch(`${operatorUrl}/readyz`)
  t.equal(ready.status, 200)
  t.same(await ready.json(), { ready: true, waitingFor: [] })
  t.equal((await fetch(`${operatorUrl}/livez`)).status, 200)
  t.equal((await fetch(`${operatorUrl}/relay`)).status, 404, 'members have no business here')
  const door = relay.url.replace('ws:', 'http:')
  t.equal((await fetch(door)).status, 426)
  await relay.running.stop()
  await t.rejects(fetch(`${operatorUrl}/readyz`))
  await relay.running.stop()
})

t.test('a log that can no longer be written is told to whoever restarts the process', async (t) => {
  await using relay = await startScenario()
  const { operatorUrl, relay: running } = relay.running
  const { log } = running.source
  // A key that LMDB cannot take makes the step throw after most of its writes.
  const failing = log.accept(
    request('a', 0, { core: new Uint8Array(5000), fence: running.directory.size }),
  )
  await rejectsWithCode(t, failing, 'log_unavailable')
  t.equal((await fetch(`${operatorUrl}/livez`)).status, 503)
  const ready = await fetch(`${operatorUrl}/readyz`)
  t.equal(ready.status, 503)
  t.same(await ready.json(), { ready: false, waitingFor: ['log'] })
})
