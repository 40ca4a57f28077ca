import { ContentError } from '@liaison/client-sdk'
import { toHex } from '@liaison/protocol'
import t from 'tap'
import { rejectsWithCode } from '../support/rejects-with-code.ts'
import {
  eventually,
  makeReport,
  openDevice,
  shown,
  startReportScenario,
  take,
} from '../support/sdk.ts'

t.test('a report is sealed, delivered, shown once, acknowledged and read', async (t) => {
  await using relay = await startReportScenario()
  const { network } = relay
  await using officer = await openDevice(relay, network.deviceOf('BF'))
  await using analyst = await openDevice(relay, network.deviceOf('FLU'))
  const report = makeReport(network, 'BF')
  const submission = await officer.submit(report, { topic: 'terrorism' })
  const receipt = await submission.accepted(AbortSignal.timeout(10_000))
  t.equal(receipt.rc, 0)
  const [delivery] = await take(analyst, 1)
  if (delivery?.kind !== 'report') throw new Error(`got ${delivery?.kind}`)
  t.same(delivery.report, report, 'the very content')
  t.equal(delivery.from.member, 'BF')
  t.equal(delivery.status, 'exercise')
  t.equal(delivery.handling, 'GREEN')
  t.equal(delivery.verified, true)
  t.equal(toHex(delivery.core), toHex(receipt.cid))

  await eventually(
    'the sender hears that it was received',
    () => submission.state.state === 'received',
  )
  await delivery.ack({ read: true })
  await eventually('... and read', () => submission.state.state === 'read')
  const readers = await submission.receipts()
  t.ok(readers.get(network.deviceOf('FLU').num)?.read, 'by the device that read it')

  const again = await officer.submit(report, { topic: 'terrorism' })
  t.equal(again.id, submission.id, 'the same report again is the same submission')
  await rejectsWithCode(
    t,
    officer.submit({ ...report, title: 'Another title' }, { topic: 'terrorism' }),
    'report_conflict',
  )
  t.equal((await shown(analyst)).length, 1)
})

t.test(
  'what may not be sent is refused at once, with its field, and nothing is kept',
  async (t) => {
    await using relay = await startReportScenario()
    const { network } = relay
    await using officer = await openDevice(relay, network.deviceOf('BF'))
    const report = makeReport(network, 'BF')
    const topic = 'terrorism'
    const error = await officer.submit({ ...report, title: '' }, { topic }).catch((e: unknown) => e)
    t.ok(
      error instanceof ContentError && error.problems[0]?.pointer === '/title',
      'the field is named',
    )
    await rejectsWithCode(t, officer.submit(report, { topic: 'nowhere' }), 'topic_unknown')
    await rejectsWithCode(
      t,
      officer.submit(makeReport(network, 'ML'), { topic }),
      'header_mismatch',
    )
    const actual = { ...report, meta: { ...report.meta, status: 'actual' } }
    await rejectsWithCode(t, officer.submit(actual, { topic }), 'exercise_mismatch')
    await rejectsWithCode(t, officer.submit(report, { topic, to: ['XX'] }), 'subject_unknown')
    const observer = await openDevice(relay, network.deviceOf('FR'))
    await rejectsWithCode(
      t,
      observer.submit(makeReport(network, 'FR'), { topic }),
      'publish_refused',
    )
    await observer.close()
    await using low = await openDevice(relay, network.deviceOf('NE'))
    const red = makeReport(network, 'NE')
    const marked = { ...red, meta: { ...red.meta, handling: { tlp: 'RED' } } }
    await rejectsWithCode(t, low.submit(marked, { topic }), 'clearance_insufficient')
    t.equal(officer.outbox.list().length, 0, 'the outbox is as before')
  },
)

t.test('a report for one member reaches it and the FLU, nobody else', async (t) => {
  await using relay = await startReportScenario()
  const { network } = relay
  await using officer = await openDevice(relay, network.deviceOf('BF'))
  await using mali = await openDevice(relay, network.deviceOf('ML'))
  await using niger = await openDevice(relay, network.deviceOf('NE'))
  await using analyst = await openDevice(relay, network.deviceOf('FLU'))
  const only = await officer.submit(makeReport(network, 'BF'), { topic: 'terrorism', to: ['ML'] })
  await only.accepted(AbortSignal.timeout(10_000))
  const everybody = await officer.submit(makeReport(network, 'BF'), { topic: 'terrorism' })
  await everybody.accepted(AbortSignal.timeout(10_000))
  t.equal((await take(mali, 2)).length, 2)
  t.equal((await take(analyst, 2)).length, 2)
  const [first] = await take(niger, 1)
  t.equal(
    first?.kind === 'report' && first.report.meta.id,
    everybody.id,
    'Niger sees the second only',
  )
  t.equal((await shown(niger)).length, 1)
})

t.test(
  'a device that was away catches up, and takes in each report once over many connections',
  async (t) => {
    await using relay = await startReportScenario()
    const { network } = relay
    await using officer = await openDevice(relay, network.deviceOf('BF'))
    for (let i = 0; i < 20; i++)
      await officer.submit(makeReport(network, 'BF'), { topic: 'terrorism' })
    await officer.outbox.flush({ signal: AbortSignal.timeout(10_000) })
    const device = network.deviceOf('ML')
    const late = await openDevice(relay, device)
    await take(late, 20)
    await late.close()
    await officer.submit(makeReport(network, 'BF'), { topic: 'terrorism' })
    await officer.outbox.flush({ signal: AbortSignal.timeout(10_000) })
    await using again = await openDevice(relay, device)
    const all = await take(again, 21)
    const ids = all.map((d) => (d.kind === 'report' ? d.report.meta.id : d.kind))
    t.equal(new Set(ids).size, 21, 'each once')
    t.equal((await shown(again)).length, 21)
  },
)

t.test(
  'reports written without a link wait, survive a restart of the program, and go out',
  async (t) => {
    await using relay = await startReportScenario()
    const { network } = relay
    const device = network.deviceOf('BF')
    const nowhere = 'ws://127.0.0.1:9/relay'
    const offline = await openDevice(relay, device, { url: nowhere, waitFor: 'store' })
    const report = makeReport(network, 'BF')
    const submission = await offline.submit(report, { topic: 'terrorism', idempotencyKey: 'k' })
    t.equal(submission.state.state, 'queued')
    await offline.close()

    await using online = await openDevice(relay, device)
    t.equal(online.outbox.get(report.meta.id)?.idempotencyKey, 'k', 'it is still there')
    await online.submission(report.meta.id).accepted(AbortSignal.timeout(10_000))
    await rejectsWithCode(
      t,
      online.submit(makeReport(network, 'BF'), { topic: 'terrorism', idempotencyKey: 'k' }),
      'report_conflict',
    )
    await rejectsWithCode(t, online.outbox.cancel(report.meta.id), 'item_busy')
    await rejectsWithCode(t, online.outbox.retry('nothing'), 'item_unknown')
  },
)

t.test('an unsent report can be cancelled; a store has one user at a time', async (t) => {
  await using relay = await startReportScenario()
  const { network } = relay
  const device = network.deviceOf('BF')
  await using offline = await openDevice(relay, device, {
    url: 'ws://127.0.0.1:9/relay',
    waitFor: 'store',
  })
  const submission = await offline.submit(makeReport(network, 'BF'), { topic: 'terrorism' })
  await offline.outbox.cancel(submission.id)
  t.equal(offline.outbox.list().length, 0)
  t.equal(submission.state.state, 'cancelled')
  await rejectsWithCode(t, openDevice(relay, device), 'store_locked')
})
