import t from 'tap'
import { eventually, openDevice, startReportScenario } from '../support/sdk.ts'

t.test(
  'members: safety numbers, verification, and the word when a device is no longer theirs',
  async (t) => {
    await using relay = await startReportScenario()
    const { network } = relay
    const device = network.deviceOf('BF')
    const stolen = network.deviceOf('ML')
    const first = await openDevice(relay, device)
    await using other = await openDevice(relay, network.deviceOf('NE'))
    const number = first.members.safetyNumber('ML')
    t.match(number, /^(\d{5} ){7}\d{5}$/)
    t.equal(other.members.safetyNumber('ML'), number, 'the same on every machine')
    t.not(number, first.members.safetyNumber('NE'))
    t.equal(first.members.get('ML')?.verification, null)
    await first.members.markVerified('ML', 'by voice')
    await first.close()

    await using session = await openDevice(relay, device)
    const before = session.members.get('ML')
    t.match(before?.verification, { how: 'by voice', current: true }, 'after a restart too')
    t.ok(before?.devices.some(({ num }) => num === stolen.num))
    t.equal(session.members.get('XX'), null)
    t.throws(() => session.members.safetyNumber('XX'), { code: 'subject_unknown' })
    t.equal(session.members.list().length, network.directory.members().length)
    const changes: unknown[] = []
    session.on('key-changed', (change) => changes.push(change))
    const watching = new AbortController()
    const sizes: number[] = []
    const watched = (async () => {
      for await (const size of session.members.watch({ signal: watching.signal })) sizes.push(size)
    })()
    const admin = await relay.administrator(1)
    const entry = network.sign('suspend', { dev: stolen.num, why: 'lost' }, [1])
    t.same((await admin.append(entry)).codes, ['ok'])
    await eventually('the member has another number', () => {
      return session.members.get('ML')?.verification?.current === false
    })
    await eventually('it is told', () => changes.length > 0)
    t.match(changes, [{ device: stolen.num, member: 'ML', what: 'suspended', verified: true }])
    await eventually('the watcher is told', () => sizes.length === 2)
    t.ok((sizes[1] ?? 0) > (sizes[0] ?? 0))
    watching.abort()
    await watched
  },
)
