/** A link that goes dead, and one on which somebody puts in words that the relay never said. */
import { once } from 'node:events'
import { nodeWebSocket } from '@liaison/client-sdk/node'
import { errorRow } from '@liaison/protocol'
import t from 'tap'
import type { WebSocket } from 'ws'
import type { OpenWebSocket } from '../../client-sdk/src/session/transport.ts'
import { rejectsWithCode } from '../support/rejects-with-code.ts'
import { makeReport, openDevice, startReportScenario, type Tamper, take } from '../support/sdk.ts'
import { StillWire } from '../support/still-wire.ts'
import { openVictim } from '../support/victim.ts'

t.test('a session on a dead link closes, and so does its socket', async (t) => {
  await using relay = await startReportScenario()
  const { network } = relay
  await using wire = await StillWire.to(relay.url)
  await using officer = await openDevice(relay, network.deviceOf('BF'))
  const report = await officer.submit(makeReport(network, 'BF'), { topic: 'terrorism' })
  await report.accepted(AbortSignal.timeout(10_000))
  const sockets: WebSocket[] = []
  const open: OpenWebSocket = (url, subprotocol) => {
    const socket = nodeWebSocket(url, subprotocol)
    sockets.push(socket as unknown as WebSocket)
    return socket
  }
  const device = network.deviceOf('ML')
  const reader = await openDevice(relay, device, { url: wire.url, webSocket: open })
  const [delivery] = await take(reader, 1)
  if (delivery?.kind !== 'report') throw new Error('no report')
  wire.goDead()
  await delivery.ack({ read: true })
  const [socket] = sockets
  if (socket === undefined) throw new Error('no socket')
  const gone = once(socket, 'close')
  await reader.close()
  t.equal(reader.state, 'closed')
  await gone
  t.equal(socket.readyState, socket.CLOSED)
  await using again = await openDevice(relay, device)
  await again.outbox.flush()
  const states = officer.submission(report.id)
  for await (const { state } of states) if (state === 'read') break
  t.equal(states.state.state, 'read', 'what could not be said then was said next time')
})

/** Puts an error in the place of the relay's challenge, on the first `times` connections. */
function forged(code: 'auth_failed' | 'device_inactive', times: number) {
  const counts = { told: 0 }
  const tamper: Tamper = (frame) => {
    if (frame.kind !== 'challenge' || counts.told >= times) return [frame]
    counts.told++
    return [{ kind: 'error', code: errorRow(code).n, rq: 0, text: '', retryAfterMs: 0 }]
  }
  return { counts, tamper }
}

const reconnect = { minMs: 100, maxMs: 100 }

for (const code of ['auth_failed', 'device_inactive'] as const) {
  t.test(`a forged ${code} does not end a session: it connects again`, async (t) => {
    await using relay = await startReportScenario()
    const { counts, tamper } = forged(code, 2)
    await using victim = await openVictim(relay, tamper, { reconnect })
    t.equal(victim.state, 'online')
    t.equal(counts.told, 2)
  })
}

t.test('what is told again and again is believed', async (t) => {
  await using relay = await startReportScenario()
  const { counts, tamper } = forged('auth_failed', 99)
  await rejectsWithCode(t, openVictim(relay, tamper, { reconnect }), 'auth_failed')
  t.equal(counts.told, 3)
})
