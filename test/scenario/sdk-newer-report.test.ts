/** A report of a version that the reader's release does not know, which the directory allows. */
import { sha256, utf8 } from '@liaison/protocol'
import { commonFields } from '@liaison/schemas'
import t from 'tap'
import { Composer } from '../support/composer.ts'
import { makeReport, openDevice, startReportScenario, take } from '../support/sdk.ts'

t.test('an older client keeps a newer report whole and shows its common fields', async (t) => {
  const hash = sha256(utf8('spotrep, version 2'))
  await using relay = await startReportScenario({ schemas: [{ name: 'spotrep', hash }] })
  const { network } = relay
  const report = {
    ...makeReport(network, 'BF', { version: 2 }),
    altitude: { metres: 310, datum: ['EGM96', null, 0.5] },
  }
  const composer = new Composer(network, network.deviceOf('BF'))
  const publisher = await relay.client(composer.device)
  const { envelope } = composer.seal({ hc: 1, body: JSON.stringify(report), ctx: { sch: hash } })
  t.same((await publisher.publish(envelope)).codes, ['ok'])
  await using reader = await openDevice(relay, network.deviceOf('ML'))
  const [delivery] = await take(reader, 1)
  if (delivery?.kind !== 'report') throw new Error(`shown as ${delivery?.kind}`)
  t.equal(delivery.schema, '', 'no schema of this release')
  t.equal(JSON.stringify(delivery.report), JSON.stringify(report))
  t.match(commonFields(delivery.report), {
    type: 'spotrep',
    version: 2,
    id: report.meta.id,
    title: report.title,
    tlp: 'GREEN',
  })
})

t.test('what a newer report says of itself must still agree with its header', async (t) => {
  const hash = sha256(utf8('spotrep, version 2'))
  await using relay = await startReportScenario({ schemas: [{ name: 'spotrep', hash }] })
  const { network } = relay
  const composer = new Composer(network, network.deviceOf('BF'))
  const publisher = await relay.client(composer.device)
  const good = makeReport(network, 'BF', { version: 2 })
  const lies = [
    ['handling_mismatch', { ...good.meta, handling: { tlp: 'RED' } }],
    ['handling_mismatch', { ...good.meta, handling: null }],
    ['header_mismatch', { ...good.meta, originator: 'ML' }],
    ['exercise_mismatch', { ...good.meta, status: 'actual' }],
    ['handling_mismatch', 'no fields at all'],
  ] as const
  for (const [, meta] of lies) {
    const body = JSON.stringify({ ...good, meta })
    const { envelope } = composer.seal({ hc: 1, body, ctx: { sch: hash } })
    t.same((await publisher.publish(envelope)).codes, ['ok'], 'no relay can see it')
  }
  await using reader = await openDevice(relay, network.deviceOf('ML'))
  t.same(
    (await take(reader, lies.length)).map((d) => d.kind === 'undecryptable' && d.reason),
    lies.map(([code]) => code),
  )
  t.same(reader.outbox.list(), [], 'no notice: who does not know a type cannot prove a fault of it')
})
