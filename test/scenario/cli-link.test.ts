import t from 'tap'
import { Cli, checksOf, errorIn, liaison, makeHome, startCliScenario } from '../support/cli.ts'
import { startScenario } from '../support/relay.ts'
import { makeReport } from '../support/sdk.ts'

const nowhere = 'ws://127.0.0.1:9/relay'
const plain = ['--json', '--no-input']

// Commands are processes, and the machine may be busy.
t.setTimeout(120_000)

t.test('5, 7, 8, 9: the network and the relay', async (t) => {
  await using relay = await startCliScenario()
  await using impostor = await startScenario({ seed: 'another', genesisT: Date.now() - 3_600_000 })
  const { network, folder, url } = relay
  const file = await folder.write('report.json', JSON.stringify(makeReport(network, 'NE')))
  const at = async (member: string) => {
    const home = await makeHome(network, network.deviceOf(member), { folder, url })
    return (...args: string[]) => liaison([...plain, ...args], { home })
  }
  const healthy = async () => {
    const run = await at('BF')
    const result = await run('doctor')
    t.equal(result.code, 0)
    const well = ['home', 'key file', 'network', 'store', 'relay', 'clock', 'enrolment', 'keys']
    t.same(checksOf(result), {
      ...Object.fromEntries([...well, 'outbox'].map((check) => [check, 'ok'])),
      directory: 'warn',
    })
    const deceived = await run('doctor', '--relay', impostor.url)
    t.equal(deceived.code, 9)
    t.match(checksOf(deceived), { relay: 'fail' })
  }
  const alone = async () => {
    const run = await at('ML')
    const far = ['--timeout', '1', '--relay', nowhere]
    t.equal((await run('feed', 'list', ...far)).code, 7)
    const foreign = await run('submit', file, '--topic', 'terrorism', ...far)
    t.equal(foreign.code, 6, 'a report of another member')
    t.match(errorIn(foreign), { field: '/meta/originator', detail: /has ML there/ })
    const ill = await run('doctor', ...far)
    t.equal(ill.code, 7)
    t.match(checksOf(ill), { relay: 'fail', outbox: 'ok' })
  }
  const sender = async () => {
    const run = await at('NE')
    const forbidden = await run('submit', file, '--topic', 'arms')
    t.equal(forbidden.code, 5)
    t.equal(errorIn(forbidden)['code'], 'publish_refused')
    const far = ['--timeout', '1', '--relay', nowhere]
    const late = await run('submit', file, '--topic', 'terrorism', ...far)
    t.equal(late.code, 8)
    t.match(late.json(), [{ state: 'queued', confirmed: false }])
    t.match(late.stderr, /outbox flush/)
  }
  await Promise.all([healthy(), alone(), sender()])
})

t.test('130: Ctrl-C at a stream', async (t) => {
  await using relay = await startCliScenario()
  const { network, folder, url } = relay
  const home = await makeHome(network, network.deviceOf('FLU'), { folder, url })
  await using tail = new Cli(['feed', 'tail'], { home, installed: true })
  await tail.says('stderr', /link: online/)
  const busy = await liaison([...plain, 'outbox', 'list'], { home })
  t.equal(busy.code, 3, 'one program at a time')
  t.equal(errorIn(busy)['code'], 'store_locked')
  tail.signal('SIGINT')
  t.equal((await tail.ended()).code, 130)
})
