/** What the parts of a publish cost by themselves: their sum bounds what a relay could do. */
import { once } from 'node:events'
import { join } from 'node:path'
import { encodeClientFrame, limits } from '@liaison/protocol'
import { Redis } from 'ioredis'
import { open } from 'lmdb'
import { WebSocket } from 'ws'
import { identify } from '../server/src/admission/identify.ts'
import { judgeContent, judgeHeader } from '../server/src/admission/judge.ts'
import { loadVerify } from '../server/src/signatures/verify.ts'
import { RedisServer } from '../test/support/redis-server.ts'
import { tempFolder } from '../test/support/temp-folder.ts'
import { startEchoChild } from './support/children.ts'
import { LoadSender } from './support/load.ts'
import { benchNetwork, benchTopic, devicesOf } from './support/networks.ts'
import { median, timedAsync } from './support/row.ts'
import { cpuOf, type StoreName } from './support/stores.ts'

/** CPU time of each part of one publish, µs. */
export interface Parts {
  /** One signature check, with the library that the relay uses here. */
  readonly verify: number
  /** Decoding and all checks but the signature. */
  readonly decode: number
  /** Receiving a message and answering it. */
  readonly socket: number
  /** What the load generator spends for one message and its answer. */
  readonly generator: number
  /** Appending durably, client and server together, by store. */
  readonly append: Readonly<Record<StoreName, number>>
}

/** A bare store at one window. */
export interface BareStore {
  /** Writes per second. */
  readonly rate: number
  /** Middle time of one write, ms. */
  readonly p50: number
}

/** Bytes of one stored envelope: header, payload, slots. */
export const recordBytes = (payload: number, slots: number): number =>
  payload + 700 + slots * limits.slotBytes

const cpuNow = (): number => {
  const { user, system } = process.cpuUsage()
  return user + system
}

/** Best of several runs, µs for each: what else the machine does only adds. */
function cheapest(count: number, work: () => void): number {
  let best = Number.POSITIVE_INFINITY
  for (let run = 0; run < 5; run++) {
    const before = cpuNow()
    work()
    best = Math.min(best, (cpuNow() - before) / count)
  }
  return best
}

/** Signature and checks, in this process. */
export async function checkParts(
  payloadBytes: number,
): Promise<{ readonly verify: number; readonly decode: number }> {
  const network = benchNetwork({ publishers: 1, readers: 2 })
  const { directory, now } = network
  const [device] = devicesOf(network, 'PUB')
  if (device === undefined) throw new Error('no publisher')
  const sender = new LoadSender(network, device, network.topic(benchTopic), payloadBytes)
  const count = 2000
  const envelopes = Array.from({ length: count }, () => sender.next().envelope)
  const frames = envelopes.map((envelope, rq) =>
    encodeClientFrame({ kind: 'publish', rq, envelopes: [envelope] }),
  )
  if (frames.length !== count) throw new Error('no frames')
  const verify = await loadVerify()
  const { net } = directory
  const message = new Uint8Array(500)
  return {
    verify: cheapest(count, () => {
      for (const { sig } of envelopes) verify(sig, message, device.key.publicKey)
    }),
    decode: cheapest(count, () => {
      for (const envelope of envelopes) {
        const item = identify(net, device.num, envelope)
        if (!item.ok || !judgeHeader(directory, item.value, now).ok) throw new Error('refused')
        if (!judgeContent(item.value).ok) throw new Error('refused')
      }
    }),
  }
}

