import type { ClientStore, Delivery, HistoryQuery, Session } from '@liaison/client-sdk'
import t from 'tap'
import { makeReport, openDevice, startReportScenario, take } from '../support/sdk.ts'

async function titles(session: Session, query: HistoryQuery): Promise<string[]> {
  const out: string[] = []
  for await (const item of session.history(query)) out.push(titleOf(item))
  return out
}

const titleOf = (item: Delivery): string => (item.kind === 'report' ? item.report.title : item.kind)

t.test('history goes backwards by pages, or forwards, and holds one page at a time', async (t) => {
  await using relay = await startReportScenario()
  const { network } = relay
  await using officer = await openDevice(relay, network.deviceOf('BF'))
  const count = 140
  for (let i = 1; i <= count; i++) {
    await officer.submit(makeReport(network, 'BF', { title: `Report ${i}` }), {
      topic: i % 3 === 0 ? 'terrorism' : 'arms',
    })
  }
  let most = 0
  const counting = (store: ClientStore): ClientStore => ({
    get: (...args) => store.get(...args),
    commit: (...args) => store.commit(...args),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
    list: async (table, query) => {
      const rows = await store.list(table, query)
      if (table === 'inbox') most = Math.max(most, rows.length)
      return rows
    },
  })
  await using reader = await openDevice(relay, network.deviceOf('ML'), { wrapStore: counting })
  const all = (await take(reader, count)).map(titleOf)
  const backwards = [...all].reverse()
  t.same(await titles(reader, {}), backwards, 'newest first')
  t.same(await titles(reader, { after: '0' }), all, 'oldest first')
  t.ok(most > 0 && most <= 128, `${most} rows at a time`)

  const page: Delivery[] = []
  for await (const item of reader.history({ limit: 100 })) page.push(item)
  t.same(page.map(titleOf), backwards.slice(0, 100))
  const before = page.at(-1)?.cursor ?? ''
  t.same(await titles(reader, { before, limit: 30 }), backwards.slice(100, 130), 'the next page')
  t.same(await titles(reader, { before: '1' }), [], 'nothing is before the first')
  t.same(await titles(reader, { after: before, limit: 2 }), all.slice(41, 43))
  t.same(
    await titles(reader, { topics: ['terrorism'], limit: 2 }),
    backwards.filter((title) => Number(title.slice(7)) % 3 === 0).slice(0, 2),
    'a limit counts what is shown',
  )
  await t.rejects(titles(reader, { before: '1', after: '1' }), TypeError)
  await t.rejects(titles(reader, { before: 'x' }), { code: 'not_found' })
})

t.test('a conversation is put together from what a device received and what it sent', async (t) => {
  await using relay = await startReportScenario()
  const { network } = relay
  await using burkina = await openDevice(relay, network.deviceOf('BF'))
  await using mali = await openDevice(relay, network.deviceOf('ML'))
  const claim = makeReport(network, 'BF', { title: 'A column of twenty' })
  await (await burkina.submit(claim, { topic: 'terrorism' })).accepted()
  await take(mali, 1)
  const confirmation = makeReport(network, 'ML', {
    title: 'Seen here too',
    derivedFrom: [{ id: claim.meta.id, relation: 'confirms' }],
  })
  await (await mali.submit(confirmation, { topic: 'terrorism' })).accepted()
  await take(burkina, 1)
  for (const session of [burkina, mali]) {
    const found = await session.corroboration(claim.meta.id)
    t.equal(found?.sources, 2, 'two sources, wherever one asks')
    t.same(found?.support.map(({ member }) => member).sort(), ['BF', 'ML'])
  }
  const thread = await mali.thread(claim.meta.id)
  t.ok(
    thread?.entries.some(({ id, confirmedBy }) => id === claim.meta.id && confirmedBy.length > 0),
  )
  t.equal(await mali.thread('0195a1c0-0000-7000-8000-ffffffffffff'), null)
  t.same(await mali.openActions(), [])
})
