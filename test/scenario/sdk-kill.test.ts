/** The device's process ends without warning around everything that it stores, sends and shows. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { decodeAck, toHex } from '@liaison/protocol'
import type { Report } from '@liaison/schemas'
import t from 'tap'
import { bundled, Child } from '../support/child.ts'
import type { TestRelay } from '../support/relay.ts'
import { makeReport, openDevice, shown, startReportScenario, take } from '../support/sdk.ts'
import {
  type DeviceOrder,
  type Moment,
  readerMoments,
  senderMoments,
} from '../support/sdk-child.ts'

/** One life of a device's process. @returns the signal that ended it, or null when it ended well */
async function live(
  script: string,
  relay: TestRelay,
  order: Omit<DeviceOrder, 'url' | 'folder'>,
): Promise<string | null> {
  await using child = await Child.start(script)
  child.tell({ ...order, url: relay.url, folder: relay.folder.path } satisfies DeviceOrder)
  const { code, signal } = await child.ended
  if (signal === null && code !== 0) throw new Error(`the device ended with ${code}`)
  return signal
}

t.test('a sender killed at any moment submits each report exactly once', async (t) => {
  await using relay = await startReportScenario()
  const { network } = relay
  const script = await bundled('sdk-child.ts', relay.folder)
  const submit: Report[] = []
  for (const moment of senderMoments) {
    // Whoever wrote the report does not know what became of it, and submits it again.
    submit.push(makeReport(network, 'BF'))
    const die: Moment = `sender ${moment}`
    t.equal(await live(script, relay, { member: 'BF', die, submit, show: null }), 'SIGKILL', moment)
  }
  t.equal(await live(script, relay, { member: 'BF', die: 'never', submit, show: null }), null)
  const ids = submit.map((report) => report.meta.id)
  await using analyst = await openDevice(relay, network.deviceOf('FLU'))
  await take(analyst, ids.length)
  t.same(
    (await shown(analyst)).map((d) => d.kind === 'report' && [d.report.meta.id, d.verified]),
    ids.map((id) => [id, true]),
    'in order, each once, in one chain',
  )
  t.equal(relay.running.relay.source.log.topicHead(network.topic('terrorism')), ids.length)
})

t.test(
  'a reader killed at any moment shows and acknowledges each report exactly once',
  async (t) => {
    await using relay = await startReportScenario()
    const { network } = relay
    const script = await bundled('sdk-child.ts', relay.folder)
    const file = join(relay.folder.path, 'shown.txt')
    await using officer = await openDevice(relay, network.deviceOf('BF'))
    const ids: string[] = []
    const cores: string[] = []
    for (const moment of [...readerMoments, null]) {
      const { id, accepted } = await sent(relay, officer)
      ids.push(id)
      cores.push(accepted)
      const die: Moment = moment === null ? 'never' : `reader ${moment}`
      const order = { member: 'NE', die, submit: [], show: { file, n: ids.length } }
      t.equal(
        await live(script, relay, order),
        moment === null ? null : 'SIGKILL',
        moment ?? 'the last life',
      )
    }
    const lines = (await readFile(file, 'utf8')).trim().split('\n')
    t.same(
      lines.map((line) => line.split(' ')[1]),
      ids,
    )
    const acks = await relay.running.relay.source.log.readAcks(network.member('BF'), 0, 100)
    const said = acks.map(({ ack }) => decodeAck(ack)).flatMap((ack) => (ack.ok ? [ack.value] : []))
    const of = (word: 'ok' | 'rd'): string[] => [
      ...new Set(said.flatMap((ack) => ack[word] ?? []).map(toHex)),
    ]
    t.same(of('ok').sort(), [...cores].sort(), 'every report was acknowledged')
    t.ok(of('rd').length >= ids.length - 1, 'and every reading that was noted')
  },
)

async function sent(
  relay: TestRelay,
  officer: Awaited<ReturnType<typeof openDevice>>,
): Promise<{ id: string; accepted: string }> {
  const one = await officer.submit(makeReport(relay.network, 'BF'), { topic: 'terrorism' })
  const { cid } = await one.accepted(AbortSignal.timeout(10_000))
  return { id: one.id, accepted: toHex(cid) }
}
