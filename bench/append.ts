/** Publishing over a real socket to the signed receipt, beside the bare stores and the sum of the parts. */
import { availableParallelism } from 'node:os'
import { decodeReceipt, encodeClientFrame, type RelayFrame } from '@liaison/protocol'
import {
  BareStores,
  checkParts,
  type Parts,
  partLimit,
  recordBytes,
  socketParts,
} from './append-parts.ts'
import { BenchClient, loopbackOf, within } from './support/client.ts'
import { LoadSender } from './support/load.ts'
import { benchNetwork, benchTopic, devicesOf, relayUnderTest } from './support/networks.ts'
import { type BenchOptions, median, type Row, rowOf } from './support/row.ts'
import { type StoreName, serverFor, storeNames } from './support/stores.ts'

const payloadBytes = 1024

/** Recipients of each envelope: two readers and one device of the unit. */
const recipients = 3

/** Devices that publish; at the largest window each has 16 envelopes under way. */
const publishers = 32

/** Connections of one loopback address; a relay admits 64. */
const perAddress = 32

/** Envelopes under way at any moment. */
type Window = 1 | 64 | 512

const windows: readonly Window[] = [1, 64, 512]

/** Envelopes in one run; a window of one is to last ten seconds. */
const countOf = (window: Window, quick: boolean): number =>
  ({ 1: quick ? 300 : 6000, 64: quick ? 2048 : 12_288, 512: quick ? 4096 : 16_384 })[window]

interface Publisher {
  readonly client: BenchClient
  /** Frames sealed beforehand, so that making them is not what is measured. */
  readonly frames: Uint8Array[]
}

type Result = Extract<RelayFrame, { kind: 'result' }>

interface Run {
  /** Envelopes per second. */
  readonly rate: number
  /** Middle time from sending to the receipt, ms. */
  readonly p50: number
}

/** Publishes so many with a window over as many devices as it has places, 16 at most on each. */
async function publish(all: readonly Publisher[], window: Window, count: number): Promise<Run> {
  const each = Math.max(1, Math.min(16, window / 4))
  const used = all.slice(0, Math.max(1, window / each))
  const results: Result[] = []
  const times: number[] = []
  let left = count
  const began = performance.now()
  await within('receipts', (done, failed) => {
    for (const { client, frames } of used) {
      const starts: number[] = []
      const send = (): void => {
        const frame = frames.shift()
        if (frame === undefined) return
        starts.push(performance.now())
        client.sendBytes(frame)
      }
      client.onFrame = (frame) => {
        if (frame.kind === 'error') failed(new Error(`the relay answered: ${frame.text}`))
        if (frame.kind !== 'result') return
        // A session answers in the order in which it was asked.
        times.push(performance.now() - (starts.shift() ?? 0))
        results.push(frame)
        left -= 1
        if (left === 0) done()
        else send()
      }
      for (let i = 0; i < each; i++) send()
    }
  })
  const ms = performance.now() - began
  const codes = results.flatMap(({ receipts }) =>
    receipts.map((bytes) => {
      const receipt = decodeReceipt(bytes)
      return receipt.ok ? receipt.value.rc : -1
    }),
  )
  const good = codes.filter((rc) => rc === 0).length
  if (good !== count) throw new Error(`${good} of ${count} envelopes were accepted`)
  return { rate: (1000 * count) / ms, p50: median(times) }
}

/** Measures one store at the wanted windows. */
async function measure(
  store: StoreName,
  wanted: readonly Window[],
  quick: boolean,
): Promise<Map<Window, Run[]>> {
  const network = benchNetwork({ publishers, readers: recipients - 1 })
  const topic = network.topic(benchTopic)
  const server = await serverFor(store)
  const runs = quick ? 2 : 5
  const out = new Map<Window, Run[]>()
  try {
    await using relay = await relayUnderTest(network, { redis: server })
    const devices = devicesOf(network, 'PUB')
    const senders = devices.map((d) => new LoadSender(network, d, topic, payloadBytes))
    for (let run = -1; run < runs; run++) {
      for (const window of wanted) {
        // New connections, because one may send only so many frames a second.
        const all = await Promise.all(
          devices.map(async (device, i): Promise<Publisher> => {
            const localAddress = loopbackOf(Math.floor(i / perAddress))
            const target = { ...relay, localAddress }
            const client = await BenchClient.connect(target, { dev: device.num, key: device.key })
            return { client, frames: [] }
          }),
        )
        const count = run < 0 ? Math.min(512, countOf(window, quick)) : countOf(window, quick)
        prepare(all, senders, window, count)
        const result = await publish(all, window, count)
        for (const { client } of all) client.close()
        if (run >= 0) out.set(window, [...(out.get(window) ?? []), result])
      }
    }
  } finally {
    await server?.[Symbol.asyncDispose]()
  }
  return out
}

