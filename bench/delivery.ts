/** From the log to many readers, and one reader that catches up with a long history. */
import { once } from 'node:events'
import { joinHashes, type RelayFrame } from '@liaison/protocol'
import type { RelayLog } from '@liaison/server'
import { Redis } from 'ioredis'
import { WebSocket } from 'ws'
import type { TestDevice, TestNetwork } from '../test/support/network.ts'
import type { RedisServer } from '../test/support/redis-server.ts'
import { recordBytes } from './append-parts.ts'
import { type Child, startBroadcastChild } from './support/children.ts'
import { BenchClient, loopbackOf, within } from './support/client.ts'
import { itemsIn } from './support/deliver-count.ts'
import { LoadSender } from './support/load.ts'
import {
  benchNetwork,
  benchTopic,
  devicesOf,
  type RelayUnderTest,
  relayUnderTest,
} from './support/networks.ts'
import { type BenchOptions, median, type Row, rowOf, timedAsync } from './support/row.ts'
import { openLog, type StoreName, serverFor, storeNames } from './support/stores.ts'

const payloadBytes = 1024

/** Readers of one loopback address; a relay admits 64. */
const perAddress = 50

/** Bytes of one deliver item: header, seal, signature, payload, one slot, a path. */
const itemBytes = recordBytes(payloadBytes, 1)

/**
 * Follows a topic from its beginning and gives credit back as frames come. It counts the items of a
 * frame without decoding them, as the bare WebSocket client beside it does not look at its messages.
 */
function follow(client: BenchClient, topic: number, onItems: (items: number) => void): void {
  client.onBytes = (bytes) => {
    const items = itemsIn(bytes)
    if (items === null) return
    client.send({ kind: 'credit', sub: 1, frames: 1, bytes: bytes.length + 64 * items })
    onItems(items)
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

/** @returns items per second that all readers together take from the beginning of the topic to its end. */
async function readAll(
  relay: RelayUnderTest,
  devices: readonly TestDevice[],
  topic: number,
  count: number,
): Promise<number> {
  const clients = await connectAll(relay, devices)
  const ms = await timedAsync(() =>
    within('deliveries', (done, failed) => {
      let left = clients.length * count
      for (const client of clients) {
        client.onFrame = (frame: RelayFrame) => {
          if (frame.kind === 'error') failed(new Error(`the relay answered: ${frame.text}`))
        }
        follow(client, topic, (items) => {
          left -= items
          if (left === 0) done()
        })
      }
    }),
  )
  for (const client of clients) client.close()
  return (1000 * clients.length * count) / ms
}

/** @returns messages per second that a bare WebSocket server sends to as many sockets, one by one. */
async function broadcastRate(child: Child, n: number, count: number): Promise<number> {
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
      child.ask({ count, bytes: itemBytes }).catch(failed)
    }),
  )
  for (const socket of sockets) socket.terminate()
  return (1000 * n * count) / ms
}

async function fanout(
  store: StoreName,
  options: BenchOptions,
  readers: number,
  count: number,
): Promise<Row> {
  const network = benchNetwork({ publishers: 1, readers })
  const topic = network.topic(benchTopic)
  const server = await serverFor(store)
  const relayed: number[] = []
  const limits: number[] = []
  try {
    await using relay = await relayUnderTest(network, {
      redis: server,
      fill: (data) => fill(network, data, server, count),
    })
    await using bare = await startBroadcastChild()
    const devices = devicesOf(network, 'RDR')
    for (let run = -1; run < (options.quick ? 3 : 5); run++) {
      const rate = await readAll(relay, devices, topic, count)
      const limit = await broadcastRate(bare, readers, count)
      if (run < 0) continue
      relayed.push(rate)
      limits.push(limit)
    }
  } finally {
    await server?.[Symbol.asyncDispose]()
  }
  const limit = {
    name: `bare WebSocket broadcast of ${itemBytes} B, one message a send`,
    value: median(limits),
  }
  const note = `${count} envelopes in the log to ${readers} readers at once, own slot for each; publishing not counted; all readers in one process`
  return rowOf(`fanout.${store}.${readers}`, 'deliveries/s', relayed, { limit, note })
}