/** The way through a WebSocket and back, with so many messages under way. */
export async function socketParts(
  bytes: number,
  window: number,
  count: number,
): Promise<{ readonly socket: number; readonly generator: number; readonly p50: number }> {
  await using child = await startEchoChild()
  const socket = new WebSocket(child.url)
  await once(socket, 'open')
  const message = new Uint8Array(bytes)
  const cpu = async (): Promise<number> =>
    (await child.ask<{ readonly cpu: number }>({ cpu: true })).cpu
  const times: number[] = []
  const run = (): Promise<void> =>
    new Promise((resolve) => {
      let sent = 0
      let answered = 0
      const began: number[] = []
      const send = (): void => {
        sent += 1
        began.push(performance.now())
        socket.send(message)
      }
      socket.removeAllListeners('message')
      socket.on('message', () => {
        times.push(performance.now() - (began[answered] ?? 0))
        answered += 1
        if (sent < count) send()
        if (answered === count) resolve()
      })
      for (let i = 0; i < Math.min(window, count); i++) send()
    })
  await run()
  times.length = 0
  const [server, client] = [await cpu(), cpuNow()]
  await run()
  const used = { socket: (await cpu()) - server, generator: cpuNow() - client }
  socket.terminate()
  return { socket: used.socket / count, generator: used.generator / count, p50: median(times) }
}

/** Writes with so many under way. @returns rate, middle time, and CPU of client and server for each, µs */
async function writes(
  write: (n: number) => Promise<unknown>,
  window: number,
  count: number,
  serverCpu: () => Promise<number>,
): Promise<BareStore & { readonly cpu: number }> {
  const times: number[] = []
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < count) {
      next += 1
      const began = performance.now()
      await write(next)
      times.push(performance.now() - began)
    }
  }
  const [server, client] = [await serverCpu(), cpuNow()]
  const ms = await timedAsync(() => Promise.all(Array.from({ length: window }, worker)))
  const cpu = (cpuNow() - client + (await serverCpu()) - server) / count
  return { rate: (1000 * count) / ms, p50: median(times), cpu }
}

/** The bare store of each kind: one record of the same size for each write, durable before its answer. */
export class BareStores implements AsyncDisposable {
  readonly #value: Buffer
  readonly #close: (() => Promise<void>)[] = []
  readonly #write: Record<StoreName, (n: number) => Promise<unknown>>
  readonly #serverCpu: Record<StoreName, () => Promise<number>>

  private constructor(
    value: Buffer,
    write: Record<StoreName, (n: number) => Promise<unknown>>,
    serverCpu: Record<StoreName, () => Promise<number>>,
  ) {
    this.#value = value
    this.#write = write
    this.#serverCpu = serverCpu
  }

  static async open(bytes: number): Promise<BareStores> {
    const value = Buffer.alloc(bytes, 1)
    const folder = await tempFolder()
    const root = open<Uint8Array, number>({
      path: join(folder.path, 'bare.mdb'),
      noSubdir: true,
      encoding: 'binary',
      keyEncoding: 'uint32',
    })
    const server = await RedisServer.start()
    const redis = new Redis({ host: '127.0.0.1', port: server.port, protocol: 2 })
    let key = 0
    const stores = new BareStores(
      value,
      {
        lmdb: async () => {
          const at = key++
          await root.transaction(() => void root.put(at, value))
          await root.flushed
        },
        redis: () => redis.xadd('bare', '*', 'b', value),
      },
      {
        lmdb: async () => 0,
        redis: () => cpuOf(server.pid ?? 0),
      },
    )
    stores.#close.push(
      async () => redis.disconnect(),
      async () => {
        await server[Symbol.asyncDispose]()
      },
      async () => {
        await root.close()
      },
      async () => {
        await folder[Symbol.asyncDispose]()
      },
    )
    return stores
  }

  /** Bytes of each record. */
  get bytes(): number {
    return this.#value.length
  }

  measure(
    store: StoreName,
    window: number,
    count: number,
  ): Promise<BareStore & { readonly cpu: number }> {
    return writes(this.#write[store], window, count, this.#serverCpu[store])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const close of this.#close) await close()
  }
}

/** Envelopes per second that so many cores could take if nothing but the parts were to be done. */
export const partLimit = (parts: Parts, store: StoreName, cores: number): number =>
  (1e6 * cores) /
  (parts.verify + parts.decode + parts.socket + parts.generator + parts.append[store])
