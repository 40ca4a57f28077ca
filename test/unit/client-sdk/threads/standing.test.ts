import t from 'tap'
import { threadOf } from '../../../../client-sdk/src/threads/index.ts'
import { coreOf, delivered, feedback, idOf, march, spotrep } from '../../../support/deliveries.ts'

const now = march('20T00:00:00')
const update = (...references: readonly string[]): object => ({ msgType: 'update', references })

t.test('a newer version supersedes, whichever comes first', (t) => {
  const items = [
    delivered({ n: 3, member: 'ML', issued: '17T11:00:00', body: spotrep, meta: update(idOf(2)) }),
    delivered({ n: 1, member: 'ML', body: spotrep }),
    delivered({
      n: 2,
      member: 'ML',
      issued: '17T10:00:00',
      body: spotrep,
      meta: update(coreOf(1)),
    }),
  ]
  for (const order of [items, [...items].reverse()]) {
    const thread = threadOf(order, idOf(2), { now })
    t.equal(thread?.root, idOf(1))
    t.same(
      thread?.entries.map(({ id, state, by }) => [id, state, by]),
      [
        [idOf(1), 'superseded', coreOf(2)],
        [idOf(2), 'superseded', coreOf(3)],
        [idOf(3), 'current', null],
      ],
    )
  }
  t.end()
})

t.test('a withdrawal, and what cannot replace a report', (t) => {
  const thread = threadOf(
    [
      delivered({ n: 1, member: 'ML', body: spotrep }),
      delivered({ n: 2, member: 'NE', body: spotrep, meta: update(idOf(1)) }),
      delivered({
        n: 3,
        member: 'ML',
        issued: '17T08:00:00',
        body: spotrep,
        meta: update(idOf(1)),
      }),
      delivered({
        n: 4,
        member: 'ML',
        body: { type: 'intrep', facts: [{ text: 'A fact.' }] },
        meta: { msgType: 'cancel', references: [idOf(1)] },
      }),
    ],
    idOf(1),
    { now },
  )
  t.equal(thread?.entries.find(({ id }) => id === idOf(1))?.state, 'current')
  const cancelled = threadOf(
    [
      delivered({ n: 1, member: 'ML', body: spotrep }),
      delivered({
        n: 5,
        member: 'ML',
        issued: '17T12:00:00',
        body: spotrep,
        meta: { msgType: 'cancel', references: [idOf(1)] },
      }),
    ],
    idOf(1),
    { now },
  )
  t.match(cancelled?.entries[0], { state: 'cancelled', by: coreOf(5) })
  t.end()
})

t.test('who confirms and who contradicts, by report and by feedback', (t) => {
  const says = (n: number, member: string, relation: string): ReturnType<typeof delivered> =>
    delivered({
      n,
      member,
      issued: '17T10:00:00',
      body: { ...spotrep, derivedFrom: [{ id: idOf(1), relation }] },
      meta: { thread: idOf(1) },
    })
  const items = [
    delivered({ n: 1, member: 'ML', body: spotrep }),
    says(2, 'NE', 'confirms'),
    says(3, 'DZ', 'contradicts'),
    says(4, 'MR', 'quotes'),
    feedback({ n: 5, member: 'BF', issued: '17T11:00:00' }, coreOf(1), 'confirms'),
    feedback({ n: 6, member: 'TD', issued: '17T11:00:00' }, idOf(1), 'contradicts'),
  ]
  const first = threadOf(items, idOf(1), { now })?.entries[0]
  t.same(first?.confirmedBy, [coreOf(2), coreOf(5)])
  t.same(first?.contradictedBy, [coreOf(3), coreOf(6)])
  t.equal(threadOf(items, idOf(1), { now })?.entries.length, 6, 'feedback is in the thread')
  t.end()
})

t.test('a thread whose first report is not held, and one that nobody knows', (t) => {
  const items = [delivered({ n: 2, member: 'ML', body: spotrep, meta: { thread: idOf(1) } })]
  t.match(threadOf(items, idOf(1), { now }), { root: idOf(1), entries: [{ id: idOf(2) }] })
  t.match(threadOf(items, coreOf(2), { now }), { root: idOf(1) })
  t.equal(threadOf(items, idOf(9), { now }), null)
  t.end()
})

t.test('reports that refer to each other in a ring end somewhere', (t) => {
  const items = [
    delivered({ n: 1, member: 'ML', body: spotrep, meta: update(idOf(2)) }),
    delivered({ n: 2, member: 'ML', body: spotrep, meta: update(idOf(1)) }),
  ]
  const thread = threadOf(items, idOf(2), { now })
  t.equal(thread?.entries.length, 2)
  t.end()
})

t.test('a second content under one name does not take its place', (t) => {
  const items = [
    delivered({ n: 1, member: 'ML', body: spotrep }),
    delivered({
      n: 2,
      member: 'ML',
      body: { ...spotrep, title: 'Another story' },
      meta: { id: idOf(1) },
      verified: 'conflict',
    }),
  ]
  t.match(threadOf(items, idOf(1), { now })?.entries, [{ core: coreOf(1), title: 'Report 1' }])
  t.equal(threadOf(items, idOf(1), { now })?.entries.length, 1)
  t.end()
})

t.test('a newer version of a schema stands in its thread by its common fields', (t) => {
  const items = [
    delivered({ n: 1, member: 'ML', body: spotrep }),
    delivered({
      n: 2,
      member: 'ML',
      issued: '18T09:00:00',
      body: { ...spotrep, version: 2, altitude: 310 } as typeof spotrep,
      meta: update(idOf(1)),
      schema: '',
    }),
    delivered({ n: 3, member: 'ML', body: { type: 'none' }, meta: { id: 'x' }, schema: '' }),
  ]
  const thread = threadOf(items, idOf(1), { now })
  t.match(thread?.entries, [
    { version: 1, state: 'superseded' },
    { version: 2, state: 'current', title: 'Report 2' },
  ])
  t.equal(thread?.entries.length, 2)
  t.end()
})

t.test('another member cannot take over the id of a report that was seen', (t) => {
  const items = [
    delivered({
      n: 9,
      member: 'NE',
      issued: '16T09:00:00',
      body: { ...spotrep, time: { from: '2013-03-15T06:00:00Z', precision: 'day' } },
      meta: { id: idOf(1) },
    }),
    delivered({
      n: 2,
      member: 'ML',
      issued: '17T10:00:00',
      body: spotrep,
      meta: update(idOf(1)),
    }),
    delivered({ n: 1, member: 'ML', body: spotrep }),
  ]
  const thread = threadOf(items, idOf(2), { now })
  const states = new Map(thread?.entries.map(({ core, state }) => [core, state]))
  t.equal(states.get(coreOf(1)), 'superseded')
  t.equal(states.get(coreOf(9)), 'current')
  t.end()
})
