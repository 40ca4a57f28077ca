import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { content, ctx, frameBlob, frameDeliver, statement } from '@liaison/schemas/wire'
import t from 'tap'

const run = promisify(execFile)
const bytes = (length: number): Uint8Array => new Uint8Array(length)

const header = (): Record<string, unknown> =>
  Object.assign(Object.create(null) as Record<string, unknown>, {
    v: 1,
    k: 1,
    id: bytes(16),
    from: 7,
    top: 3,
    hc: 2,
    sch: bytes(32),
    t: 1,
    seq: 0,
    prev: bytes(32),
    dir: [4, bytes(32)],
    aud: [0, 2, bytes(32)],
  })

t.test('byte strings are bytes of the stated length', (t) => {
  t.ok(ctx(header()))
  for (const wrong of [bytes(15), bytes(17), bytes(0), 'AAAAAAAAAAAAAAAAAAAAAA', [0], null, {}]) {
    t.notOk(ctx({ ...header(), id: wrong }), String(wrong))
  }
  t.notOk(ctx({ ...header(), dir: [4, bytes(31)] }))
  t.notOk(ctx({ ...header(), id: new Uint16Array(16) }), 'other typed arrays are none')
  t.ok(content({ b: bytes(0), m: 0, z: 0 }), 'where the bounds allow it, no bytes at all')
  t.end()
})

t.test('maps are no bytes, text or arrays', (t) => {
  const body = (value: unknown): unknown => ({
    v: 1,
    base: [0, bytes(32)],
    n: bytes(16),
    t: 0,
    exp: 0,
    op: 'member',
    body: value,
  })
  t.ok(statement(body({})))
  for (const wrong of [bytes(0), bytes(8), [], 'x', 1, null]) t.notOk(statement(body(wrong)))
  for (const wrong of [bytes(16), [], 'ctx', 0, null, undefined]) t.notOk(ctx(wrong))
  t.end()
})

t.test('unknown and missing keys, numbers out of range', (t) => {
  t.notOk(ctx({ ...header(), y: 1 }))
  const { seq: _seq, ...without } = header()
  t.notOk(ctx(without))
  t.notOk(ctx({ ...header(), hc: 5 }))
  t.notOk(ctx({ ...header(), from: 4_294_967_296 }))
  t.notOk(ctx({ ...header(), pr: 0 }))
  t.end()
})

t.test('alternatives', (t) => {
  t.ok(frameBlob([18, 1, { get: [bytes(32)] }]))
  t.ok(frameBlob([18, 1, { put: [['key', bytes(1216)]] }]))
  t.notOk(frameBlob([18, 1, { get: [bytes(32)], put: [['key', bytes(1216)]] }]))
  t.notOk(frameBlob([18, 1, bytes(4)]))
  t.ok(frameDeliver([8, 0, [[3, 2, 1]]]))
  t.ok(frameDeliver([8, 0, [[3, 1, bytes(200), bytes(80), bytes(64), 1]]]))
  t.notOk(frameDeliver([8, 0, [[3, 1, bytes(200), bytes(80), bytes(63), 1]]]))
  t.notOk(frameDeliver([9, 0, [[3, 2, 1]]]))
  t.end()
})

t.test('validators run where code cannot be made from text', async (t) => {
  const script = `
    import * as wire from '@liaison/schemas/wire'
    import { validateReport, parseBody } from '@liaison/schemas/reports'
    let refused = false
    try { new Function('return 1')() } catch { refused = true }
    const counts = Object.values(wire).map((check) => check(null))
    const report = validateReport({ type: 'spotrep' })
    const parsed = parseBody(new TextEncoder().encode('{}'))
    console.log(JSON.stringify([refused, counts.length, counts.some(Boolean), report.ok, parsed.ok]))
  `
  const loader = new URL('../../../scripts/ts.mjs', import.meta.url).href
  const { stdout } = await run(
    process.execPath,
    [
      '--disallow-code-generation-from-strings',
      '--conditions=@liaison/source',
      `--import=${loader}`,
      '--input-type=module',
      '--eval',
      script,
    ],
    { cwd: new URL('../../..', import.meta.url) },
  )
  t.same(JSON.parse(stdout), [true, 48, false, false, true])
})
