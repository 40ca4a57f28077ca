import { commonFields } from '@liaison/schemas'
import { parseBody, validateReport } from '@liaison/schemas/reports'
import t from 'tap'

const utf8 = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))

const report = {
  type: 'sitrep',
  version: 1,
  meta: {
    id: '0195a1c0-0000-7000-8000-000000000001',
    originator: 'ML',
    issued: '2013-03-18T09:00:00Z',
    msgType: 'update',
    references: ['0195a1c0-0000-7000-8000-000000000002', 'ab'.repeat(32)],
    thread: '0195a1c0-0000-7000-8000-000000000002',
    status: 'test',
    precedence: 'routine',
    handling: { tlp: 'GREEN' },
    lang: 'en',
  },
  title: 'Test message',
  summary: 'Text of a test message.',
  number: 1,
  period: { from: '2013-03-01T00:00:00Z', to: '2013-03-15T00:00:00Z' },
  situation: { security: 'Calm.' },
}

const newer = {
  ...report,
  version: 2,
  meta: { ...report.meta, classification: { scheme: 'new', level: 3 } },
  derivedFrom: [
    { id: '0195a1c0-0000-7000-8000-000000000003', relation: 'confirms', weight: 0.5 },
    { id: 'not a reference', relation: 'confirms' },
    { id: '0195a1c0-0000-7000-8000-000000000003', relation: 'inspires' },
  ],
  situation: { security: 'Calm.', economic: { prices: [1, 2.5, null, { text: 'stable' }] } },
}

t.test('what a newer release puts into x is read, and comes out as it went in', (t) => {
  const extended = {
    ...report,
    x: {
      'liaison.reviewed': { by: ['ML', 'NE'], at: '2013-03-19', score: 0.25, flags: [true, null] },
      trend: 'up',
    },
  }
  const parsed = parseBody(utf8(extended))
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  const valid = validateReport(parsed.value)
  t.ok(valid.ok)
  t.equal(JSON.stringify(valid.ok ? valid.value : null), JSON.stringify(extended))
  t.end()
})

t.test('a new field anywhere else is for a newer version, and an older one says so', (t) => {
  const result = validateReport({ ...report, weather: 'dry' })
  t.same(result.ok ? [] : result.problems.map(({ pointer, code }) => [pointer, code]), [
    ['/weather', 'unknown_field'],
  ])
  const later = validateReport(newer)
  t.match(later.ok ? [] : later.problems.find(({ pointer }) => pointer === '/version'), {
    code: 'const',
    messageKey: 'schema.const',
  })
  t.end()
})

t.test('the common fields of a newer version are read, the others survive', (t) => {
  const bytes = utf8(newer)
  const parsed = parseBody(bytes)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  const { value } = parsed
  t.same(commonFields(value), {
    type: 'sitrep',
    version: 2,
    id: report.meta.id,
    originator: 'ML',
    issued: report.meta.issued,
    msgType: 'update',
    references: report.meta.references,
    thread: report.meta.thread,
    derivedFrom: [{ id: '0195a1c0-0000-7000-8000-000000000003', relation: 'confirms' }],
    tlp: 'GREEN',
    title: 'Test message',
    summary: 'Text of a test message.',
    lang: 'en',
  })
  t.same(utf8(value), bytes, 'not one byte is lost')
  t.end()
})

t.test('a type that this release has never heard of', (t) => {
  t.match(commonFields({ ...newer, type: 'weather-report' }), {
    type: 'weather-report',
    version: 2,
  })
  t.end()
})

t.test('common fields that have another form are null, and without a name there are none', (t) => {
  const meta = { ...report.meta, handling: 'GREEN', thread: 7, references: 'all', msgType: 'hint' }
  const odd = { ...newer, meta, title: 'A\u202etitle', summary: ['text'], derivedFrom: { id: 1 } }
  t.match(commonFields(odd), {
    tlp: null,
    thread: null,
    references: [],
    msgType: 'alert',
    title: null,
    summary: null,
    derivedFrom: [],
  })
  for (const broken of [
    null,
    [],
    { ...newer, type: 'No Type' },
    { ...newer, version: 0 },
    { ...newer, version: 1.5 },
    { ...newer, version: '2' },
    { ...newer, meta: { ...report.meta, id: 'x' } },
    { ...newer, meta: { ...report.meta, originator: 'mali' } },
    { ...newer, meta: { ...report.meta, issued: '2013-02-30T00:00:00Z' } },
    { ...newer, meta: undefined },
  ]) {
    t.equal(commonFields(broken), null)
  }
  t.end()
})
