/**
 * A device in a process of its own that ends itself, as by a power cut, at a moment that a test
 * chooses: around what it stores, sends, receives and shows.
 */
import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs'
import type { ClientStore, Session } from '@liaison/client-sdk'
import { nodeWebSocket } from '@liaison/client-sdk/node'
import { decodeClientFrame, decodeRelayFrame, sodiumReady } from '@liaison/protocol'
import type { Report } from '@liaison/schemas'
import type { OpenWebSocket } from '../../client-sdk/src/session/transport.ts'
import { openDevice, reportNetwork } from './sdk.ts'

/** When the process ends itself. */
export const readerMoments = [
  'before it stores',
  'after it stored',
  'after it showed',
  'after it noted the reading',
] as const
export const senderMoments = [
  'after it stored',
  'after it sealed',
  'after it sent',
  'when the answer comes',
  'after it kept the answer',
] as const
export type Moment =
  | `reader ${(typeof readerMoments)[number]}`
  | `sender ${(typeof senderMoments)[number]}`
  | 'never'

/** What the parent sends. */
export interface DeviceOrder {
  readonly url: string
  /** Where the relay's test keeps its devices. */
  readonly folder: string
  readonly member: string
  readonly die: Moment
  /** Reports to submit; those of earlier lives too. */
  readonly submit: readonly Report[]
  /** Where what is shown is written down, and how many lines it should have in the end. */
  readonly show: { readonly file: string; readonly n: number } | null
}

const end = (): void => void process.kill(process.pid, 'SIGKILL')

/** Ends the process around the n-th commit that touches a table. */
function mortalStore(store: ClientStore, die: Moment): ClientStore {
  let outbox = 0
  return {
    get: (table, key) => store.get(table, key),
    list: (table, query) => store.list(table, query),
    async commit(changes) {
      const touches = (table: string): boolean => changes.some((c) => c.table === table)
      if (touches('inbox') && die === 'reader before it stores') end()
      await store.commit(changes)
      if (touches('inbox') && die === 'reader after it stored') end()
      if (touches('outbox')) outbox++
      if (outbox === 1 && die === 'sender after it stored') end()
      if (outbox === 3 && die === 'sender after it kept the answer') end()
    },
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  }
}

/** Ends the process around a publish frame and its answer. */
const mortalSocket =
  (die: Moment): OpenWebSocket =>
  (url, subprotocol) => {
    const socket = nodeWebSocket(url, subprotocol)
    const send = socket.send.bind(socket)
    socket.send = (data) => {
      const frame = decodeClientFrame(data)
      const publishes = frame.ok && frame.value.kind === 'publish'
      if (publishes && die === 'sender after it sealed') end()
      send(data)
      if (publishes && die === 'sender after it sent') end()
    }
    if (die === 'sender when the answer comes') {
      const listening = socket as unknown as {
        addEventListener(
          type: 'message',
          heard: (event: { readonly data: ArrayBuffer }) => void,
        ): void
      }
      listening.addEventListener('message', ({ data }) => {
        const frame = decodeRelayFrame(new Uint8Array(data))
        if (frame.ok && frame.value.kind === 'result') end()
      })
    }
    return socket
  }

/** Writes down what is shown, from the last line on, as a program would that has its own records. */
async function show(
  session: Session,
  { file, n }: { file: string; n: number },
  die: Moment,
): Promise<void> {
  const out = openSync(file, 'a+')
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1)
  let have = lines.length
  const from = lines.at(-1)?.split(' ')[0] ?? 'all'
  if (have < n) {
    for await (const delivery of session.subscribe({}, { from })) {
      const name = delivery.kind === 'report' ? delivery.report.meta.id : delivery.kind
      writeSync(out, `${delivery.cursor} ${name}\n`)
      fsyncSync(out)
      if (die === 'reader after it showed') end()
      if (delivery.kind === 'report') await delivery.ack()
      if (die === 'reader after it noted the reading') end()
      if (++have >= n) break
    }
  }
  closeSync(out)
}

async function live(order: DeviceOrder): Promise<void> {
  await sodiumReady()
  const network = reportNetwork()
  const door = { network, url: order.url, folder: { path: order.folder } }
  await using session = await openDevice(door, network.deviceOf(order.member), {
    wrapStore: (store) => mortalStore(store, order.die),
    webSocket: mortalSocket(order.die),
  })
  for (const report of order.submit) await session.submit(report, { topic: 'terrorism' })
  await session.outbox.flush({ signal: AbortSignal.timeout(10_000) })
  if (order.show !== null) await show(session, order.show, order.die)
}

process.on('message', (order: DeviceOrder) => {
  live(order).then(
    () => process.disconnect(),
    (error: unknown) => {
      console.error(error)
      process.exit(1)
    },
  )
})
process.on('disconnect', () => process.exit(0))
process.send?.({ loaded: true })
