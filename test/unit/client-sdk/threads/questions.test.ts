import t from 'tap'
import {
  type QuestionView,
  type ThreadItem,
  threadOf,
} from '../../../../client-sdk/src/threads/index.ts'
import { coreOf, delivered, idOf, march } from '../../../support/deliveries.ts'

const request = {
  type: 'rfi',
  kind: 'request',
  question: 'What was seen?',
  justification: 'Planning.',
  priority: 'priority',
  due: '2013-03-20T12:00:00Z',
  latestUseful: '2013-03-22T12:00:00Z',
} as const

const asked = delivered({ n: 1, member: 'FLU', body: request })
const respond = (
  n: number,
  member: string,
  body: object,
  issued = '18T09:00:00',
  reference = idOf(1),
): ThreadItem =>
  delivered({
    n,
    member,
    issued,
    body: { type: 'rfi', ...body },
    meta: { references: [reference], thread: idOf(1) },
  })
const answer = { kind: 'answer', answers: [{ text: 'A convoy.' }], completeness: 'complete' }
const interim = { kind: 'interim', answers: [{ text: 'Not yet.' }], completeness: 'partial' }
const decline = { kind: 'decline', declineReason: 'no-information' }
const refer = (to: string): object => ({ kind: 'refer', referredTo: to })

const questionAt = (
  moment: string,
  items: readonly ThreadItem[],
  members?: readonly string[],
): QuestionView | undefined =>
  threadOf([asked, ...items], idOf(1), {
    now: march(moment),
    ...(members === undefined ? {} : { asked: members }),
  })?.questions[0]

t.test('without an answer the clock decides', (t) => {
  t.equal(questionAt('17T10:00:00', [])?.state, 'open')
  t.equal(questionAt('18T12:00:00', [])?.state, 'open')
  t.equal(questionAt('18T12:00:01', [])?.state, 'due')
  t.equal(questionAt('20T12:00:00', [])?.state, 'due')
  t.equal(questionAt('20T12:00:01', [])?.state, 'overdue')
  t.equal(questionAt('22T12:00:00', [])?.stillUseful, true)
  t.equal(questionAt('22T12:00:01', [])?.stillUseful, false)
  const own = threadOf([asked], idOf(1), { now: march('20T11:30:00'), dueWithinMs: 3_600_000 })
  t.equal(own?.questions[0]?.state, 'due')
  t.end()
})

t.test('a request without a date stays open', (t) => {
  const { due: _due, latestUseful: _useful, ...undated } = request
  const items = [delivered({ n: 1, member: 'FLU', body: undated })]
  const view = threadOf(items, idOf(1), { now: march('31T00:00:00') })?.questions[0]
  t.match(view, { state: 'open', due: null, latestUseful: null, stillUseful: true })
  t.end()
})

t.test('answered, also late, and an interim answer changes nothing', (t) => {
  t.equal(questionAt('21T00:00:00', [respond(2, 'ML', interim)])?.state, 'overdue')
  t.equal(questionAt('19T00:00:00', [respond(2, 'ML', answer)])?.state, 'answered')
  const late = questionAt('21T00:00:00', [
    respond(2, 'ML', interim),
    respond(3, 'ML', answer, '20T13:00:00'),
  ])
  t.equal(late?.state, 'answered')
  t.same(
    late?.responses.map(({ kind, late: isLate, completeness }) => [kind, isLate, completeness]),
    [
      ['interim', false, 'partial'],
      ['answer', true, 'complete'],
    ],
  )
  t.end()
})

t.test('declined once everybody asked has declined', (t) => {
  const items = [respond(2, 'ML', decline)]
  t.equal(questionAt('18T10:00:00', items)?.state, 'declined')
  const one = questionAt('18T10:00:00', items, ['FLU', 'ML', 'NE'])
  t.equal(one?.state, 'open')
  t.same(one?.outstanding, ['NE'])
  const both = [...items, respond(3, 'NE', decline)]
  t.match(questionAt('18T10:00:00', both, ['ML', 'NE']), { state: 'declined', outstanding: [] })
  t.equal(
    questionAt('18T10:00:00', [...both, respond(4, 'DZ', answer)], ['ML', 'NE'])?.state,
    'answered',
  )
  t.end()
})

t.test('referred until the member referred to answers or declines', (t) => {
  const items = [respond(2, 'ML', refer('DZ'))]
  t.match(questionAt('21T00:00:00', items), {
    state: 'referred',
    responses: [{ referredTo: 'DZ' }],
  })
  t.equal(questionAt('21T00:00:00', [...items, respond(3, 'DZ', answer)])?.state, 'answered')
  t.equal(questionAt('21T00:00:00', [...items, respond(3, 'DZ', decline)])?.state, 'declined')
  t.end()
})

t.test('the newest version of the question is asked; answers to the older one count', (t) => {
  const newer = delivered({
    n: 5,
    member: 'FLU',
    issued: '17T12:00:00',
    body: { ...request, due: '2013-03-25T12:00:00Z', latestUseful: '2013-03-26T12:00:00Z' },
    meta: { msgType: 'update', references: [idOf(1)], thread: idOf(1) },
  })
  const open = threadOf([asked, newer], idOf(1), { now: march('21T00:00:00') })
  t.match(open?.questions, [{ id: idOf(5), state: 'open' }])
  t.equal(open?.questions.length, 1)
  const answered = [asked, newer, respond(2, 'ML', answer, '18T09:00:00', coreOf(1))]
  t.equal(
    threadOf(answered, idOf(1), { now: march('21T00:00:00') })?.questions[0]?.state,
    'answered',
  )
  t.end()
})

t.test('what is withdrawn, and what answers another question, does not count', (t) => {
  const other = delivered({ n: 6, member: 'FLU', body: request, meta: { thread: idOf(1) } })
  const items = [
    other,
    respond(2, 'ML', answer, '18T09:00:00', idOf(6)),
    respond(3, 'NE', answer),
    delivered({
      n: 4,
      member: 'NE',
      issued: '18T10:00:00',
      body: { type: 'rfi', ...answer },
      meta: { msgType: 'cancel', references: [idOf(3)], thread: idOf(1) },
    }),
  ]
  const thread = threadOf([asked, ...items], idOf(1), { now: march('18T11:00:00') })
  const states = new Map(thread?.questions.map(({ id, state }) => [id, state]))
  t.same([states.get(idOf(1)), states.get(idOf(6))], ['open', 'answered'])
  t.end()
})
