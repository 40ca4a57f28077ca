import { performance } from 'node:perf_hooks'
import { parseText, validateReport } from '@liaison/schemas/reports'
import t from 'tap'
import { joinErrors, type RawError } from '../../../schemas/src/runtime.ts'

const error: RawError = { instancePath: '', schemaPath: '#', keyword: 'type', params: {} }

t.test('failures are bounded, but each is counted', (t) => {
  const list = [error]
  let uncounted = 0
  for (let round = 0; round < 2000; round += 1) {
    const before = list.length
    joinErrors(
      list,
      Array.from({ length: 10 }, () => error),
    )
    if (list.length <= before) uncounted += 1
  }
  t.equal(uncounted, 0, 'the generated code takes an unchanged count for success')
  t.ok(list.length < 3000)
  t.end()
})

t.test('a hostile body takes no more than linear time', (t) => {
  const fields = (count: number, letter: string): Record<string, number> =>
    Object.fromEntries(Array.from({ length: count }, (_unused, index) => [`${letter}${index}`, 0]))
  const bodies: readonly unknown[] = [
    { type: 'spotrep', places: new Array(19_000).fill(0) },
    { type: 'spotrep', actors: Array.from({ length: 9000 }, () => ({})) },
    { type: 'spotrep', ...fields(19_000, 'k') },
    { type: 'spotrep', x: fields(19_000, 'K') },
  ]
  const site = {
    type: 'humanitarian-site',
    version: 1,
    meta: {
      id: '0195a1c0-0000-7000-8000-000000000001',
      originator: 'ML',
      issued: '2013-03-18T09:00:00Z',
      msgType: 'alert',
      references: [],
      status: 'test',
      precedence: 'routine',
      handling: { tlp: 'GREEN' },
      lang: 'en',
    },
    title: 'Test message',
    summary: 'Text of a test message.',
    site: { code: 'MR-01', type: 'camp' },
  }
  const parts = [
    'a',
    'a@',
    '1 ',
    '2013-',
    '1) ',
    'TLP:',
    '2012 ',
    '123 ',
    '1-1-11 ',
    '1.234 ',
    'T L P',
  ]
  // Ordering a long row of marks takes quadratic time, unless they are taken out before.
  const marks = ['\u0301\u0327', '\u200b', '\uff9e', '\u00a0\uff11', '\u3164', '(at)a.', "1°1'"]
  const long = [...parts, ...marks].map((part) => ({
    ...site,
    x: { text: part.repeat(400_000 / part.length) },
  }))
  const texts = ['"'.repeat(1_000_000), '-'.repeat(1_000_000), `"${'\\n'.repeat(500_000)}`]
  const start = performance.now()
  for (const body of bodies) {
    const result = validateReport(body)
    t.ok(!result.ok && result.problems.length <= 50)
  }
  for (const body of long) t.type(validateReport(body).ok, 'boolean')
  for (const text of texts) t.notOk(parseText(text).ok)
  // Quadratic work took more than forty seconds here; linear work takes less than one.
  t.ok(performance.now() - start < 10_000)
  t.end()
})
