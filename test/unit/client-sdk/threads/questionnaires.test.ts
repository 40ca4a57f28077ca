import t from 'tap'
import { type ThreadItem, threadOf } from '../../../../client-sdk/src/threads/index.ts'
import { coreOf, delivered, idOf, march } from '../../../support/deliveries.ts'

const words = (text: string): readonly object[] => [{ lang: 'en', text }]
const option = (code: string): object => ({ code, text: words(code) })
const questions = [
  { id: 'views', text: words('Which views?'), answer: { kind: 'text', required: true } },
  { id: 'ready', text: words('Ready?'), answer: { kind: 'yes-no' } },
  { id: 'troops', text: words('How many?'), answer: { kind: 'number', min: 0, max: 100 } },
  { id: 'when', text: words('When?'), answer: { kind: 'date' } },
  { id: 'one', text: words('Which?'), answer: { kind: 'choice', choices: ['a', 'b'].map(option) } },
  {
    id: 'some',
    text: words('Which?'),
    answer: { kind: 'choices', choices: ['a', 'b'].map(option) },
  },
]
const issue = delivered({
  n: 1,
  member: 'AUC',
  body: { type: 'questionnaire', kind: 'issue', questions, due: '2013-03-20T12:00:00Z' },
})
const respond = (n: number, member: string, answers: readonly object[], issued = '18T09:00:00') =>
  delivered({
    n,
    member,
    issued,
    body: { type: 'questionnaire', kind: 'response', questionnaire: idOf(1), answers },
    meta: { references: [idOf(1)] },
  })
const good = [
  { question: 'views', text: 'Ours.' },
  { question: 'ready', yes: false },
  { question: 'troops', number: 100 },
  { question: 'when', date: '2013-05-01' },
  { question: 'one', choices: ['a'] },
  { question: 'some', choices: ['a', 'b'] },
]
const view = (items: readonly ThreadItem[], moment = '19T00:00:00') =>
  threadOf([issue, ...items], idOf(1), {
    now: march(moment),
    asked: ['AUC', 'ML', 'NE', 'DZ'],
  })?.questionnaires[0]

t.test('who answered, who is outstanding', (t) => {
  t.match(view([]), { responses: [], outstanding: ['ML', 'NE', 'DZ'], deadline: 'due' })
  const some = view([respond(2, 'ML', good), respond(3, 'NE', good, '20T13:00:00')], '21T00:00:00')
  t.match(some, {
    issuer: 'AUC',
    deadline: 'overdue',
    outstanding: ['DZ'],
    consolidation: null,
    responses: [
      { member: 'ML', late: false, problems: [] },
      { member: 'NE', late: true, problems: [] },
    ],
  })
  t.end()
})

t.test('a second response of a member takes the place of its first', (t) => {
  const items = [respond(2, 'ML', good), respond(3, 'ML', good, '18T10:00:00')]
  t.same(
    view(items)?.responses.map(({ core }) => core),
    [coreOf(3)],
  )
  t.end()
})

t.test('answers that do not fit their questions', (t) => {
  const wrong = [
    { question: 'ready', text: 'Perhaps.' },
    { question: 'troops', number: 101 },
    { question: 'one', choices: ['a', 'b'] },
    { question: 'some', choices: ['c'] },
    { question: 'weather', text: 'Dry.' },
  ]
  t.same(view([respond(2, 'ML', wrong)])?.responses[0]?.problems, [
    { question: 'views', code: 'answer_missing' },
    { question: 'ready', code: 'answer_kind' },
    { question: 'troops', code: 'out_of_range' },
    { question: 'one', code: 'answer_kind' },
    { question: 'some', code: 'choice_unknown' },
    { question: 'weather', code: 'question_unknown' },
  ])
  t.end()
})

t.test('the consolidated report: what it cites, what is not held, what it leaves out', (t) => {
  const consolidate = (n: number, member: string): ThreadItem =>
    delivered({
      n,
      member,
      issued: '21T09:00:00',
      body: {
        type: 'questionnaire',
        kind: 'consolidation',
        questionnaire: coreOf(1),
        report: 'Two members answered.',
        citations: [
          { response: coreOf(2), question: 'views' },
          { response: coreOf(2), question: 'ready' },
          { response: coreOf(7), question: 'views' },
        ],
      },
      meta: { references: [idOf(1)] },
    })
  const items = [respond(2, 'ML', good), respond(3, 'NE', good)]
  t.match(view([...items, consolidate(5, 'AUC')], '22T00:00:00')?.consolidation, {
    id: idOf(5),
    cited: [coreOf(2), coreOf(7)],
    notHeld: [coreOf(7)],
    notCited: [coreOf(3)],
  })
  t.equal(view([...items, consolidate(5, 'ML')])?.consolidation, null, 'only by who issued it')
  t.end()
})

t.test('a newer version of the questionnaire keeps the responses', (t) => {
  const newer = delivered({
    n: 6,
    member: 'AUC',
    issued: '17T12:00:00',
    body: { type: 'questionnaire', kind: 'issue', questions, due: '2013-03-30T12:00:00Z' },
    meta: { msgType: 'update', references: [idOf(1)] },
  })
  const found = threadOf([issue, newer, respond(2, 'ML', good)], idOf(1), {
    now: march('21T00:00:00'),
  })
  t.match(found?.questionnaires, [{ id: idOf(6), deadline: 'open', outstanding: [] }])
  t.same(
    found?.questionnaires[0]?.responses.map(({ member }) => member),
    ['ML'],
  )
  t.end()
})
