import t from 'tap'
import { openActions } from '../../../../client-sdk/src/threads/index.ts'
import { delivered, idOf, march } from '../../../support/deliveries.ts'

const meeting = (
  n: number,
  kind: 'conclusions' | 'action',
  actions: readonly object[],
  options: { meta?: object; issued?: string; member?: string } = {},
): ReturnType<typeof delivered> =>
  delivered({
    n,
    member: options.member ?? 'AUC',
    issued: options.issued ?? '17T18:00:00',
    body: {
      type: 'meeting',
      body: 'ministers',
      kind,
      ...(kind === 'conclusions' ? { conclusions: [{ text: 'A conclusion.' }] } : {}),
      actions,
    },
    ...(options.meta === undefined ? {} : { meta: options.meta }),
  })

const conclusions = meeting(1, 'conclusions', [
  { owner: 'ACSRT', ref: '8(b)', text: 'Convene the focal points.', due: '2013-04-17' },
  { owner: 'ML', ref: '8(a)', text: 'Notify the measures.', due: '2013-03-31' },
  { owner: 'NE', ref: '8(a)', text: 'Notify the measures.', due: '2013-03-31' },
  { owner: 'ACSRT', ref: '8(c)', text: 'Establish the infrastructure.' },
  { owner: 'MR', text: 'Thank everybody.', state: 'done' },
])

t.test('actions with owners and due dates, the earliest first', (t) => {
  const actions = openActions([conclusions], { now: march('30T12:00:00') })
  t.same(
    actions.map(({ owner, ref, due, deadline }) => [owner, ref, due, deadline]),
    [
      ['ML', '8(a)', '2013-03-31', 'due'],
      ['NE', '8(a)', '2013-03-31', 'due'],
      ['ACSRT', '8(b)', '2013-04-17', 'open'],
      ['ACSRT', '8(c)', null, 'open'],
    ],
  )
  t.match(actions[0], { kind: 'meeting-action', id: idOf(1), state: 'open' })
  t.equal(openActions([conclusions], { now: march('31T23:59:59') })[0]?.deadline, 'due')
  const late = Date.parse('2013-04-01T00:00:01Z')
  t.equal(openActions([conclusions], { now: late })[0]?.deadline, 'overdue')
  t.end()
})

t.test('those of one member', (t) => {
  const actions = openActions([conclusions], { now: march('20T00:00:00'), owner: 'NE' })
  t.same(
    actions.map(({ owner, text }) => [owner, text]),
    [['NE', 'Notify the measures.']],
  )
  t.end()
})

t.test('a later message in the thread says how an action stands', (t) => {
  const later = meeting(
    2,
    'action',
    [
      { owner: 'ML', ref: '8(a)', text: 'Notified.', state: 'done' },
      { owner: 'NE', ref: '8(a)', text: 'Notify the measures.', state: 'under-way' },
    ],
    { issued: '20T09:00:00', meta: { references: [idOf(1)] } },
  )
  const actions = openActions([later, conclusions], { now: march('21T00:00:00') })
  t.same(
    actions.map(({ owner, ref, state, due }) => [owner, ref, state, due]),
    [
      ['NE', '8(a)', 'under-way', '2013-03-31'],
      ['ACSRT', '8(b)', 'open', '2013-04-17'],
      ['ACSRT', '8(c)', 'open', null],
    ],
  )
  const elsewhere = meeting(3, 'action', [{ owner: 'ML', ref: '8(a)', text: 'x', state: 'done' }], {
    issued: '20T09:00:00',
  })
  t.ok(
    openActions([conclusions, elsewhere], { now: march('21T00:00:00') }).some(
      ({ owner }) => owner === 'ML',
    ),
    'another conversation closes nothing here',
  )
  t.end()
})

t.test('conclusions that were replaced or withdrawn call for nothing', (t) => {
  const newer = meeting(4, 'conclusions', [{ owner: 'DZ', text: 'Patrol.' }], {
    issued: '19T09:00:00',
    meta: { msgType: 'update', references: [idOf(1)] },
  })
  t.same(
    openActions([conclusions, newer], { now: march('20T00:00:00') }).map(({ owner }) => owner),
    ['DZ'],
  )
  const gone = meeting(5, 'conclusions', [{ owner: 'DZ', text: 'Patrol.' }], {
    issued: '19T09:00:00',
    meta: { msgType: 'cancel', references: [idOf(1)] },
  })
  t.same(openActions([conclusions, gone], { now: march('20T00:00:00') }), [])
  t.end()
})
