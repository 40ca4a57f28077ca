import t from 'tap'
import {
  openActions,
  type RecommendationView,
  type ThreadItem,
  threadOf,
} from '../../../../client-sdk/src/threads/index.ts'
import { coreOf, delivered, idOf, march, spotrep } from '../../../support/deliveries.ts'

const text = 'Set up a joint post.'
const base = { type: 'assessment', domain: 'border' } as const
const root = delivered({
  n: 1,
  member: 'ACSRT',
  body: {
    ...base,
    kind: 'recommendation',
    recommendation: { text, owner: 'ML', due: '2013-03-25', state: 'open' },
  },
})
const say = (
  n: number,
  member: string,
  recommendation: object,
  options: { kind?: string; schema?: string; issued?: string } = {},
): ThreadItem =>
  delivered({
    n,
    member,
    issued: options.issued ?? '18T09:00:00',
    body: {
      ...base,
      kind: options.kind ?? 'progress',
      recommendation: { text, owner: 'ML', ...recommendation },
    },
    meta: { references: [idOf(1)], thread: idOf(1) },
    ...(options.schema === undefined ? {} : { schema: options.schema }),
  })
const evidence = [{ report: coreOf(9), note: 'The post works.' }]

const viewOf = (
  items: readonly ThreadItem[],
  moment = '20T00:00:00',
): RecommendationView | undefined =>
  threadOf([root, ...items], idOf(1), { now: march(moment) })?.recommendations[0]

t.test('open, under way, closed with evidence', (t) => {
  t.match(viewOf([]), { state: 'open', owner: 'ML', due: '2013-03-25', deadline: 'open' })
  t.match(viewOf([], '25T12:00:00'), { deadline: 'due' })
  t.match(viewOf([], '26T00:00:01'), { deadline: 'overdue' })
  t.match(viewOf([say(2, 'ML', { state: 'under-way' })]), {
    state: 'under-way',
    due: '2013-03-25',
    deadline: 'open',
  })
  const closed = say(3, 'ML', { state: 'closed', evidence }, { kind: 'closure' })
  t.match(viewOf([closed]), { state: 'closed', deadline: null, evidence, evidenceHeld: false })
  const shown = delivered({ n: 9, member: 'ML', body: spotrep })
  t.match(viewOf([closed, shown]), { state: 'closed', evidenceHeld: true, ignored: [] })
  t.end()
})

t.test('no message closes it without evidence, whatever release wrote it', (t) => {
  t.throws(
    () => say(2, 'ML', { state: 'closed' }, { kind: 'closure' }),
    /closed_without_evidence/,
    'it cannot even be sent by this release',
  )
  const forged = say(2, 'ML', { state: 'closed' }, { kind: 'closure', schema: '' })
  t.match(viewOf([{ ...forged, schema: 'assessment' }]), {
    state: 'open',
    deadline: 'open',
    ignored: [{ core: coreOf(2), reason: 'closed_without_evidence' }],
  })
  t.match(viewOf([forged]), { state: 'open', ignored: [] }, 'an unknown schema says nothing')
  t.end()
})

t.test('only the owner and the author say how it stands; only the author who and when', (t) => {
  const stranger = say(2, 'NE', { state: 'closed', evidence }, { kind: 'closure' })
  t.match(viewOf([stranger]), {
    state: 'open',
    ignored: [{ core: coreOf(2), reason: 'not_owner_nor_author' }],
  })
  const owner = say(2, 'ML', { state: 'under-way', owner: 'NE', due: '2014-01-01' })
  t.match(viewOf([owner]), { state: 'under-way', owner: 'ML', due: '2013-03-25' })
  const author = say(2, 'ACSRT', { state: 'open', owner: 'NE', due: '2013-04-30' })
  t.match(viewOf([author]), { owner: 'NE', due: '2013-04-30' })
  t.end()
})

t.test('a newer version of the recommendation is the same one', (t) => {
  const newer = delivered({
    n: 2,
    member: 'ACSRT',
    issued: '18T09:00:00',
    body: {
      ...base,
      kind: 'recommendation',
      recommendation: { text, owner: 'NE', due: '2013-05-01', state: 'open' },
    },
    meta: { msgType: 'update', references: [idOf(1)], thread: idOf(1) },
  })
  const thread = threadOf([root, newer], idOf(1), { now: march('20T00:00:00') })
  t.match(thread?.recommendations, [{ id: idOf(1), owner: 'NE', due: '2013-05-01' }])
  t.equal(thread?.recommendations.length, 1)
  t.end()
})

t.test('open recommendations are open actions, closed ones are not', (t) => {
  const clock = { now: march('26T12:00:00') }
  t.match(openActions([root], clock), [
    { kind: 'recommendation', owner: 'ML', text, due: '2013-03-25', deadline: 'overdue' },
  ])
  const closed = say(3, 'ML', { state: 'closed', evidence }, { kind: 'closure' })
  t.same(openActions([root, closed], clock), [])
  t.same(openActions([root, say(4, 'ML', { state: 'rejected' })], clock), [])
  t.end()
})
