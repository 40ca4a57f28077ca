/**
 * The path of a newcomer, typed as the README has it: a network, its relay, three devices, a report,
 * a revocation. Only what is printed is looked at, as a person or a script would.
 */
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { root } from '../architecture/sources.ts'
import { Cli, type CliResult, errorIn, type Json, liaison } from '../support/cli.ts'
import { tempFolder } from '../support/temp-folder.ts'

// Every command is a process, and the machine may be busy.
t.setTimeout(180_000)

const report = join(root, 'examples/reports/28-spotrep-ml-timbuktu-camp.json')
const second = join(root, 'examples/reports/29-spotrep-ml-kidal-banque.json')
const reportId = '01416695-df00-7837-b30a-dd60abd97868'

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** The one object of a command that succeeded. */
function only(result: CliResult): Json {
  if (result.code !== 0) throw new Error(`exit ${result.code}: ${result.stderr}`)
  const [object = {}] = result.json()
  return object
}

const keys = (value: unknown): string[] => Object.keys(value as Json)

t.test('from nothing to a report that is read, and a device that is refused', async (t) => {
  await using folder = await tempFolder()
  const cwd = folder.path
  const run = (...args: string[]): Promise<CliResult> =>
    liaison(['--json', '--no-input', ...args], {
      cwd,
      home: join(cwd, 'desk'),
      installed: args.includes('genesis') || args.includes('get'),
    })
  const url = `ws://127.0.0.1:${await freePort()}/relay`

  const quick = ['--quick', '--example', '--unprotected', '--name', 'sahel-pilot', '--out', 'pilot']
  const genesis = await run('admin', 'genesis', ...quick, '--relay-url', url)
  const founded = only(genesis)
  t.same(keys(founded), ['schemaVersion', 'name', 'example', 'fingerprint', 'files'])
  t.match(genesis.stderr, /liaison relay serve --config pilot\/relay\.json/)
  t.match(genesis.stderr, /liaison admin bootstrap --pilot pilot/)

  await using relay = new Cli(
    ['--json', 'relay', 'serve', '--config', 'pilot/relay.json', '--operator-port', '0'],
    { cwd, installed: true },
  )
  await relay.says('stdout', /"listening"/)

  const bootstrap = await run('admin', 'bootstrap', '--pilot', 'pilot')
  const first = Number(only(bootstrap)['size'])
  t.ok(first > 20, 'members, report types, topics and rights')
  t.match(bootstrap.stderr, /identity new --network pilot\/network\.json/)
  const again = await run('admin', 'bootstrap', '--pilot', 'pilot')
  t.same(only(again)['appended'], 0, 'what is there stays')

  const members = [
    ['ml', 'ML', 'officer'],
    ['ne', 'NE', 'officer'],
    ['flu', 'FLU', 'analyst'],
  ] as const
  const requests = await Promise.all(
    members.map(async ([home, member, role]) => {
      const made = await run(
        ...['--home', home, 'identity', 'new', '--network', 'pilot/network.json', '--unprotected'],
      )
      t.match(made.stderr, new RegExp(`liaison --home ${home} enrol request --member`))
      t.same(keys(only(made)), ['schemaVersion', 'kind', 'file', 'publicKey'])
      const asked = await run(
        ...['--home', home, 'enrol', 'request', '--member', member, '--org', 'Focal point'],
        ...['--role', role],
      )
      t.match(asked.stderr, /liaison admin approve enrol-/)
      return only(asked)
    }),
  )
  t.same(keys(requests[0]), ['schemaVersion', 'file', 'member', 'network', 'fingerprint'])

  for (const [i, request] of requests.entries()) {
    const digits = String(request['fingerprint'])
    const file = String(request['file'])
    if (i === 0) {
      const other = `${(Number(digits[0]) + 1) % 10}${digits.slice(1)}`
      const wrong = await run('admin', 'approve', file, '--pilot', 'pilot', '--fingerprint', other)
      t.equal(wrong.code, 9)
      t.equal(errorIn(wrong)['code'], 'fingerprint_mismatch')
    }
    const approved = await run(
      ...['admin', 'approve', file, '--pilot', 'pilot', '--fingerprint', digits],
    )
    const settled = only(approved)
    t.equal(settled['state'], 'appended')
    t.equal(settled['index'], first + i)
    t.match(approved.stderr, new RegExp(`enrol status welcome-${first + i}\\.json`))
  }
  const states = await Promise.all(
    members.map(([home], i) => run('--home', home, 'enrol', 'status', `welcome-${first + i}.json`)),
  )
  for (const state of states) t.equal(only(state)['online'], true)
  t.match(states[0]?.stderr ?? '', /liaison --home ml submit report\.json --topic/)

  await using tail = new Cli(['--json', '--home', 'flu', 'feed', 'tail'], { cwd })
  await tail.says('stderr', /link: online/)
  const sent = await run(
    ...['--home', 'ml', 'submit', report, '--topic', 'terrorism', '--wait', 'received'],
  )
  const submission = only(sent)
  t.match(submission, { id: reportId, topic: 'terrorism', status: 'exercise', confirmed: true })
  t.match(sent.stderr, new RegExp(`outbox show ${reportId}`))
  await tail.says('stdout', /\n/)
  tail.signal('SIGINT')
  const tailed = await tail.ended()
  t.equal(tailed.code, 130)
  const [delivery = {}] = tailed.json()
  t.match(delivery, { kind: 'report', verified: true, status: 'exercise', from: { member: 'ML' } })
  t.same((delivery['report'] as Json)['type'], 'spotrep')

  const got = await run('--home', 'flu', 'get', reportId, '--read')
  t.equal(only(got)['core'], submission['core'])
  const read = await run('--home', 'ml', 'submit', report, '--topic', 'terrorism', '--wait', 'read')
  t.match(only(read), { id: reportId, state: 'read' }, 'the same report again is not sent twice')

  const revoke = ['admin', 'revoke', String(first), '--pilot', 'pilot', '--why', 'Laptop stolen']
  const dry = only(await run(...revoke, '--dry-run'))
  t.match(dry, { dryRun: true, confirm: `ML-${first}`, withoutOfficer: ['ML'] })
  const unconfirmed = await run(...revoke)
  t.equal(unconfirmed.code, 2)
  t.match(String(errorIn(unconfirmed)['detail']), new RegExp(`--confirm=ML-${first}`))
  t.match(only(await run(...revoke, `--confirm=ML-${first}`)), { state: 'appended', op: 'revoke' })
  const refused = await run('--home', 'ml', 'submit', second, '--topic', 'terrorism')
  t.equal(refused.code, 10)
  t.equal(errorIn(refused)['code'], 'device_inactive')
  const ill = await run('--home', 'ml', 'doctor')
  t.equal(ill.code, 10)

  relay.signal('SIGTERM')
  const stopped = await relay.ended()
  t.equal(stopped.code, 0)
  t.same(
    stopped.json().map(({ state }) => state),
    ['listening', 'stopped'],
    'the relay finishes what it began',
  )
})
