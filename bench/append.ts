/** Publishing over a real socket to the signed receipt, beside the bare store and the bare verifier. */
import { join } from 'node:path'
import {
  decodeReceipt,
  type Envelope,
  encodeClientFrame,
  limits,
  type RelayFrame,
  receiptHash,
  verifyEnvelopeSignature,
  verifyReceipts,
} from '@liaison/protocol'
import { open, type RootDatabase } from 'lmdb'
import { tempFolder } from '../test/support/temp-folder.ts'
import { BenchClient, within } from './support/client.ts'
import { type LoadEnvelope, LoadSender } from './support/load.ts'
import {
  benchNetwork,
  benchTopic,
  devicesOf,
  type RelayUnderTest,
  relayUnderTest,
} from './support/networks.ts'
import { type BenchOptions, median, type Row, rowOf, timed, timedAsync } from './support/row.ts'

const payloadBytes = 1024

/** Connections that publish at the same time: a relay bounds frames and bytes of each device. */
const publishers = 4

interface Window {
  /** Envelopes that are on their way at any moment. */
  readonly size: number
  /** Envelopes in one frame, as a client sends them when it has that many. */
  readonly perFrame: number
  /** Envelopes in one repeat. */
  readonly count: number
}

const windowsOf = (quick: boolean): readonly Window[] => [
  { size: 1, perFrame: 1, count: quick ? 60 : 120 },
  { size: 64, perFrame: 16, count: quick ? 1024 : 3072 },
  { size: 512, perFrame: 16, count: quick ? 2048 : 6144 },
]

interface Publisher {
  readonly client: BenchClient
  readonly sender: LoadSender
}

type Result = Extract<RelayFrame, { kind: 'result' }>

/** Checks afterwards what a client checks: every receipt accepted and every signature good. */
function checkResults(relay: RelayUnderTest, results: readonly Result[], count: number): void {
  const { network } = relay
  const codes = results.flatMap(({ receipts, sig }) => {
    const hashes = receipts.map(receiptHash)
    const key = network.relayKey.publicKey
    if (!verifyReceipts(network.directory.net, key, hashes, sig)) {
      throw new Error('a receipt does not verify')
    }
    return receipts.map((bytes) => {
      const receipt = decodeReceipt(bytes)
      return receipt.ok ? receipt.value.rc : -1
    })
  })
  if (codes.length !== count || codes.some((rc) => rc !== 0)) {
    throw new Error(`${codes.filter((rc) => rc === 0).length} of ${count} envelopes were accepted`)
  }
}

/** Publishes `count` envelopes with a window. @returns envelopes per second. */
async function publishRate(
  relay: RelayUnderTest,
  all: readonly Publisher[],
  { size, perFrame, count }: Window,
): Promise<number> {
  const framesAtOnce = size / perFrame
  const used = all.slice(0, Math.min(all.length, framesAtOnce))
  const queues = used.map(({ sender }) => framesOf(sender, count / used.length, perFrame))
  const results: Result[] = []
  const ms = await timedAsync(() =>
    within('receipts', (done, failed) => {
      let open = queues.reduce((sum, queue) => sum + queue.length, 0)
      for (const [i, { client }] of used.entries()) {
        const queue = queues[i] ?? []
        client.onFrame = (frame) => {
          if (frame.kind === 'error') failed(new Error(`the relay answered: ${frame.text}`))
          if (frame.kind !== 'result') return
          results.push(frame)
          const next = queue.shift()
          if (next !== undefined) client.sendBytes(next)
          open -= 1
          if (open === 0) done()
        }
        for (const frame of queue.splice(0, framesAtOnce / used.length)) client.sendBytes(frame)
      }
    }),
  )
  checkResults(relay, results, count)
  return (1000 * count) / ms
}

function framesOf(sender: LoadSender, count: number, perFrame: number): Uint8Array[] {
  return Array.from({ length: count / perFrame }, (_, rq) => {
    const envelopes: Envelope[] = Array.from({ length: perFrame }, () => sender.next().envelope)
    return encodeClientFrame({ kind: 'publish', rq, envelopes })
  })
}

/** The same number of bytes into a bare store, each durable before its place in the window is free. */
async function storeRate(
  root: RootDatabase<Uint8Array, number>,
  keys: { next: number },
  { size, count }: Window,
): Promise<number> {
  const value = Buffer.alloc(payloadBytes + 600 + limits.slotBytes, 1)
  let left = count
  const worker = async (): Promise<void> => {
    while (left > 0) {
      left -= 1
      const key = keys.next++
      await root.transaction(() => void root.put(key, value))
      await root.flushed
    }
  }
  const ms = await timedAsync(() => Promise.all(Array.from({ length: size }, worker)))
  return (1000 * count) / ms
}

