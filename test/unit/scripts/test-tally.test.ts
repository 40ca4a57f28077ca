import t from 'tap'
import { TestTally } from '../../../scripts/test-tally.ts'

const line = (kind: string, data: object): string => JSON.stringify([kind, data])
const pass = (file: string) => line('pass', { ok: true, name: 'x', fullname: `${file} > x` })
const end = (file: string, more: object = {}) =>
  line('end', { name: file, level: 1, ok: true, time: 5, ...more })

t.test('assertions are counted by file and in all', async (t) => {
  const tally = new TestTally(['a', 'b'])
  t.equal(tally.line(pass('a')), undefined)
  tally.line(line('fail', { ok: false, name: 'y', fullname: 'b > y', diag: { diff: '-1\n+2' } }))
  tally.line(pass('a'))
  tally.line(line('skip', { ok: true, name: 'z', fullname: 'a > z', skip: 'why' }))
  t.match(tally.line(end('a')), { file: 'a', ok: true, passed: 2, skipped: 1, ms: 5 })
  const b = tally.line(end('b', { ok: false }))
  t.match(b, { file: 'b', ok: false, failed: 1 })
  t.match(b?.failures[0], /b > y[\s\S]*\+2/)
  t.same(tally.totals(), { passed: 2, failed: 1 })
})

t.test('a file that crashes after good assertions has failed', async (t) => {
  const tally = new TestTally(['a'])
  tally.line(pass('a'))
  const result = tally.line(end('a', { ok: false, diag: { exitCode: 7 } }))
  t.match(result, { ok: false, passed: 1, failed: 1 })
  t.match(result?.failures[0], /exitCode: 7/)
})

t.test('a file without tests has failed, one that says why it is skipped has not', async (t) => {
  const tally = new TestTally(['a', 'b'])
  t.match(tally.line(end('a', { skip: 'no tests found' })), { ok: false, failed: 1 })
  t.match(tally.line(end('b', { skip: 'needs Redis' })), { ok: true, failed: 0, skipped: 1 })
})

t.test('a file that is never reported is a failure', async (t) => {
  const tally = new TestTally(['a', 'b'])
  tally.line(pass('a'))
  tally.line(end('a'))
  t.same(tally.unreported(), [{ file: 'b' }])
  t.same(tally.totals(), { passed: 1, failed: 1 })
})

t.test('lines that are no reports are ignored', async (t) => {
  const tally = new TestTally([])
  for (const text of ['', 'json report: x', '{"a":1}', '["end"]', '[1,2]']) {
    t.equal(tally.line(text), undefined, text)
  }
  t.same(tally.totals(), { passed: 0, failed: 0 })
})