/** Rows `fanout.*`. */
export async function fanoutRows(options: BenchOptions): Promise<Row[]> {
  const rows: Row[] = []
  for (const store of storeNames) {
    for (const [readers, count, quickCount] of [
      [10, 2000, 1000],
      [100, 400, 200],
    ] as const) {
      if (!options.wants(`fanout.${store}.${readers}`)) continue
      rows.push(await fanout(store, options, readers, options.quick ? quickCount : count))
    }
  }
  return rows
}

/** Appends on their way at a time while the history is written. */
const fillWindow = 512

/** Writes a history straight into the log, as if it had been admitted. */
async function fill(
  network: TestNetwork,
  data: string,
  server: RedisServer | undefined,
  count: number,
): Promise<void> {
  const [device] = devicesOf(network, 'PUB')
  if (device === undefined) throw new Error('no publisher')
  const topic = network.topic(benchTopic)
  const sender = new LoadSender(network, device, topic, payloadBytes)
  const slotLeaves = joinHashes(sender.leaves())
  await using log = await openLog(network.directory.net, data, server)
  for (let done = 0; done < count; done += fillWindow) {
    const batch = Math.min(fillWindow, count - done)
    await Promise.all(Array.from({ length: batch }, () => store(log, network, sender, slotLeaves)))
  }
  if (log.topicHead(topic) !== count) throw new Error('the history is incomplete')
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

/** Records of the same bytes that one client reads from a Redis stream in a second. */
async function rangeRate(server: RedisServer, bytes: number, count: number): Promise<number> {
  const redis = new Redis({ host: '127.0.0.1', port: server.port, protocol: 2 })
  const value = Buffer.alloc(bytes, 1)
  const page = 64
  try {
    for (let at = 0; at < count; at += page) {
      const pipeline = redis.pipeline()
      for (let i = at; i < Math.min(count, at + page); i++) {
        pipeline.xadd('bare-range', `${i + 1}-0`, 'b', value)
      }
      await pipeline.exec()
    }
    const ms = await timedAsync(async () => {
      for (let at = 0; at < count; at += page) {
        await redis.xrangeBuffer('bare-range', `${at + 1}-0`, `${at + page}-0`)
      }
    })
    return (1000 * count) / ms
  } finally {
    await redis.del('bare-range')
    redis.disconnect()
  }
}

/** Rows `catchup.*`. */
export async function catchupRows(options: BenchOptions): Promise<Row[]> {
  const rows: Row[] = []
  for (const name of storeNames) {
    if (options.wants(`catchup.${name}`)) rows.push(await catchup(name, options))
  }
  return rows
}

async function catchup(name: StoreName, options: BenchOptions): Promise<Row> {
  const stored = options.quick ? 10_000 : 100_000
  const network = benchNetwork({ publishers: 1, readers: 1 })
  const topic = network.topic(benchTopic)
  await using raw = (await serverFor('redis')) as RedisServer
  const reads = await rangeRate(raw, recordBytes(payloadBytes, 2), Math.min(stored, 20_000))
  const server = name === 'redis' ? raw : undefined
  await using relay = await relayUnderTest(network, {
    redis: server,
    fill: (data) => fill(network, data, server, stored),
  })
  const devices = devicesOf(network, 'RDR')
  const rates: number[] = []
  for (let run = 0; run < 3; run++) rates.push(await readAll(relay, devices, topic, stored))
  const limit = { name: 'raw XRANGE of as many bytes, 64 entries a call', value: reads }
  const note = `${stored} stored envelopes of ${payloadBytes} B payload and two slots to one reader that counts what comes`
  return rowOf(`catchup.${name}`, 'items/s', rates, { limit, note })
}
