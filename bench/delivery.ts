/** Live delivery to many readers, and one reader that catches up with a long history. */
import { once } from 'node:events'
import { creditBytes, encodeClientFrame, joinHashes, type RelayFrame } from '@liaison/protocol'
import { openLmdbLog, type RelayLog } from '@liaison/server'
import { WebSocket } from 'ws'
import { OwedCredit } from '../client-sdk/src/session/owed-credit.ts'
import type { TestDevice, TestNetwork } from '../test/support/network.ts'
import { type Child, startBroadcastChild } from './support/children.ts'
import { BenchClient, loopbackOf, within } from './support/client.ts'
import { LoadSender } from './support/load.ts'
import {
  benchNetwork,
  benchTopic,
  devicesOf,
  type RelayUnderTest,
  relayUnderTest,
} from './support/networks.ts'
import { type BenchOptions, median, type Row, rowOf, timedAsync } from './support/row.ts'

const payloadBytes = 752

/** Readers of one loopback address; a relay admits 64. */
const perAddress = 50

/** Publish frames on their way in a fan-out. */
const publishWindow = 8

/** Subscribes and gives credit back as it takes frames in. @param onItems Hears how many items came. */
function follow(client: BenchClient, topic: number, onItems: (items: number) => void): void {
  const owed = new OwedCredit()
  client.onFrame = (frame: RelayFrame) => {
    if (frame.kind === 'error') throw new Error(`the relay answered: ${frame.text}`)
    if (frame.kind !== 'deliver') return
    let bytes = 0
    let full = 0
    for (const item of frame.items) {
      bytes += creditBytes(item)
      if (item.form === 'full') full += 1
    }
    owed.arrived()
    const grant = owed.taken(bytes)
    if (grant !== null) client.send({ kind: 'credit', sub: frame.sub, ...grant })
    onItems(full)
  }
  client.send({ kind: 'subscribe', sub: 1, top: topic, from: 0, fluPaths: false })
}

const connectAll = (
  relay: RelayUnderTest,
  devices: readonly TestDevice[],
): Promise<BenchClient[]> =>
  Promise.all(
    devices.map((device, i) =>
      BenchClient.connect(
        { ...relay, localAddress: loopbackOf(Math.floor(i / perAddress)) },
        { dev: device.num, key: device.key },
      ),
    ),
  )

interface FanoutRun {
  readonly publisher: BenchClient
  readonly sender: LoadSender
  /** Told the function that hears of every delivery. */
  readonly deliveries: { on: (items: number) => void }
}

/** @returns deliveries per second from the first publish to the last delivery. */
async function deliveryRate(
  { publisher, sender, deliveries }: FanoutRun,
  readers: number,
  count: number,
): Promise<number> {
  const frames = Array.from({ length: count }, (_, rq) =>
    encodeClientFrame({ kind: 'publish', rq, envelopes: [sender.next().envelope] }),
  )
  const ms = await timedAsync(() =>
    within('deliveries', (done, failed) => {
      let left = readers * count
      deliveries.on = (items) => {
        left -= items
        if (left === 0) done()
      }
      publisher.onFrame = (frame) => {
        if (frame.kind === 'error') failed(new Error(`the relay answered: ${frame.text}`))
        const next = frame.kind === 'result' ? frames.shift() : undefined
        if (next !== undefined) publisher.sendBytes(next)
      }
      for (const frame of frames.splice(0, publishWindow)) publisher.sendBytes(frame)
    }),
  )
  return (1000 * readers * count) / ms
}

/** @returns frames per second that a bare WebSocket server delivers to as many sockets. */
async function broadcastRate(child: Child, n: number, count: number): Promise<number> {
  // About what one deliver frame of the measured reports has.
  const bytes = 2600
  const sockets = Array.from({ length: n }, () => new WebSocket(child.url))
  await Promise.all(sockets.map((socket) => once(socket, 'open')))
  const ms = await timedAsync(() =>
    within('broadcast frames', (done, failed) => {
      let left = n * count
      for (const socket of sockets) {
        socket.on('message', () => {
          left -= 1
          if (left === 0) done()
        })
      }
      child.ask({ count, bytes }).catch(failed)
    }),
  )
  for (const socket of sockets) socket.terminate()
  return (1000 * n * count) / ms
}

