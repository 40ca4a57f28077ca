/** Notices of violations, true and false, as a device of the unit judges them. */
import { decodeSeal, type ErrorCode, errorRow, limits, toHex } from '@liaison/protocol'
import { schemaHash } from '@liaison/schemas'
import { openEnvelope, type Sealed } from '@liaison/seal'
import t from 'tap'
import { Composer } from '../support/composer.ts'
import { pairOf } from '../support/epoch-keys.ts'
import { itemOf, placeOf, withSlot } from '../support/hostile-sender.ts'
import { seededBytes, type TestNetwork } from '../support/network.ts'
import {
  eventually,
  hostileWebSocket,
  makeReport,
  openDevice,
  shown,
  startReportScenario,
  type Tamper,
  take,
} from '../support/sdk.ts'
import { badAcks, spotReporter } from '../support/victim.ts'

type Report = Pick<Sealed, 'envelope' | 'core'>

/** The message key of a report, as its reader at ML gets it. */
function keyOf(network: TestNetwork, { envelope }: Report): string {
  const device = network.deviceOf('ML')
  const idx = placeOf(network, envelope, device)
  const { kid, secretKey } = pairOf(network, device, network.now)
  const seal = decodeSeal(envelope.seal)
  if (!seal.ok) throw new Error(seal.error)
  const opened = openEnvelope({
    net: network.directory.net,
    ctx: envelope.ctx,
    seal: seal.value,
    payload: envelope.payload,
    idx,
    slot: envelope.slots.subarray(idx * limits.slotBytes, (idx + 1) * limits.slotBytes),
    kid,
    secretKey,
  })
  if (!opened.ok) throw new Error(opened.error)
  return toHex(opened.value.messageKey)
}

/** Somebody at ML who writes notices by hand. */
function notifier(network: TestNetwork) {
  const composer = new Composer(network, network.deviceOf('ML'))
  const about = (report: Report, reason: string, changes: object = {}): Sealed =>
    composer.seal({
      hc: 4,
      to: [],
      body: JSON.stringify({
        type: 'violation',
        version: 1,
        coreHash: toHex(report.core),
        fk: keyOf(network, report),
        reason,
        ...changes,
      }),
      ctx: { k: 5, ref: report.core, sch: schemaHash('violation') },
    })
  return { device: composer.device, about }
}

t.test(
  'attack 36: who accuses must prove it; slander is refused and told to its author',
  async (t) => {
    await using relay = await startReportScenario()
    const { network } = relay
    const { composer, next } = spotReporter(relay)
    const sender = await relay.client(composer.device)
    const good = next()
    const another = next()
    const broken = next({ ...makeReport(network, 'BF'), title: 7 })
    const red = { ...makeReport(network, 'BF'), title: 'Wrong label' }
    const mislabelled = next({ ...red, meta: { ...red.meta, handling: { tlp: 'RED' } } })
    const keyless = withSlot(network, composer.device, next().envelope, 0, seededBytes('x', 1168))
    const reports = [good, another, broken, mislabelled, keyless]
    t.same(
      (await sender.publish(...reports.map(({ envelope }) => envelope))).codes,
      reports.map(() => 'ok'),
    )
    const { device, about } = notifier(network)
    const never = { core: seededBytes('a core', 32), envelope: good.envelope }
    const cases = [
      ['a valid report, with its key', 'not-proved', about(good, 'content')],
      ['… under another label', 'not-proved', about(good, 'handling')],
      ['… with a wrong slot', 'not-proved', about(good, 'slots')],
      [
        '… that breaks its schema',
        'not-proved',
        about(good, 'schema', { keyword: 'type', schemaPath: '#/properties/title' }),
      ],
      ['a key of one’s own', 'not-proved', about(broken, 'content', { fk: 'ab'.repeat(32) })],
      [
        'the key of another report',
        'not-proved',
        about(broken, 'content', { fk: keyOf(network, good) }),
      ],
      [
        'a heading about another report',
        'not-proved',
        about(broken, 'content', { coreHash: toHex(good.core) }),
      ],
      ['a report that nobody has', 'unchecked', about(never, 'content')],
      ['a body that breaks its schema', 'proved', about(broken, 'content')],
      ['a wrong label', 'proved', about(mislabelled, 'handling')],
      ['a slot that does not open', 'proved', about(keyless, 'slots')],
      ['… but the content is right', 'not-proved', about(keyless, 'content')],
    ] as const
    const accuser = await relay.client(device)
    t.same(
      (await accuser.publish(...cases.map(([, , { envelope }]) => envelope))).codes,
      cases.map(() => 'ok'),
      'no relay can judge them',
    )
    await using unit = await openDevice(relay, network.deviceOf('FLU'))
    const fromMali = async () =>
      (await shown(unit)).filter((d) => d.kind === 'report' && d.from.member === 'ML')
    await eventually('all notices came', async () => (await fromMali()).length === cases.length)
    const verdicts = (await fromMali()).map((d) => d.kind === 'report' && d.proof)
    t.same(
      verdicts.map((verdict, i) => [cases[i]?.[0], verdict]),
      cases.map(([what, verdict]) => [what, verdict]),
    )
    await unit.outbox.flush()
    const code = (name: ErrorCode): number => errorRow(name).n
    for (const [what, verdict, { core }] of cases) {
      const refused = verdict === 'not-proved' ? [code('notice_unproved')] : []
      t.same(await badAcks(relay, core, 'ML'), refused, what)
    }
  },
)

t.test('a relay that gives another envelope convicts and acquits nobody', async (t) => {
  await using relay = await startReportScenario()
  const { network } = relay
  const { composer, next } = spotReporter(relay)
  const sender = await relay.client(composer.device)
  const [good, broken] = [next(), next({ ...makeReport(network, 'BF'), title: 7 })]
  await sender.publish(good.envelope, broken.envelope)
  const { device, about } = notifier(network)
  const accuser = await relay.client(device)
  await accuser.publish(about(good, 'content').envelope, about(broken, 'content').envelope)
  const unitDevice = network.deviceOf('FLU')
  const itemsOf = [good, broken].map(({ envelope }) => itemOf(network, envelope, unitDevice, 1))
  let asked = 0
  const swap: Tamper = (frame) =>
    frame.kind === 'fetched'
      ? [{ ...frame, items: itemsOf.slice(1 - asked, 2 - asked++) }]
      : [frame]
  await using unit = await openDevice(relay, unitDevice, { webSocket: hostileWebSocket(swap) })
  const all = await take(unit, 4)
  t.same(
    all.flatMap((d) => (d.kind === 'report' && d.schema === 'violation' ? [d.proof] : [])),
    ['unchecked', 'unchecked'],
  )
  t.equal(asked, 2)
})
