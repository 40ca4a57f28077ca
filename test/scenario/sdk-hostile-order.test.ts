/** A relay that repeats, reorders, drops and misplaces what it delivers; the reader is the real SDK. */
import type { DeliverItem } from '@liaison/protocol'
import t from 'tap'
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
import { onItems, openVictim } from '../support/victim.ts'

/** Sends `n` reports of a member; each is accepted before the next. @returns their ids */
async function send(relay: TestRelay, member: string, n: number): Promise<string[]> {
  await using officer = await openDevice(relay, relay.network.deviceOf(member))
  const ids: string[] = []
  for (let i = 0; i < n; i++) {
    const submission = await officer.submit(makeReport(relay.network, member), {
      topic: 'terrorism',
    })
    await submission.accepted(AbortSignal.timeout(10_000))
    ids.push(submission.id)
  }
  return ids
}

const names = (deliveries: Awaited<ReturnType<typeof shown>>): string[] =>
  deliveries.map((d) => (d.kind === 'report' ? d.report.meta.id : d.kind))

t.test('attack 2: what comes again, under the same or new cursors, is shown once', async (t) => {
  await using relay = await startReportScenario()
  const ids = await send(relay, 'BF', 4)
  await using victim = await openVictim(
    relay,
    onItems((items) => [
      [...items],
      [...items],
      items.map((item, i) => ({ ...item, cursor: 100 + i })),
      [...items].reverse().map((item, i) => ({ ...item, cursor: 200 + i })),
    ]),
  )
  await take(victim, 4)
  const last = await send(relay, 'NE', 1)
  await take(victim, 5)
  t.same(names(await shown(victim)), [...ids, ...last])
})

t.test(
  'attack 3: delivered in another order, reports of one sender are shown in order',
  async (t) => {
    await using relay = await startReportScenario()
    const ids = await send(relay, 'BF', 5)
    await using victim = await openVictim(
      relay,
      onItems((items) => [[...items].reverse()]),
    )
    await take(victim, 5)
    t.same(names(await shown(victim)), ids, 'the earlier ones were asked for')
  },
)

t.test('attack 3: reports of different senders in another order are all shown', async (t) => {
  await using relay = await startReportScenario()
  const ids = [
    ...(await send(relay, 'BF', 1)),
    ...(await send(relay, 'NE', 1)),
    ...(await send(relay, 'FLU', 1)),
  ]
  await using victim = await openVictim(
    relay,
    onItems((items) => [...items].reverse().map((item) => [item])),
  )
  await take(victim, 3)
  t.same(names(await shown(victim)).sort(), [...ids].sort(), 'a cursor is not what decides')
})

t.test('attack 3: a dropped report is asked for and shown in its place', async (t) => {
  await using relay = await startReportScenario()
  const ids = await send(relay, 'BF', 4)
  await using victim = await openVictim(
    relay,
    onItems((items) => [items.filter((item) => item.cursor !== 2 && item.cursor !== 3)]),
  )
  await take(victim, 4)
  t.same(names(await shown(victim)), ids)
})

t.test('attack 3: a report that stays away is a gap that everybody sees', async (t) => {
  await using relay = await startReportScenario()
  const ids = await send(relay, 'BF', 4)
  const drop: Tamper = (frame) => {
    if (frame.kind === 'fetched') return [{ ...frame, items: [] }]
    if (frame.kind !== 'deliver') return [frame]
    return [
      { ...frame, items: frame.items.filter((item) => item.cursor !== 2 && item.cursor !== 3) },
    ]
  }
  await using victim = await openVictim(relay, drop)
  const [first, gap, last] = await take(victim, 3)
  t.equal(first?.kind === 'report' && first.report.meta.id, ids[0])
  t.match(gap, { kind: 'gap', device: relay.network.deviceOf('BF').num, from: 1, to: 2 })
  t.equal(last?.kind === 'report' && last.report.meta.id, ids[3])
})

t.test('attack 3: a refused or empty answer to the question is a gap too', async (t) => {
  await using relay = await startReportScenario()
  await send(relay, 'BF', 3)
  const refuse: Tamper = (frame) => {
    if (frame.kind === 'fetched') {
      return [{ kind: 'error', code: 11, rq: frame.rq, text: 'no', retryAfterMs: 0 }]
    }
    if (frame.kind !== 'deliver') return [frame]
    return [{ ...frame, items: frame.items.filter((item) => item.cursor !== 2) }]
  }
  await using victim = await openVictim(relay, refuse)
  const [, gap] = await take(victim, 3)
  t.match(gap, { kind: 'gap', from: 1, to: 1 })
})

t.test('a report that was a gap and comes late is shown, once', async (t) => {
  await using relay = await startReportScenario()
  const ids = await send(relay, 'BF', 3)
  let held: DeliverItem | undefined
  let hold = true
  const late: Tamper = (frame) => {
    if (frame.kind === 'fetched' && hold) return [{ ...frame, items: [] }]
    if (frame.kind !== 'deliver') return [frame]
    held ??= frame.items.find((item) => item.cursor === 2)
    const items = frame.items.filter((item) => item.cursor !== 2)
    if (hold || held === undefined) return [{ ...frame, items }]
    return [{ ...frame, items: [...items, { ...held, cursor: 90 }] }]
  }
  await using victim = await openVictim(relay, late)
  await take(victim, 3)
  hold = false
  const [next] = await send(relay, 'BF', 1)
  await take(victim, 5)
  t.same(names(await shown(victim)), [ids[0], 'gap', ids[2], next, ids[1]])
})

t.test('items for no subscription of ours are refused and leave nothing behind', async (t) => {
  await using relay = await startReportScenario()
  const ids = await send(relay, 'BF', 1)
  for (const sub of [0, 60_000]) {
    const stray: Tamper = (frame) => (frame.kind === 'deliver' ? [{ ...frame, sub }] : [frame])
    const victim = await openVictim(relay, stray)
    t.equal((await victim.closed).code, 'frame_unexpected', `subscription ${sub}`)
    t.same(await shown(victim), [])
    await victim.close()
  }
  await using honest = await openDevice(relay, relay.network.deviceOf('ML'))
  await take(honest, 1)
  t.same(names(await shown(honest)), ids, 'an honest relay is heard afterwards')
})

t.test('a relay that claims to have skipped everything does not make a device deaf', async (t) => {
  await using relay = await startReportScenario()
  const ids = await send(relay, 'BF', 2)
  const far = Number.MAX_SAFE_INTEGER
  let lied = false
  const skip: Tamper = (frame) => {
    if (frame.kind !== 'deliver') return [frame]
    lied = true
    return [{ ...frame, items: [{ form: 'skip', cursor: 1, to: far }] }]
  }
  const victim = await openVictim(relay, skip)
  await eventually('the lie was told', () => lied)
  await victim.close()
  await using honest = await openDevice(relay, relay.network.deviceOf('ML'))
  await take(honest, 2)
  t.same(names(await shown(honest)), ids)
})
