import type { Delivery, Session } from '@liaison/client-sdk'
import { TestNetwork } from '@liaison/client-sdk/testing'
import t from 'tap'
import { rejectsWithCode } from '../support/rejects-with-code.ts'

const start = (): Promise<TestNetwork> =>
  TestNetwork.start({ members: ['BF', 'ML'], topics: ['terrorism'], schemas: ['spotrep'] })

/** A valid report of a member. */
async function send(network: TestNetwork, session: Session, title: string): Promise<string> {
  const draft = await session.compose('spotrep', {
    title,
    summary: 'Twenty vehicles.',
    activity: { code: 'movement' },
    place: { country: 'ML', precision: 'admin1' },
    time: { from: '2025-12-30T06:00:00Z', precision: 'day' },
    meta: { status: 'exercise', precedence: 'routine', handling: { tlp: 'GREEN' }, lang: 'en' },
  })
  network.clock.advance(1000)
  return (await session.submit(draft, { topic: 'terrorism' })).id
}

async function receive(session: Session, count: number): Promise<Delivery[]> {
  const out: Delivery[] = []
  const signal = AbortSignal.timeout(10_000)
  for await (const item of session.subscribe({}, { from: 'all', signal })) {
    out.push(item)
    if (out.length === count) return out
  }
  throw new Error(`${out.length} of ${count}`)
}

t.test('a program is tried on a whole network in its own process', async (t) => {
  const network = await start()
  await using officer = await network.connect('BF')
  await using reader = await network.connect('ML')
  await using unit = await network.connect('FLU')
  const id = await send(network, officer, 'Column at dusk')
  const states: string[] = []
  const watched = (async () => {
    for await (const { state } of officer.submission(id)) states.push(state)
  })()
  const [item] = await receive(reader, 1)
  t.match(item, { kind: 'report', report: { title: 'Column at dusk' }, verified: true })
  t.match(await receive(unit, 1), [{ kind: 'report' }], 'the unit has everything')
  if (item?.kind === 'report') await item.ack({ read: true })
  await watched
  t.same(states.slice(-1), ['read'])
  const receipts = await officer.submission(id).receipts()
  t.ok(receipts.get(reader.me.num)?.read)
})

t.test('what waits without a relay goes out once, and survives a restart', async (t) => {
  const network = await start()
  const before = await network.connect('BF')
  network.relay.stop()
  const id = await send(network, before, 'Written offline')
  await before.close()
  network.relay.start()
  await using officer = await network.connect('BF')
  await officer.submission(id).accepted(AbortSignal.timeout(10_000))
  await using reader = await network.connect('ML')
  t.match(await receive(reader, 1), [{ report: { title: 'Written offline' } }])
  await send(network, officer, 'And another')
  t.equal((await receive(reader, 2)).length, 2)
})

t.test('keys are renewed as time goes by; a suspended device is let go', async (t) => {
  const network = await start()
  const first = await network.connect('BF')
  const week = first.me.lastWeek
  await first.close()
  network.clock.advance(14 * 86_400_000)
  await using officer = await network.connect('BF')
  t.equal(officer.me.lastWeek, week + 2)
  await using reader = await network.connect('ML')
  network.suspend('BF')
  t.equal((await officer.closed).code, 'device_inactive')
  await rejectsWithCode(t, network.connect('BF'), 'device_inactive')
  await rejectsWithCode(t, (async () => network.connect('XX'))(), 'subject_unknown')
  t.equal(reader.state, 'online')
})
