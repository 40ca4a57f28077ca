/** What is altered on the way, and what a member seals wrongly on purpose; the reader is the real SDK. */
import { type DeliverItem, errorRow, toHex } from '@liaison/protocol'
import { schemaHash } from '@liaison/schemas'
import t from 'tap'
import { itemOf, placeOf, withSlot } from '../support/hostile-sender.ts'
import { seededBytes } from '../support/network.ts'
import type { TestRelay } from '../support/relay.ts'
import {
  eventually,
  makeReport,
  openDevice,
  shown,
  startReportScenario,
  type Tamper,
  take,
} from '../support/sdk.ts'
import { badAcks, openVictim, spotReporter } from '../support/victim.ts'

/** Checks the slots of every report. */
const reader = (relay: TestRelay, tamper?: Tamper) => openVictim(relay, tamper, { random: () => 0 })

const flip = (bytes: Uint8Array, at: number): Uint8Array => {
  const out = bytes.slice()
  out[at] = (out[at] ?? 0) ^ 1
  return out
}

/** Ways to spoil the second item of a topic on its way, and how the reader sees it. */
const spoilt: readonly (readonly [
  string,
  string,
  (item: Extract<DeliverItem, { form: 'full' }>) => DeliverItem,
])[] = [
  ['payload', 'payload_mismatch', (item) => ({ ...item, payload: flip(item.payload, 30) })],
  ['slot', 'slots_mismatch', (item) => ({ ...item, slot: flip(item.slot, 1130) })],
  ['path', 'slots_mismatch', (item) => ({ ...item, path: flip(item.path, 3) })],
  ['place', 'not_addressed', (item) => ({ ...item, idx: item.idx - 1 })],
  ['signature', 'signature_invalid', (item) => ({ ...item, sig: flip(item.sig, 5) })],
  [
    'seal',
    'signature_invalid',
    (item) => ({ ...item, seal: flip(item.seal, item.seal.length - 1) }),
  ],
  ['header', 'cbor_malformed', (item) => ({ ...item, ctx: flip(item.ctx, 0) })],
]

for (const [part, code, spoil] of spoilt) {
  t.test(
    `attack 7: a spoilt ${part} is told as ${code}; the good copy is fetched later`,
    async (t) => {
      await using relay = await startReportScenario()
      const { composer, next } = spotReporter(relay)
      const publisher = await relay.client(composer.device)
      const [zeroth, first, second] = [next(), next(), next()]
      await publisher.publish(zeroth.envelope, first.envelope)
      const tamper: Tamper = (frame) => {
        if (frame.kind !== 'deliver') return [frame]
        const items = frame.items.map((item) =>
          item.form === 'full' && item.cursor === 2 ? spoil(item) : item,
        )
        return [{ ...frame, items }]
      }
      await using victim = await reader(relay, tamper)
      const [, closed] = await take(victim, 2)
      t.match(closed, { kind: 'undecryptable', reason: code })
      await publisher.publish(second.envelope)
      await take(victim, 4)
      const cores = (await shown(victim)).map((d) => (d.kind === 'report' ? toHex(d.core) : d.kind))
      t.same(cores, [toHex(zeroth.core), 'undecryptable', toHex(first.core), toHex(second.core)])
    },
  )
}

t.test(
  'attack 5: a report under the heading of another topic is told and not acknowledged',
  async (t) => {
    await using relay = await startReportScenario()
    const { composer, next } = spotReporter(relay)
    const publisher = await relay.client(composer.device)
    const { envelope, core } = next()
    await publisher.publish(envelope)
    const arms = relay.network.topic('arms')
    const tamper: Tamper = (frame) =>
      frame.kind === 'deliver' ? [{ ...frame, sub: arms + 1 }] : [frame]
    await using victim = await reader(relay, tamper)
    const [closed] = await take(victim, 1)
    t.match(closed, { kind: 'undecryptable', reason: 'header_mismatch', topic: 'arms' })
    await victim.outbox.flush()
    t.same(await badAcks(relay, core), [])
  },
)

t.test('a slot that does not open is told, and acknowledged to the sender as bad', async (t) => {
  await using relay = await startReportScenario()
  const { network } = relay
  const { composer, next } = spotReporter(relay)
  const publisher = await relay.client(composer.device)
  const { envelope } = next()
  const idx = placeOf(network, envelope, network.deviceOf('ML'))
  const hostile = withSlot(network, composer.device, envelope, idx, seededBytes('garbage', 1168))
  t.same((await publisher.publish(hostile.envelope)).codes, ['ok'], 'no relay can see it')
  await using victim = await reader(relay)
  const [closed] = await take(victim, 1)
  t.match(closed, { kind: 'undecryptable', reason: 'slot_unopenable', from: { member: 'BF' } })
  await victim.outbox.flush()
  const { n } = errorRow('slot_unopenable')
  t.same(await badAcks(relay, hostile.core), [n])
})

