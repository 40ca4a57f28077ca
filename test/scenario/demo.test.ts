import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { RedisServer } from '../support/redis-server.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const ahead = new URL('../support/two-years-ahead.mjs', import.meta.url).href

/** Runs the demonstration; its exit code and what it printed. */
async function demo(
  args: readonly string[],
  options: { readonly nodeOptions?: string } = {},
): Promise<{ readonly code: number; readonly out: string }> {
  const env: NodeJS.ProcessEnv = { ...process.env, NODE_OPTIONS: options.nodeOptions ?? '' }
  const child = spawn(
    process.execPath,
    ['--conditions=@liaison/source', '--import=./scripts/ts.mjs', 'scripts/demo.ts', ...args],
    { cwd: root, env, stdio: ['ignore', 'pipe', 'ignore'] },
  )
  let out = ''
  child.stdout.on('data', (data: Buffer) => {
    out += data.toString()
  })
  const [code] = await once(child, 'close')
  return { code: code as number, out }
}

// The whole story with thirty processes' work takes about twenty seconds of one core, and is told twice.
t.setTimeout(300_000)

/** What the first run counted. */
let figures: object = {}

/** Figures that depend on nothing but the story; how often a link repeats something is chance. */
function counted(out: string): object {
  const { members, devices, reports, deliveries, flu } = JSON.parse(out)
  const { redelivered: _chance, ...shown } = deliveries
  return { members, devices, reports, flu, deliveries: shown }
}

t.test('two years from now the demonstration still works, and its figures agree', async (t) => {
  const { code, out } = await demo(['--json'], { nodeOptions: `--import=${ahead}` })
  t.equal(code, 0)
  figures = counted(out)
  const result = JSON.parse(out) as {
    readonly deliveries: { readonly expected: number; readonly redelivered: number }
    readonly reports: { readonly submitted: number }
    readonly flu: { readonly expected: number }
    readonly restarts: { readonly inFlight: number }
    readonly revocation: { readonly publishedAfterAck: number }
  }
  t.match(result, {
    ok: true,
    store: 'lmdb',
    members: 24,
    reports: { accepted: result.reports.submitted },
    deliveries: {
      shown: result.deliveries.expected,
      duplicatesShown: 0,
      undecryptable: 0,
      gaps: 0,
    },
    flu: { shown: result.flu.expected },
    restarts: { signal: 'SIGKILL' },
    revocation: { deliveredAfterAck: 0, refusedAfterAck: true },
    plaintextOnRelay: 0,
    plaintext: { positiveControl: true },
  })
  t.ok(result.deliveries.expected > 500, 'somebody was to receive something')
  t.ok(result.deliveries.redelivered >= 1, 'a delivery was repeated')
  t.ok(result.restarts.inFlight >= 1, 'the kill hit something')
  t.ok(
    result.revocation.publishedAfterAck >= 10,
    'the silence after the suspension means something',
  )
})

t.test('on Redis every figure is the same', async (t) => {
  await using redis = await RedisServer.start()
  const { code, out } = await demo(['--json', '--redis', `redis://127.0.0.1:${redis.port}`])
  t.equal(code, 0)
  t.match(JSON.parse(out), { ok: true, store: 'redis' })
  t.same(counted(out), figures, 'as on the embedded store')
  t.equal(await redis.run('DBSIZE'), 0, 'and nothing is left on the server')
})

t.test('arguments that mean nothing are refused with the usage', async (t) => {
  for (const args of [
    ['--sabotage', 'everything'],
    ['--nonsense'],
    ['--redis', 'http://x'],
    ['--redis', 'redis://me:secret@127.0.0.1'],
  ]) {
    t.match(await demo(args), { code: 2, out: '' }, args.join(' '))
  }
})
