import { limits, randomBytes } from '@liaison/protocol'
import { relayLimits } from '@liaison/server'
import t from 'tap'
import { Composer } from '../support/composer.ts'
import { startScenario } from '../support/relay.ts'

/** Samples by name with labels, as a scrape shows them. */
async function scrape(operatorUrl: string): Promise<ReadonlyMap<string, number>> {
  const response = await fetch(`${operatorUrl}/metrics`)
  const text = await response.text()
  return new Map(
    text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => {
        const at = line.lastIndexOf(' ')
        return [line.slice(0, at), Number(line.slice(at + 1))] as const
      }),
  )
}

t.test('the operator sees what happens, and not who did it', async (t) => {
  await using relay = await startScenario()
  const { network } = relay
  const { operatorUrl } = relay.running
  const composer = new Composer(network, network.deviceOf('BF'))
  const publisher = await relay.client(composer.device)
  const reader = await relay.client(network.deviceOf('ML'))
  reader.subscribe(1, network.topic('terrorism'))
  await reader.barrier()
  const { envelope } = composer.seal()
  const payload = new Uint8Array(envelope.payload)
  payload[0] = (payload[0] ?? 0) ^ 1
  t.same((await publisher.publish({ ...envelope, payload })).codes, ['payload_mismatch'])
  t.same((await publisher.publish(envelope)).codes, ['ok'])
  await reader.next('deliver')
  t.same((await publisher.publish(envelope)).codes, ['ok'], 'a repetition')

  const before = await scrape(operatorUrl)
  t.equal(before.get('liaison_envelopes_accepted_total'), 1)
  t.equal(before.get('liaison_envelopes_refused_total{code="payload_mismatch"}'), 1)
  t.equal(before.get('liaison_append_seconds_count'), 1)
  t.equal(before.get('liaison_delivery_seconds_count'), 1)
  t.equal(before.get('liaison_connections'), 2)
  t.equal(before.get('liaison_outstanding_deliveries'), 1)
  const { log } = relay.running.relay.source
  t.equal(before.get('liaison_audit_leaves_total'), log.leafCount())
  t.equal(before.get('liaison_suspensions_total'), 0)
  t.ok((before.get('liaison_bytes_total{direction="in"}') ?? 0) > envelope.slots.length)
  t.ok((before.get('liaison_bytes_total{direction="out"}') ?? 0) > envelope.payload.length)
  t.ok([...before.keys()].some((name) => name.startsWith('liaison_build_info{version="')))

  const admin = await relay.administrator(3)
  const stolen = network.deviceOf('ML')
  await admin.append(network.sign('suspend', { dev: stolen.num, why: 'stolen' }, [3]))
  const after = await scrape(operatorUrl)
  t.equal(after.get('liaison_suspensions_total'), 1)
  t.equal(after.get('liaison_suspend_seconds_count'), 1)
  t.equal(after.get('liaison_outstanding_deliveries'), 0)
  const labels = [...after.keys()]
    .filter((name) => name.startsWith('liaison_'))
    .flatMap((name) => [...name.matchAll(/([a-z]+)="/g)].map((match) => match[1]))
  t.same([...new Set(labels)].sort(), ['code', 'direction', 'le', 'version'])
})

t.test('documents come out of the same quota as envelopes', async (t) => {
  await using relay = await startScenario({}, { monotonic: () => 0 })
  const client = await relay.client(relay.network.deviceOf('BF'))
  const documents = Array.from({ length: 8 }, () => randomBytes(limits.blobBytesMax))
  const frameBytes = documents.length * limits.blobBytesMax
  const fitting = Math.floor(relayLimits.publishBytesBurst / frameBytes)
  for (let sent = 0; sent < fitting; sent++) {
    // They are no keys, so that nothing is written; what they cost is counted before that.
    const blobs = documents.map((bytes) => ['key', bytes] as const)
    client.send({ kind: 'blob-put', rq: client.newRq(), blobs })
    const code = await client.nextError()
    // With what stands around the documents, the last frame does not fit any more.
    if (code !== (sent < fitting - 1 ? 'blob_refused' : 'quota_exceeded')) t.fail(code)
  }
  t.same(
    (
      await client.publish(
        new Composer(relay.network, relay.network.deviceOf('BF')).seal().envelope,
      )
    ).codes,
    ['ok'],
  )
})