t.test(
  'attack 11: garbage in the slot of the unit: a reader proves it, the notice reaches the unit',
  async (t) => {
    await using relay = await startReportScenario()
    const { network } = relay
    const { composer, next } = spotReporter(relay)
    const publisher = await relay.client(composer.device)
    const { envelope } = next()
    const hostile = withSlot(network, composer.device, envelope, 0, seededBytes('garbage', 1168))
    t.same((await publisher.publish(hostile.envelope)).codes, ['ok'])
    await using unit = await openDevice(relay, network.deviceOf('FLU'))
    t.match((await take(unit, 1))[0], { kind: 'undecryptable', reason: 'slot_unopenable' })
    await using member = await reader(relay)
    t.match((await take(member, 1))[0], { kind: 'report' }, 'the member itself can read it')
    const [, notice] = await take(unit, 2)
    t.match(notice, {
      kind: 'report',
      schema: 'violation',
      from: { member: 'ML' },
      report: { coreHash: toHex(hostile.core), reason: 'slots', fk: /^[0-9a-f]{64}$/ },
    })
    await member.outbox.flush()
    t.ok((await badAcks(relay, hostile.core)).includes(errorRow('slot_check_failed').n))
  },
)

t.test('a body that breaks its schema is withheld, and the unit is told', async (t) => {
  await using relay = await startReportScenario()
  const { network } = relay
  const { composer, next } = spotReporter(relay)
  const publisher = await relay.client(composer.device)
  const { envelope, core } = next({ ...makeReport(network, 'BF'), title: 7, secret: 'kept away' })
  await publisher.publish(envelope)
  await using member = await reader(relay)
  const [closed] = await take(member, 1)
  t.match(closed, { kind: 'undecryptable', reason: 'content_invalid' })
  t.notMatch(JSON.stringify(closed), /kept away/)
  await using unit = await openDevice(relay, network.deviceOf('FLU'))
  await eventually('the notice came', async () => (await shown(unit)).length >= 2)
  const notices = (await shown(unit)).filter((d) => d.kind === 'report')
  t.match(notices[0], { schema: 'violation', report: { coreHash: toHex(core), reason: 'content' } })
})

t.test(
  'two signed reports for one place: the second is told as a conflict, and not shown',
  async (t) => {
    await using relay = await startReportScenario()
    const { network } = relay
    const { composer, next } = spotReporter(relay)
    const publisher = await relay.client(composer.device)
    const other = composer.seal({
      hc: 1,
      body: JSON.stringify(makeReport(network, 'BF', { title: 'The other story' })),
      ctx: { sch: schemaHash('spotrep') },
      keepPlace: true,
    })
    const first = next()
    t.same((await publisher.publish(first.envelope)).codes, ['ok'])
    t.same(
      (await publisher.publish(other.envelope)).codes,
      ['seq_reused'],
      'an honest relay refuses',
    )
    let told = 0
    const collude: Tamper = (frame) => {
      if (frame.kind !== 'deliver') return [frame]
      // Twice, under two cursors: one conflict is one row.
      const more = [7, 8].map((cursor) =>
        itemOf(network, other.envelope, network.deviceOf('ML'), cursor),
      )
      told++
      return [{ ...frame, items: [...frame.items, ...more] }]
    }
    await using victim = await reader(relay, collude)
    const [report, conflict] = await take(victim, 2)
    t.match(report, { kind: 'report', verified: true })
    t.match(conflict, { kind: 'undecryptable', reason: 'chain_conflict', from: { member: 'BF' } })
    await victim.outbox.flush()
    t.same(
      await badAcks(relay, other.core),
      [errorRow('chain_conflict').n].slice(0, 0),
      'the relay does not know it',
    )
    t.equal((await shown(victim)).length, 2)
    t.equal(told, 1)
  },
)

t.test('an envelope for somebody else is told and leaves no acknowledgement', async (t) => {
  await using relay = await startReportScenario()
  const { network } = relay
  const { composer } = spotReporter(relay)
  const publisher = await relay.client(composer.device)
  const private_ = composer.seal({
    hc: 1,
    to: [network.member('NE')],
    ctx: { sch: schemaHash('spotrep') },
  })
  t.same((await publisher.publish(private_.envelope)).codes, ['ok'])
  const stray: Tamper = (frame) => {
    if (frame.kind !== 'deliver') return [frame]
    const item = itemOf(network, private_.envelope, network.deviceOf('NE'), 1)
    return [{ ...frame, items: [item] }]
  }
  await using victim = await reader(relay, stray)
  t.match((await take(victim, 1))[0], { kind: 'undecryptable', reason: 'not_addressed' })
  await victim.outbox.flush()
  t.same(await badAcks(relay, private_.core), [])
})
