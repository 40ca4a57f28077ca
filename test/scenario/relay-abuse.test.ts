/** What one member could do to everybody's storage, or to the relay's memory. */
import { encodeAck, epochMs, signAck } from '@liaison/protocol'
import { relayLimits } from '@liaison/server'
import t from 'tap'
import { Composer } from '../support/composer.ts'
import { heldLog } from '../support/held-log.ts'
import { startScenario } from '../support/relay.ts'
import { eventually, openDevice, startReportScenario } from '../support/sdk.ts'

t.test('a device cannot fill the directory with changes of its own keys', async (t) => {
  let now = 0
  await using relay = await startScenario({}, { monotonic: () => now })
  const { network } = relay
  const device = network.deviceOf('NE')
  const client = await relay.client(device)
  const next = (): Uint8Array =>
    network.signEpoch(device, { dev: device.num, wk: 1, kids: network.kids(device.label, 1, 8) })
  for (let i = 0; i < relayLimits.deviceEntriesBurst; i++) {
    const entry = next()
    t.same((await client.append(entry)).codes, ['ok'])
    network.appendEntry(entry)
  }
  const size = relay.running.relay.directory.size
  client.send({ kind: 'append', rq: 77, entry: next() })
  const refused = await client.next('error')
  t.match(refused, { code: 11, rq: 77 }, 'rate_limited')
  t.ok(refused.retryAfterMs > 0)
  t.equal(relay.running.relay.directory.size, size)
  const another = await relay.client(device)
  another.send({ kind: 'append', rq: 78, entry: next() })
  t.equal(await another.nextError(), 'rate_limited', 'a new connection changes nothing')
  now += 3600 * 1000
  const later = network.nextStatement('member', {
    code: 'SN',
    kind: 'state',
    name: { en: 'Senegal' },
  })
  const admin = await relay.administrator(1)
  t.same((await admin.append(network.entryOf(later, [1, 2]))).codes, ['ok'], 'administrators may')
  t.same((await client.append(next())).codes, ['ok'], 'an hour later there is room for one')
})

t.test('a device whose new keys must wait goes on with those it has', async (t) => {
  await using relay = await startReportScenario()
  const { network } = relay
  const device = network.deviceOf('NE')
  const client = await relay.client(device)
  for (let i = 0; i < relayLimits.deviceEntriesBurst; i++) {
    const body = { dev: device.num, wk: 1, kids: network.kids(device.label, 1, 8) }
    const entry = network.signEpoch(device, body)
    await client.append(entry)
    network.appendEntry(entry)
  }
  network.advanceWeeks(1)
  const notices: string[] = []
  await using session = await openDevice(relay, device, { waitFor: 'store' })
  session.on('notice', ({ code }) => notices.push(code))
  await session.online(AbortSignal.timeout(10_000))
  await eventually('it is told', () => notices.includes('rate_limited'))
  t.equal(session.state, 'online')
})

t.test('acknowledgements count against the quota of who sends them', async (t) => {
  let now = 0
  await using relay = await startScenario({}, { monotonic: () => now })
  const { network } = relay
  const composer = new Composer(network, network.deviceOf('BF'))
  const publisher = await relay.client(composer.device)
  const { envelope, core } = composer.seal()
  await publisher.publish(envelope)
  const device = network.deviceOf('ML')
  const reader = await relay.client(device)
  const ack = encodeAck({ v: 1, dev: device.num, t: epochMs(network.now), ok: [core] })
  const sig = signAck(network.directory.net, device.key, ack)
  reader.send({ kind: 'ack', ack, sig })
  await reader.barrier()
  const member = network.member('BF')
  t.equal(relay.running.relay.source.log.ackHead(member), 1)
  relay.running.relay.publishWaitMs(
    { kind: 'device', dev: device.num },
    relayLimits.publishBytesBurst - 1000,
    now,
  )
  const again = encodeAck({ v: 1, dev: device.num, t: epochMs(network.now + 1), ok: [core] })
  const signed = signAck(network.directory.net, device.key, again)
  for (let i = 0; i < 10; i++) reader.send({ kind: 'ack', ack: again, sig: signed })
  t.equal(await reader.nextError(), 'rate_limited')
  t.equal((await reader.ended()).code, 4000, 'it comes back, with its acknowledgements')
  now += 60_000
  const back = await relay.client(device)
  back.send({ kind: 'ack', ack: again, sig: signed })
  await back.barrier()
  t.equal(relay.running.relay.source.log.ackHead(member), 2)
})

t.test('large frames that wait are bounded by their bytes, not their number alone', async (t) => {
  // Refusals wait for their leaves.
  const { openLog, release } = heldLog('appendLeaf')
  await using relay = await startScenario({}, { openLog })
  const composer = new Composer(relay.network, relay.network.deviceOf('BF'))
  const client = await relay.client(composer.device)
  const { envelope } = composer.seal()
  const junk = { ...envelope, payload: new Uint8Array(200_000), ctx: new Uint8Array(1) }
  const frames = 40 + Math.ceil(relayLimits.inboxBytesMax / 600_000)
  t.ok(frames < relayLimits.inboxFramesMax)
  for (let i = 0; i < frames; i++) client.beginPublish(junk, junk, junk)
  t.equal(await client.nextError(), 'rate_limited')
  release()
  t.equal((await client.ended()).code, 4000)
})