async function fanout(options: BenchOptions, readers: number, count: number): Promise<Row> {
  const network = benchNetwork({ publishers: 1, readers })
  const topic = network.topic(benchTopic)
  await using relay = await relayUnderTest(network)
  await using bare = await startBroadcastChild()
  const [device] = devicesOf(network, 'PUB')
  if (device === undefined) throw new Error('no publisher')
  const clients = await connectAll(relay, devicesOf(network, 'RDR'))
  const deliveries: FanoutRun['deliveries'] = { on: () => undefined }
  for (const client of clients) follow(client, topic, (items) => deliveries.on(items))
  const sender = new LoadSender(network, device, topic, payloadBytes)
  const runs = options.quick ? 3 : 5
  const relayed: number[] = []
  const limits: number[] = []
  try {
    for (let i = -1; i < runs; i++) {
      // A connection may send so many frames a second; each run has its own.
      const publisher = await BenchClient.connect(relay, { dev: device.num, key: device.key })
      const rate = await deliveryRate({ publisher, sender, deliveries }, readers, count)
      publisher.close()
      const limit = await broadcastRate(bare, readers, count)
      if (i < 0) continue
      relayed.push(rate)
      limits.push(limit)
    }
  } finally {
    for (const client of clients) client.close()
  }
  const limit = { name: 'bare WebSocket broadcast of 2,600 B', value: median(limits) }
  const note = `${count} envelopes a run to ${readers} readers, ${readers + 1} slots each, durable before delivery; all readers in one process`
  return rowOf(`fanout.${readers}`, 'deliveries/s', relayed, { limit, note })
}

/** Rows `fanout.*`. */
export async function fanoutRows(options: BenchOptions): Promise<Row[]> {
  const rows: Row[] = []
  for (const [readers, count, quickCount] of [
    [10, 200, 60],
    [100, 60, 20],
  ] as const) {
    if (!options.wants(`fanout.${readers}`)) continue
    rows.push(await fanout(options, readers, options.quick ? quickCount : count))
  }
  return rows
}

/** Appends on their way at a time while the history is written. */
const fillWindow = 1024

/** Writes a history straight into the log, as if it had been admitted. @returns reads per second of it. */
async function fill(network: TestNetwork, data: string, count: number): Promise<number> {
  const [device] = devicesOf(network, 'PUB')
  if (device === undefined) throw new Error('no publisher')
  const topic = network.topic(benchTopic)
  const sender = new LoadSender(network, device, topic, payloadBytes)
  const slotLeaves = joinHashes(sender.leaves())
  await using log = await openLmdbLog({ folder: data, net: network.directory.net })
  for (let done = 0; done < count; done += fillWindow) {
    const batch = Math.min(fillWindow, count - done)
    await Promise.all(Array.from({ length: batch }, () => store(log, network, sender, slotLeaves)))
  }
  if (log.topicHead(topic) !== count) throw new Error('the history is incomplete')
  const rate = await readRate(log, topic, count)
  // LMDB ends its read transaction in a later turn and throws there when the store is closed by then.
  await new Promise((resolve) => setTimeout(resolve, 10))
  return rate
}

async function store(
  log: RelayLog,
  network: TestNetwork,
  sender: LoadSender,
  slotLeaves: Uint8Array,
): Promise<void> {
  // Nobody checks the signature again: it was checked at admission, which is not measured here.
  const { ctx, core, envelope } = sender.next(false)
  const outcome = await log.accept({
    fence: network.directory.size,
    core,
    from: ctx.from,
    topic: ctx.top,
    // All of one sender, topic and handling code: one chain, and the log asks only that it is the same.
    chain: new Uint8Array(32),
    inc: 0,
    seq: ctx.seq,
    prev: ctx.prev,
    id: ctx.id,
    t: ctx.t,
    envelope,
    slotLeaves,
  })
  if (outcome.kind !== 'accepted') throw new Error('the history was refused')
}

/** Envelopes with their slots that this process alone reads from the log in a second. */
async function readRate(log: RelayLog, topic: number, count: number): Promise<number> {
  const sample = Math.min(count, 20_000)
  const ms = await timedAsync(async () => {
    for (let after = 0; after < sample; after += 64) {
      for (const { cursor } of await log.readTopic(topic, after, 64)) {
        if ((await log.readSlots(topic, cursor)) === null) throw new Error('slots are missing')
      }
    }
  })
  return (1000 * sample) / ms
}

/** Row `catchup`. */
export async function catchupRows(options: BenchOptions): Promise<Row[]> {
  if (!options.wants('catchup')) return []
  const stored = options.quick ? 5000 : 100_000
  const network = benchNetwork({ publishers: 1, readers: 1 })
  const topic = network.topic(benchTopic)
  let reads = 0
  await using relay = await relayUnderTest(network, async (data) => {
    reads = await fill(network, data, stored)
  })
  const [device] = devicesOf(network, 'RDR')
  if (device === undefined) throw new Error('no reader')
  const rates: number[] = []
  for (let run = 0; run < 3; run++) {
    const client = await BenchClient.connect(relay, { dev: device.num, key: device.key })
    const ms = await timedAsync(() =>
      within('the whole history', (done) => {
        let left = stored
        follow(client, topic, (items) => {
          left -= items
          if (left === 0) done()
        })
      }),
    )
    client.close()
    rates.push((1000 * stored) / ms)
  }
  const limit = { name: 'the same envelopes read from the log, no relay', value: reads }
  const note = `${stored} stored envelopes of ${payloadBytes} B payload and two slots to one reader that decodes every frame`
  return [rowOf('catchup', 'items/s', rates, { limit, note })]
}
