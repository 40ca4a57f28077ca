import { join } from 'node:path'
import t from 'tap'
import {
  Cli,
  errorIn,
  inProcess,
  type Json,
  liaison,
  makeHome,
  startCliScenario,
} from '../support/cli.ts'
import { makeReport } from '../support/sdk.ts'

const nowhere = 'ws://127.0.0.1:9/relay'
const plain = ['--json', '--no-input']

// Commands are processes, and the machine may be busy.
t.setTimeout(120_000)

t.test('what is stopped in the middle goes out once', async (t) => {
  await using relay = await startCliScenario()
  const { network, folder, url } = relay
  const home = await makeHome(network, network.deviceOf('BF'), { folder, url })
  const flu = await makeHome(network, network.deviceOf('FLU'), { folder, url })
  const run = (...args: string[]) => inProcess(home, args)
  const outbox = async (): Promise<readonly Json[]> => (await run('outbox', 'list')).json()
  const report = makeReport(network, 'BF')
  const { id } = report.meta as { readonly id: string }

  const { handling: _handling, ...meta } = report.meta as { readonly handling: unknown }
  const wrong = await liaison([...plain, 'submit', '-', '--topic', 'terrorism'], {
    home,
    input: JSON.stringify({ ...report, meta }),
  })
  t.equal(wrong.code, 6)
  t.match(errorIn(wrong), {
    code: 'content_invalid',
    remedy: /\S/,
    problems: [{ field: '/meta/handling', code: 'required', text: 'is missing; add it' }],
  })
  const broken = await liaison(['submit', '-', '--topic', 'terrorism'], { home, input: '{"type":' })
  t.equal(broken.code, 6)
  t.match(broken.stderr, /is not JSON; check commas, quotes and brackets there \[json_syntax\]/)
  const lost = await liaison(['submit', '-', '--topic', 'terorism'], {
    home,
    input: JSON.stringify(report),
  })
  t.equal(lost.code, 2)
  t.match(lost.stderr, /\(topic terorism\)\n {2}You may publish in: .*terrorism/)
  t.same(await outbox(), [], 'the outbox is as it was')

  const file = await folder.write('report.json', JSON.stringify(report))
  const submit = ['submit', file, '--topic', 'terrorism', '--wait', 'read', '--timeout', '60']
  await using stuck = new Cli([...plain, ...submit, '--relay', nowhere], { home, installed: true })
  // It waits a while for the relay before it takes the report in.
  await stuck.says('stderr', /queued/)
  stuck.signal('SIGINT')
  const stopped = await stuck.ended()
  t.equal(stopped.code, 130)
  t.match(stopped.stderr, new RegExp(`${id} is queued and stays in the outbox.\\n.*outbox flush`))
  const [waiting, ...others] = await outbox()
  t.same(others, [])
  t.same(Object.keys(waiting ?? {}), [
    ...['schemaVersion', 'id', 'schema', 'topic', 'status', 'handling', 'precedence', 'to'],
    ...['state', 'code', 'submitted', 'core'],
  ])
  t.match(waiting, { id, state: 'queued', topic: 'terrorism', status: 'exercise', core: null })

  const flushed = await run('outbox', 'flush')
  t.match(flushed.json(), [{ sent: 1, waiting: 0, refused: [] }])
  const flushedAgain = await run('outbox', 'flush')
  t.match(flushedAgain.json(), [{ sent: 0, waiting: 0 }])
  t.equal((await run('submit', file, '--topic', 'terrorism')).code, 0, 'nor by the same file again')
  const feed = await inProcess(flu, ['feed', 'list'])
  t.match(feed.json(), [{ kind: 'report', report: { meta: { id } }, verified: true }])
  t.equal(feed.json().length, 1)

  const show = await run('outbox', 'show', id.slice(0, 36))
  t.match(show.json(), [{ id, receipts: [{ read: false, code: null }], report }])
  const unknown = await run('outbox', 'show', 'ffffffff')
  t.equal(unknown.code, 2)
  t.match(errorIn(unknown), { code: 'item_unknown', field: 'ffffffff' })
})

t.test('what waits can be taken out, and what was refused put back', async (t) => {
  await using relay = await startCliScenario()
  const { network, folder, url } = relay
  const home = await makeHome(network, network.deviceOf('NE'), { folder, url })
  const run = (...args: string[]) => inProcess(home, args)
  const report = makeReport(network, 'NE')
  const { id } = report.meta as { readonly id: string }
  const late = await liaison(
    [...plain, 'submit', '-', '--topic', 'terrorism', '--timeout', '0', '--relay', nowhere],
    { home, input: JSON.stringify(report) },
  )
  t.equal(late.code, 8)
  const retried = await run('outbox', 'retry', id)
  t.match(retried.json(), [{ id, state: 'queued' }])
  t.match(retried.stderr, /outbox flush/)
  const cancelled = await run('outbox', 'cancel', id)
  t.match(cancelled.json(), [{ schemaVersion: 1, id, state: 'cancelled' }])
  const flushed = await run('outbox', 'flush')
  t.match(flushed.json(), [{ sent: 0, waiting: 0 }])
  t.equal((await run('outbox', 'retry', id)).code, 2, 'what was taken out is gone')
  const again = await liaison([...plain, 'submit', '-', '--topic', 'terrorism'], {
    home,
    input: JSON.stringify(report),
  })
  t.match(again.json(), [{ id, confirmed: true }])
  const kept = await run('outbox', 'cancel', id)
  t.equal(kept.code, 5, 'what is with the relay stays there')
  t.equal(errorIn(kept)['code'], 'item_busy')
})

t.test('looking things up', async (t) => {
  await using relay = await startCliScenario()
  const { network, folder, url } = relay
  const home = await makeHome(network, network.deviceOf('ML'), { folder, url })
  const run = async (...args: string[]): Promise<Json> => {
    const result = await inProcess(home, args)
    t.equal(result.code, 0, args.join(' '))
    t.equal(result.json().length, 1, args.join(' '))
    return result.json()[0] ?? {}
  }
  const members = await run('members', 'list')
  t.match(members, { schemaVersion: 1, network: 'test.example' })
  t.match((members['members'] as Json[])[0], { code: 'FLU', flu: true, devices: 3 })
  t.match(await run('members', 'show', 'ML', '--offline'), {
    code: 'ML',
    devices: [{ role: 'officer', state: 'active' }, {}],
    rights: [{ topic: 'terrorism', publish: true, read: true }, {}],
  })
  t.match(await run('topics', 'list', '--offline'), {
    topics: [{ name: 'terrorism', status: 'exercise', schemas: ['spotrep'], publish: true }, {}],
  })
  const shown = await run('identity', 'show')
  t.match(shown, { kind: 'device', protected: false, enrolment: { member: 'ML', active: true } })
  t.match(shown['file'], join(home, 'identity.json'))
  t.match(await run('identity', 'fingerprint'), { fingerprint: /^(\d{5} ){7}\d{5}$/ })
  const status = await run('enrol', 'status')
  t.match(status, { online: true, enrolment: { member: 'ML', role: 'officer', keyWeeksLeft: 9 } })
  const rotated = await run('identity', 'rotate')
  t.match(rotated, { enrolment: { keyWeeksLeft: 9 } })
  const doctor = await run('doctor')
  t.match(doctor, { ok: true, exit: 0 })
  t.ok((doctor['checks'] as Json[]).length > 8)
})
