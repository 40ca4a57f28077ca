/** Topics and rights that come while devices are connected. */
import type { Operations } from '@liaison/protocol'
import t from 'tap'
import type { TestRelay } from '../support/relay.ts'
import { eventually, makeReport, openDevice, shown, startReportScenario } from '../support/sdk.ts'

/** Has enough administrators change the directory, through the relay. */
async function change<K extends 'topic' | 'grant'>(
  relay: TestRelay,
  op: K,
  body: Operations[K],
): Promise<void> {
  const admin = await relay.administrator(1)
  const entry = relay.network.sign(op, body)
  const { codes } = await admin.append(entry)
  if (codes[0] !== 'ok') throw new Error(`${op}: ${codes[0]}`)
  relay.network.appendEntry(entry)
}

t.test('a new topic reaches connected devices at once, those of the FLU first', async (t) => {
  await using relay = await startReportScenario()
  const { network } = relay
  await using officer = await openDevice(relay, network.deviceOf('BF'))
  await using analyst = await openDevice(relay, network.deviceOf('FLU'))
  await using reader = await openDevice(relay, network.deviceOf('ML'))
  await using choosy = await openDevice(relay, network.deviceOf('ML', 1), { follow: ['terrorism'] })
  const sch = network.directory.schemas().map(({ num }) => num)
  await change(relay, 'topic', { name: 'piracy', status: 'exercise', sch, title: { en: 'Piracy' } })
  const top = network.topic('piracy')
  for (const code of ['BF', 'ML']) {
    await change(relay, 'grant', { top, mem: network.member(code), pub: 1, read: 1, hc: 4 })
  }
  await eventually(
    'the right is known',
    () => officer.directory.grant(top, network.member('ML')) !== null,
  )
  const submission = await officer.submit(makeReport(network, 'BF'), { topic: 'piracy' })
  await submission.accepted(AbortSignal.timeout(10_000))
  await eventually('the FLU shows it', async () => (await shown(analyst)).length === 1)
  await eventually('the member shows it', async () => (await shown(reader)).length === 1)
  const other = await officer.submit(makeReport(network, 'BF'), { topic: 'terrorism' })
  await other.accepted(AbortSignal.timeout(10_000))
  await eventually('who chose topics shows those', async () => (await shown(choosy)).length > 0)
  await eventually('the FLU shows both', async () => (await shown(analyst)).length === 2)
  t.same(
    (await shown(choosy)).map((d) => d.topic),
    ['terrorism'],
  )
  t.same(
    (await shown(analyst)).map((d) => d.topic),
    ['piracy', 'terrorism'],
  )
})

t.test('a right that was taken and given back holds without a new connection', async (t) => {
  await using relay = await startReportScenario()
  const { network } = relay
  await using officer = await openDevice(relay, network.deviceOf('BF'))
  await using reader = await openDevice(relay, network.deviceOf('ML'))
  const top = network.topic('terrorism')
  const mem = network.member('ML')
  const states: string[] = []
  reader.on('state', (state) => states.push(state))
  await change(relay, 'grant', { top, mem, pub: 1, read: 0, hc: 3 })
  const without = await officer.submit(makeReport(network, 'BF'), { topic: 'terrorism' })
  await without.accepted(AbortSignal.timeout(10_000))
  await change(relay, 'grant', { top, mem, pub: 1, read: 1, hc: 3 })
  await eventually('the sender knows', () => officer.directory.grant(top, mem)?.read === true)
  const again = await officer.submit(makeReport(network, 'BF'), { topic: 'terrorism' })
  await again.accepted(AbortSignal.timeout(10_000))
  await eventually('it is shown', async () => (await shown(reader)).length === 1)
  const [delivery] = await shown(reader)
  t.equal(delivery?.kind === 'report' && delivery.report.meta.id, again.id, 'the later one only')
  t.same(states, [], 'on the same connection')
})
