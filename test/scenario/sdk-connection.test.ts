import { getEventListeners } from 'node:events'
import { MemoryRelay, TestNetwork } from '@liaison/client-sdk/testing'
import { decodeReceipt, encodeReceipt, errorRow, type RelayFrame } from '@liaison/protocol'
import t from 'tap'
import type { InboxRow } from '../../client-sdk/src/inbox/inbox-row.ts'
import type { DeviceSession } from '../../client-sdk/src/session/device-session.ts'
import { Pulse } from '../../client-sdk/src/session/emitter.ts'
import { Subscription } from '../../client-sdk/src/subscription.ts'
import { rejectsWithCode } from '../support/rejects-with-code.ts'
import {
  eventually,
  hostileWebSocket,
  makeReport,
  openDevice,
  startReportScenario,
  take,
} from '../support/sdk.ts'

t.test('an error about a subscription does not settle a request', async (t) => {
  await using relay = await startReportScenario()
  const { network } = relay
  const code = errorRow('not_found').n
  const webSocket = hostileWebSocket((frame) => {
    if (frame.kind !== 'result') return [frame]
    const errors = Array.from({ length: 64 }, (_, rq): RelayFrame => {
      return { kind: 'error', code, rq, text: '', retryAfterMs: 0 }
    })
    return [...errors, frame]
  })
  await using officer = await openDevice(relay, network.deviceOf('BF'), { webSocket })
  const notices: string[] = []
  officer.on('notice', (notice) => notices.push(notice.code))
  const submission = await officer.submit(makeReport(network, 'BF'), { topic: 'terrorism' })
  t.equal(
    (await submission.accepted(AbortSignal.timeout(10_000))).d,
    0,
    'accepted at the first try',
  )
  t.equal(notices.filter((one) => one === 'not_found').length, 64, 'each error was told')
})

t.test('keys that the relay refused are not said to be replaced', async (t) => {
  await using relay = await startReportScenario()
  const webSocket = hostileWebSocket((frame) => {
    if (frame.kind !== 'result') return [frame]
    const receipts = frame.receipts.map((bytes) => {
      const receipt = decodeReceipt(bytes)
      if (!receipt.ok) throw new Error(receipt.error)
      return encodeReceipt({ ...receipt.value, rc: errorRow('epoch_refused').n })
    })
    return [{ ...frame, receipts }]
  })
  await using session = await openDevice(relay, relay.network.deviceOf('BF'), { webSocket })
  await rejectsWithCode(t, session.rotateKeys(), 'epoch_refused')
  t.equal(session.state, 'online')
})

t.test(
  'keys past their last day are destroyed before a reconnection asks for anything',
  async (t) => {
    const network = await TestNetwork.start({
      members: ['BF', 'ML'],
      topics: ['terrorism'],
      schemas: ['spotrep'],
    })
    const { clock, directory, relay } = network
    const nowhere = new MemoryRelay({ directory, clock, keys: {} as never })
    nowhere.stop()
    let away = false
    const reconnect = { minMs: 100, maxMs: 100 }
    await using reader = await network.connect('ML', {
      reconnect,
      webSocket: (...to) => (away ? nowhere : relay).open(...to),
    })
    await using sender = await network.connect('BF', { reconnect })
    away = true
    relay.stop()
    relay.start()
    const report = makeReport({ now: clock() } as never, 'BF', {
      time: { from: '2025-12-30T06:00:00Z', precision: 'day' },
    })
    const submission = await sender.submit(report, { topic: 'terrorism' })
    await submission.accepted(AbortSignal.timeout(10_000))
    await sender.close()
    t.equal(reader.link.connections, 1)
    clock.advance(70 * 86_400_000)
    away = false
    reader.connectNow()
    t.match(await take(reader, 1), [{ kind: 'undecryptable', reason: 'key_destroyed' }])
    await eventually('it is the same session', () => reader.link.connections === 2)
  },
)

t.test('a subscriber that catches up over many pages waits with one listener', async (t) => {
  const inboxChanged = new Pulse()
  const pages = 20
  const row: InboxRow = { kind: 'gap', topic: 1, cursor: 0, t: 0, dev: 1, from: 0, to: 0 }
  const engine = {
    inboxChanged,
    state: 'online',
    inbox: {
      rows: { after: async (n: number) => (n < pages ? [[n + 1, row] as const] : []) },
    },
    deps: { local: { directory: { topic: () => null } } },
  } as unknown as DeviceSession
  const stop = new AbortController()
  let seen = 0
  const reading = (async () => {
    for await (const item of new Subscription(engine, null, 0, stop.signal)) {
      seen = Number(item.cursor)
    }
  })()
  await eventually('all pages were read', () => seen === pages)
  t.equal(getEventListeners(stop.signal, 'abort').length, 1)
  stop.abort()
  await reading
  t.equal(getEventListeners(stop.signal, 'abort').length, 0)
})
