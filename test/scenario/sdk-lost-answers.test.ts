/** Links that end at the worst moment, seen from the sender. */

import { nodeWebSocket } from '@liaison/client-sdk/node'
import { type ClientFrame, decodeClientFrame } from '@liaison/protocol'
import t from 'tap'
import type { OpenWebSocket } from '../../client-sdk/src/session/transport.ts'
import type { TestRelay } from '../support/relay.ts'
import { makeReport, openDevice, shown, startReportScenario, take } from '../support/sdk.ts'

/** A socket on which some frames of the client are lost, together with the connection. */
const losing =
  (lose: (frame: ClientFrame) => boolean): OpenWebSocket =>
  (url, subprotocol) => {
    const socket = nodeWebSocket(url, subprotocol)
    const send = socket.send.bind(socket)
    socket.send = (data) => {
      const frame = decodeClientFrame(data)
      if (frame.ok && lose(frame.value)) socket.close(1000)
      else send(data)
    }
    return socket
  }

const report = (relay: TestRelay, precedence: string): ReturnType<typeof makeReport> => {
  const plain = makeReport(relay.network, 'BF')
  return { ...plain, meta: { ...plain.meta, precedence } } as typeof plain
}

t.test(
  'urgent and ordinary reports that got no answer are repeated in one unbroken chain',
  async (t) => {
    await using relay = await startReportScenario()
    const device = relay.network.deviceOf('BF')
    const offline = await openDevice(relay, device, {
      url: 'ws://127.0.0.1:9/relay',
      waitFor: 'store',
    })
    const ids: string[] = []
    for (const precedence of ['routine', 'flash', 'priority']) {
      const { id } = await offline.submit(report(relay, precedence), { topic: 'terrorism' })
      ids.push(id)
    }
    await offline.close()
    let lost = 0
    await using officer = await openDevice(relay, device, {
      random: () => 0.01,
      webSocket: losing((frame) => frame.kind === 'publish' && lost++ === 0),
    })
    await officer.outbox.flush({ signal: AbortSignal.timeout(10_000) })
    t.equal(lost, 2, 'the same frame was sent twice')
    await using analyst = await openDevice(relay, relay.network.deviceOf('FLU'))
    await take(analyst, 3)
    t.same(
      (await shown(analyst)).map((d) => d.kind === 'report' && [d.report.meta.id, d.verified]),
      [ids[1], ids[2], ids[0]].map((id) => [id, true]),
      'urgent first, and nobody is told of a restarted chain',
    )
    t.same(
      officer.outbox.list().map((item) => item.sealed?.inc),
      [0, 0, 0],
    )
  },
)
