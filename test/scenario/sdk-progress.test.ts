import type { LogEntry, OpenWebSocket, SendProgress, WebSocketLike } from '@liaison/client-sdk'
import { nodeWebSocket } from '@liaison/client-sdk/node'
import t from 'tap'
import { rejectsWithCode } from '../support/rejects-with-code.ts'
import { eventually, makeReport, openDevice, startReportScenario } from '../support/sdk.ts'

/** A link that holds back what it is given until it is told to let so many bytes go. */
class SlowLink {
  /** Bytes that may still leave; nothing is held back while it is infinite. */
  #allowance = Number.POSITIVE_INFINITY
  #held: { readonly data: Uint8Array; left: number }[] = []
  #socket: WebSocketLike | null = null

  readonly open: OpenWebSocket = (url, subprotocol) => {
    const socket = nodeWebSocket(url, subprotocol)
    this.#socket = socket
    const held = (): number => this.#held.reduce((sum, { left }) => sum + left, 0)
    return new Proxy(socket, {
      get: (target, key) => {
        if (key === 'bufferedAmount') return held()
        if (key === 'send') return (data: Uint8Array) => this.#send(data)
        const value: unknown = Reflect.get(target, key)
        return typeof value === 'function' ? value.bind(target) : value
      },
      set: (target, key, value) => Reflect.set(target, key, value),
    })
  }

  stop(): void {
    this.#allowance = 0
  }

  release(bytes: number): void {
    this.#allowance += bytes
    this.#flow()
  }

  #send(data: Uint8Array): void {
    this.#held.push({ data: new Uint8Array(data), left: data.length })
    this.#flow()
  }

  #flow(): void {
    for (let first = this.#held[0]; first !== undefined; first = this.#held[0]) {
      const gone = Math.min(first.left, this.#allowance)
      first.left -= gone
      this.#allowance -= gone
      if (first.left > 0) return
      this.#held.shift()
      this.#socket?.send(first.data)
    }
  }
}

t.test('progress says what has left this program, also on a slow link', async (t) => {
  await using relay = await startReportScenario()
  const { network } = relay
  const slow = new SlowLink()
  await using officer = await openDevice(relay, network.deviceOf('BF'), { webSocket: slow.open })
  // Fetches the recipients' keys, so that nothing but the report is on its way afterwards.
  await (await officer.submit(makeReport(network, 'BF'), { topic: 'terrorism' })).accepted()
  slow.stop()
  const seen: SendProgress[] = []
  const sentNow = (): number => seen.at(-1)?.sent ?? -1
  const report = makeReport(network, 'BF')
  const submission = await officer.submit(report, {
    topic: 'terrorism',
    onProgress: (progress) => seen.push(progress),
  })
  await eventually('it is sealed and waits', () => seen.length > 0)
  const total = seen[0]?.total ?? 0
  t.ok(total > 4000, 'slots and all')
  t.equal(sentNow(), 0, 'nothing has left')
  t.ok(officer.link.unsent > total)
  let last = 0
  while (last < total) {
    slow.release(2000)
    await eventually('more has left', () => sentNow() > last)
    t.ok(sentNow() - last <= 2000, `no more than was let go: ${last} to ${sentNow()}`)
    last = sentNow()
    if (last < total) t.equal(submission.state.state, 'sealed')
  }
  slow.release(Number.POSITIVE_INFINITY)
  await submission.accepted(AbortSignal.timeout(10_000))
  t.equal(sentNow(), total)
  const heard = seen.length
  const next = await officer.submit(makeReport(network, 'BF'), { topic: 'terrorism' })
  await next.accepted(AbortSignal.timeout(10_000))
  t.equal(seen.length, heard, 'another report is not counted in')
})

t.test('a session that is drained has sent everything, and says that it has ended', async (t) => {
  await using relay = await startReportScenario()
  const { network } = relay
  const log: LogEntry[] = []
  const session = await openDevice(relay, network.deviceOf('BF'), {
    onLog: (entry) => {
      log.push(entry)
      throw new Error('of the log, not of the session')
    },
  })
  const submission = await session.submit(makeReport(network, 'BF'), { topic: 'terrorism' })
  const states: string[] = []
  const watched = (async () => {
    for await (const { state } of submission) states.push(state)
  })()
  await session.drain({ signal: AbortSignal.timeout(10_000) })
  await watched
  t.equal(states.at(-1), 'with-relay', 'watching a submission ends with the session')
  t.equal((await session.closed).code, 'session_closed')
  t.same(
    log.filter(({ event }) => event === 'state').map(({ state }) => state),
    ['online', 'closed'],
  )
  t.notMatch(JSON.stringify(log), new RegExp(submission.id), 'no names of reports')

  const nowhere = { url: 'ws://127.0.0.1:9/relay', waitFor: 'store' } as const
  const ends: LogEntry[] = []
  await using offline = await openDevice(relay, network.deviceOf('BF'), {
    ...nowhere,
    reconnect: { minMs: 100, maxMs: 150 },
    onLog: (entry) => ends.push(entry),
  })
  const kept = await offline.submit(makeReport(network, 'BF'), { topic: 'terrorism' })
  await rejectsWithCode(t, offline.drain({ signal: AbortSignal.timeout(50) }), 'timeout')
  t.not(offline.state, 'closed', 'it goes on')
  await eventually('it tries again and again', () => {
    return ends.filter(({ event }) => event === 'link-ended').length >= 4
  })
  t.same(
    ends.flatMap(({ pauseMs }) => (typeof pauseMs === 'number' && pauseMs > 150 ? [pauseMs] : [])),
    [],
    'no pause is longer than asked for',
  )
  const waiting = rejectsWithCode(t, kept.accepted(), 'session_closed')
  await offline.close()
  await waiting
  t.equal(offline.outbox.get(kept.id)?.state, 'queued', 'it goes out another time')
  for (const reconnect of [{ minMs: 0 }, { minMs: 500, maxMs: 200 }, { maxMs: 1e9 }]) {
    await t.rejects(openDevice(relay, network.deviceOf('ML'), { reconnect }), RangeError)
  }
})