/** Envelope signatures that one core verifies in a second. */
function verifyRate(relay: RelayUnderTest, sample: LoadEnvelope, key: Uint8Array): number {
  const { net } = relay.network.directory
  const count = 500
  const ms = timed(() => {
    for (let i = 0; i < count; i++) {
      if (!verifyEnvelopeSignature(net, key, sample.envelope)) throw new Error('does not verify')
    }
  })
  return (1000 * count) / ms
}

/** Rows `append.lmdb.*`, `part.verify` and `part.lmdb.*`. */
export async function appendRows(options: BenchOptions): Promise<Row[]> {
  const network = benchNetwork({ publishers, readers: 0 })
  const topic = network.topic(benchTopic)
  await using folder = await tempFolder()
  await using relay = await relayUnderTest(network)
  const root = open<Uint8Array, number>({
    path: join(folder.path, 'bare.mdb'),
    noSubdir: true,
    encoding: 'binary',
    keyEncoding: 'uint32',
  })
  const all = await Promise.all(
    devicesOf(network, 'PUB').map(async (device): Promise<Publisher> => {
      const client = await BenchClient.connect(relay, { dev: device.num, key: device.key })
      return { client, sender: new LoadSender(network, device, topic, payloadBytes) }
    }),
  )
  try {
    return await measure(options, relay, all, root)
  } finally {
    for (const { client } of all) client.close()
    await root.close()
  }
}

async function measure(
  options: BenchOptions,
  relay: RelayUnderTest,
  all: readonly Publisher[],
  root: RootDatabase<Uint8Array, number>,
): Promise<Row[]> {
  const wanted = windowsOf(options.quick).filter(
    ({ size }) => options.wants(`append.lmdb.w${size}`) || options.wants(`part.lmdb.w${size}`),
  )
  const runs = options.quick ? 3 : 7
  const keys = { next: 0 }
  const relayed = new Map(wanted.map(({ size }) => [size, [] as number[]]))
  const bare = new Map(wanted.map(({ size }) => [size, [] as number[]]))
  const verified: number[] = []
  // An envelope of a network of its own: the chain of the measured ones must not lose a link.
  const spare = benchNetwork({ publishers: 1, readers: 0 })
  const [device] = devicesOf(spare, 'PUB')
  if (device === undefined) throw new Error('no publisher')
  const sample = new LoadSender(spare, device, spare.topic(benchTopic), payloadBytes).next()
  const samePlace = { ...relay, network: spare }
  for (let run = -1; run < runs; run++) {
    for (const [i, window] of wanted.entries()) {
      // Publishers take turns at the window of one, so that no device reaches its limit of frames.
      const from = (run + 1 + i) % all.length
      const turned = [...all.slice(from), ...all.slice(0, from)]
      const rate = await publishRate(relay, turned, window)
      const store = await storeRate(root, keys, window)
      if (run < 0) continue
      relayed.get(window.size)?.push(rate)
      bare.get(window.size)?.push(store)
    }
    const rate = verifyRate(samePlace, sample, device.key.publicKey)
    if (run >= 0) verified.push(rate)
  }
  return rowsOf(options, wanted, relayed, bare, verified)
}

function rowsOf(
  options: BenchOptions,
  wanted: readonly Window[],
  relayed: ReadonlyMap<number, readonly number[]>,
  bare: ReadonlyMap<number, readonly number[]>,
  verified: readonly number[],
): Row[] {
  const rows: Row[] = []
  const verify = median(verified)
  for (const { size, perFrame, count } of wanted) {
    const stored = bare.get(size) ?? []
    const limit =
      median(stored) < verify
        ? { name: `bare lmdb, window ${size}`, value: median(stored) }
        : { name: 'signature checks on one core', value: verify }
    const note =
      `${count} envelopes a run, payload ${payloadBytes} B, one slot, ${perFrame} in a frame, ` +
      'loopback socket, relay and client on the same cores; limit is the lower of part.*'
    rows.push(
      rowOf(`append.lmdb.w${size}`, 'envelopes/s', relayed.get(size) ?? [], { limit, note }),
      rowOf(`part.lmdb.w${size}`, 'writes/s', stored, {
        note: 'one value of the same size per transaction, committed and flushed',
      }),
    )
  }
  rows.push(rowOf('part.verify', 'checks/s', verified))
  return rows.filter(({ name }) => options.wants(name))
}