function prepare(
  all: readonly Publisher[],
  senders: readonly LoadSender[],
  window: Window,
  count: number,
): void {
  const each = Math.max(1, Math.min(16, window / 4))
  const used = Math.max(1, window / each)
  // Not one more: what is not sent would leave a gap in its chain.
  for (let n = 0; n < count; n++) {
    const { frames } = all[n % used] as Publisher
    const { envelope } = (senders[n % used] as LoadSender).next()
    frames.push(encodeClientFrame({ kind: 'publish', rq: n, envelopes: [envelope] }))
  }
}

/** Rows `append.*` and `part.*`. */
export async function appendRows(options: BenchOptions): Promise<Row[]> {
  const { quick } = options
  const rows: Row[] = []
  await using bare = await BareStores.open(recordBytes(payloadBytes, recipients))
  const parts = await partsOf(bare, quick)
  rows.push(...partRows(parts))
  const echo = await socketParts(bare.bytes, 1, quick ? 300 : 3000)
  for (const store of storeNames) {
    const wanted = windows.filter((window) => options.wants(`append.${store}.w${window}`))
    if (wanted.length === 0) continue
    const measured = await measure(store, wanted, quick)
    for (const window of wanted) {
      const runs = measured.get(window) ?? []
      const stored = await bare.measure(store, window, Math.min(4096, countOf(window, quick)))
      rows.push(...storeRows(store, window, runs, stored, parts, echo.p50))
    }
  }
  return rows
}

async function partsOf(bare: BareStores, quick: boolean): Promise<Parts> {
  const count = quick ? 2000 : 8000
  const { verify, decode } = await checkParts(payloadBytes)
  const { socket, generator } = await socketParts(bare.bytes, 512, count)
  const lmdb = (await bare.measure('lmdb', 512, count)).cpu
  const redis = (await bare.measure('redis', 512, count)).cpu
  return { verify, decode, socket, generator, append: { lmdb, redis } }
}

function partRows(parts: Parts): Row[] {
  const { verify, decode, socket, generator, append } = parts
  const costs = {
    verify,
    decode,
    socket,
    generator,
    'append.lmdb': append.lmdb,
    'append.redis': append.redis,
  }
  return Object.entries(costs).map(([name, cost]) =>
    rowOf(`part.${name}`, 'us CPU/envelope', [cost]),
  )
}

function storeRows(
  store: StoreName,
  window: Window,
  runs: readonly Run[],
  bare: { readonly rate: number; readonly p50: number },
  parts: Parts,
  echoP50: number,
): Row[] {
  const cores = availableParallelism()
  const limit =
    window === 1
      ? { name: 'bare store, window 1', value: bare.rate }
      : { name: `part limit, ${cores} cores`, value: partLimit(parts, store, cores) }
  const note =
    `${Math.min(publishers, Math.max(1, window / 16))} devices and more, one envelope in a frame, ` +
    `payload ${payloadBytes} B, ${recipients} recipients, load generator on the same cores`
  const rates = runs.map(({ rate }) => rate)
  const rows = [
    rowOf(`append.${store}.w${window}`, 'envelopes/s', rates, { limit, note }),
    rowOf(`part.${store}.w${window}`, 'writes/s', [bare.rate]),
  ]
  if (window !== 1) return rows
  const p50s = runs.map(({ p50 }) => p50)
  const sum = { name: 'p50 of the bare store and of a WebSocket echo', value: bare.p50 + echoP50 }
  return [...rows, rowOf(`append.${store}.w1.p50`, 'ms', p50s, { limit: sum })]
}
