import {
  type AckItem,
  type ClientFrame,
  chainIdOf,
  decodeAck,
  decodeCore,
  type Envelope,
  type ErrorCode,
  encodeReceipt,
  epochMs,
  equal,
  errorRow,
  inclusionPaths,
  joinHashes,
  kidOf,
  leafHash,
  limits,
  payloadMatches,
  type RelayFrame,
  receiptHash,
  sha256,
  signReceipts,
  toHex,
  verifyEnvelopeSignature,
} from '@liaison/protocol'
import type { OpenWebSocket } from '../session/transport.ts'
import { Connection, type MemoryRelayDeps, pageOf } from './memory-connection.ts'
import { MemorySocket } from './memory-socket.ts'

/** An envelope that was taken in. */
interface Kept {
  readonly envelope: Envelope
  readonly core: Uint8Array
  readonly chain: string
  readonly inc: number
  readonly seq: number
  readonly member: number
  /** Device numbers in the order of the slots. */
  readonly audience: readonly number[]
  readonly receipt: Parameters<typeof encodeReceipt>[0]
}

/**
 * A relay within the process of a test. It speaks the protocol and checks what an honest client can
 * get wrong: who may publish, the audience, signatures, the order of a chain. It has no disk, no limits
 * of rate and size, no audit log, and no defence against clients that lie.
 */
export class MemoryRelay {
  readonly #deps: MemoryRelayDeps
  readonly #topics = new Map<number, Kept[]>()
  readonly #acks = new Map<number, AckItem[]>()
  readonly #blobs = new Map<string, Uint8Array>()
  readonly #connections = new Set<Connection>()
  #up = true

  constructor(deps: MemoryRelayDeps) {
    this.#deps = deps
  }

  /** For `connect`: opens a connection to this relay. */
  readonly open: OpenWebSocket = () =>
    new MemorySocket(
      this.#up
        ? (end) => {
            const connection = new Connection(this.#deps, end, (frame) =>
              this.#handle(connection, frame),
            )
            this.#connections.add(connection)
            return {
              receive: (bytes) => connection.receive(bytes),
              gone: () => this.#connections.delete(connection),
            }
          }
        : null,
    )

  /** Breaks every connection, and lets nobody in until `start`; what was taken in stays. */
  stop(): void {
    this.#up = false
    for (const { end } of [...this.#connections]) end.close(1006, '')
  }

  /** Lets clients in again. */
  start(): void {
    this.#up = true
  }

  /** Keeps public keys of an enrolment. */
  putKeys(keys: readonly Uint8Array[]): void {
    for (const key of keys) this.#blobs.set(toHex(kidOf(key)), key)
  }

  /** Tells everybody of new entries of the directory, and lets go whoever may no longer be here. */
  announce(from: number): void {
    const { directory, clock } = this.#deps
    for (const connection of [...this.#connections]) {
      const { device } = connection
      if (device === null) continue
      if (!directory.deviceActive(device, clock())) connection.end.close(4503, 'device_inactive')
      else connection.send({ kind: 'dir', rq: 0, page: pageOf(this.#deps, from) })
    }
  }

  #handle(connection: Connection, frame: ClientFrame): void {
    const { directory } = this.#deps
    switch (frame.kind) {
      case 'ping':
        connection.send({ kind: 'pong', t: frame.t })
        return
      case 'dir-want':
        connection.send({ kind: 'dir', rq: frame.rq, page: pageOf(this.#deps, frame.from) })
        return
      case 'blob-get': {
        const found = frame.hashes.flatMap((hash) => {
          const bytes = this.#blobs.get(toHex(hash))
          return bytes === undefined ? [] : [[hash, bytes] as const]
        })
        const missing = frame.hashes.filter((hash) => !this.#blobs.has(toHex(hash)))
        connection.send({ kind: 'blobs', rq: frame.rq, blobs: found, missing })
        return
      }
      case 'blob-put':
        this.putKeys(frame.blobs.map(([, key]) => key))
        connection.send({ kind: 'blobs', rq: frame.rq, blobs: [], missing: [] })
        return
      case 'append': {
        const from = directory.size
        const applied = directory.append(frame.entry, this.#deps.clock())
        const rc = applied.ok ? 0 : errorRow(applied.error).n
        this.#answer(connection, frame.rq, [this.#receipt(rc, sha256(frame.entry))])
        if (applied.ok) this.announce(from)
        return
      }
      case 'subscribe':
      case 'subscribe-acks': {
        const topic = frame.kind === 'subscribe' ? frame.top : null
        connection.subscriptions.push({ sub: frame.sub, topic, at: frame.from })
        this.#deliver(connection)
        return
      }
      case 'publish':
        this.#answer(
          connection,
          frame.rq,
          frame.envelopes.map((envelope) => this.#publish(connection, envelope)),
        )
        this.#deliverAll()
        return
      case 'ack':
        this.#takeAck(frame.ack, frame.sig)
        this.#deliverAll()
        return
      case 'fetch-chain':
      case 'fetch-core': {
        const items = this.#fetch(connection, frame)
        connection.send({ kind: 'fetched', rq: frame.rq, items })
        return
      }
      default:
    }
  }

  #receipt(rc: number, cid: Uint8Array): Kept['receipt'] {
    return { v: 1, rc, rk: 1, d: 0, cid, t: this.#deps.clock() }
  }

  #answer(connection: Connection, rq: number, receipts: readonly Kept['receipt'][]): void {
    const bytes = receipts.map(encodeReceipt)
    const hashes = bytes.map(receiptHash)
    const sig = signReceipts(this.#deps.directory.net, this.#deps.keys.relay, hashes)
    connection.send({ kind: 'result', rq, receipts: bytes, sig })
  }

  #publish({ device }: Connection, envelope: Envelope): Kept['receipt'] {
    const { directory } = this.#deps
    const decoded = decodeCore(directory.net, envelope.ctx, envelope.seal)
    if (!decoded.ok) return this.#receipt(errorRow(decoded.error).n, sha256(envelope.ctx))
    const { ctx, core } = decoded.value
    const chain = toHex(chainIdOf(directory.net, ctx))
    const inc = ctx.inc ?? 0
    const topic = this.#topics.get(ctx.top) ?? []
    const before = topic.filter((kept) => kept.chain === chain).at(-1)
    const same = topic.find((kept) => equal(kept.core, core))
    if (same !== undefined) return { ...same.receipt, d: 1 }
    const judged = this.#judge(device, envelope, before)
    if (typeof judged === 'string') return this.#receipt(errorRow(judged).n, core)
    const member = directory.device(ctx.from)?.mem ?? 0
    const cur = topic.length + 1
    const place = { id: ctx.id, dev: ctx.from, chain: chainIdOf(directory.net, ctx), inc }
    const receipt = { ...this.#receipt(0, core), cur, ...place, seq: ctx.seq }
    topic.push({ envelope, core, chain, inc, seq: ctx.seq, member, audience: judged, receipt })
    this.#topics.set(ctx.top, topic)
    return receipt
  }

  /** @returns the devices of the audience, or why it is refused. */
  #judge(
    device: number | null,
    envelope: Envelope,
    before: Kept | undefined,
  ): readonly number[] | ErrorCode {
    const { directory, clock } = this.#deps
    const decoded = decodeCore(directory.net, envelope.ctx, envelope.seal)
    if (!decoded.ok) return decoded.error
    const { ctx, seal } = decoded.value
    const sender = directory.device(ctx.from)
    if (sender === null || ctx.from !== device) return 'sender_mismatch'
    if (!directory.deviceActive(ctx.from, clock())) return 'device_inactive'
    const right = ctx.k === 5 ? 'ok' : directory.mayPublish(ctx.from, ctx.top, ctx.hc)
    if (right !== 'ok') return right
    const [mode, n, hash] = ctx.aud ?? [0, 0, new Uint8Array()]
    if (mode !== 0 && mode !== 1) return 'audience_invalid'
    const to = ctx.to === undefined ? {} : { to: ctx.to }
    const query = { topic: ctx.top, hc: ctx.hc, mode, t: epochMs(ctx.t), ...to } as const
    const audience = directory.audience(query)
    if (!audience.ok) return audience.error
    const { recipients } = audience.value
    if (recipients.length !== n || !equal(audience.value.hash, hash)) return 'audience_stale'
    if (!verifyEnvelopeSignature(directory.net, sender.identityKey, envelope)) {
      return 'signature_invalid'
    }
    if (!payloadMatches(seal, envelope.payload)) return 'payload_mismatch'
    const inc = ctx.inc ?? 0
    const follows =
      before === undefined || inc > before.inc
        ? ctx.seq === 0
        : inc === before.inc && ctx.seq === before.seq + 1 && equal(ctx.prev, before.core)
    return follows ? recipients.map(({ dev }) => dev) : 'prev_mismatch'
  }

  #takeAck(ack: Uint8Array, sig: Uint8Array): void {
    const decoded = decodeAck(ack)
    if (!decoded.ok) return
    const { ok = [], rd = [], bad = [] } = decoded.value
    const cores = [...ok, ...rd, ...bad.map(([core]) => core)]
    const all = [...this.#topics.values()].flat()
    const about = all.filter((kept) => cores.some((core) => equal(core, kept.core)))
    for (const member of new Set(about.map((kept) => kept.member))) {
      const list = this.#acks.get(member) ?? []
      list.push({ index: list.length + 1, ack, sig })
      this.#acks.set(member, list)
    }
  }

  #deliverAll(): void {
    for (const connection of this.#connections) this.#deliver(connection)
  }

  #deliver(connection: Connection): void {
    const { directory } = this.#deps
    const { device } = connection
    if (device === null) return
    for (const subscription of connection.subscriptions) {
      const { sub, topic } = subscription
      if (topic === null) {
        const acks = this.#acks.get(directory.device(device)?.mem ?? 0) ?? []
        for (const item of acks.slice(subscription.at)) {
          connection.send({ kind: 'acks', sub, items: [item] })
        }
        subscription.at = Math.max(subscription.at, acks.length)
        continue
      }
      const kept = this.#topics.get(topic) ?? []
      for (let at = subscription.at; at < kept.length; at++) {
        const item = this.#itemFor(device, kept[at], at + 1)
        connection.send({ kind: 'deliver', sub, items: [item] })
      }
      subscription.at = Math.max(subscription.at, kept.length)
    }
  }

  #itemFor(device: number, kept: Kept | undefined, cursor: number, fluPaths = false): Item {
    const idx = kept?.audience.indexOf(device) ?? -1
    if (kept === undefined || idx === -1) return { form: 'skip', cursor, to: cursor }
    const { envelope, audience } = kept
    const { ctx, seal, sig, payload, slots } = envelope
    const slotAt = (at: number): Uint8Array =>
      slots.subarray(at * limits.slotBytes, (at + 1) * limits.slotBytes)
    const paths = inclusionPaths(audience.map((_dev, at) => leafHash(slotAt(at))))
    const pathOf = (at: number): Uint8Array => joinHashes(paths[at] ?? [])
    const { directory } = this.#deps
    const flu = audience.flatMap((dev, at) =>
      fluPaths && directory.isFlu(directory.device(dev)?.mem ?? 0)
        ? [[at, pathOf(at)] as const]
        : [],
    )
    const own = { idx, slot: slotAt(idx), path: pathOf(idx), flu }
    return { form: 'full', cursor, ctx, seal, sig, payload, ...own }
  }

  #fetch({ device }: Connection, query: Fetch): Item[] {
    const wanted = (kept: Kept): boolean =>
      query.kind === 'fetch-core'
        ? query.cores.some((core) => equal(core, kept.core))
        : kept.chain === toHex(query.chain) &&
          kept.inc === query.inc &&
          kept.seq >= query.from &&
          kept.seq <= query.to
    return [...this.#topics.values()].flatMap((topic) =>
      topic.flatMap((kept, at) =>
        wanted(kept) ? [this.#itemFor(device ?? 0, kept, at + 1, query.fluPaths)] : [],
      ),
    )
  }
}

type Item = Extract<RelayFrame, { kind: 'fetched' }>['items'][number]
type Fetch = Extract<ClientFrame, { kind: 'fetch-chain' | 'fetch-core' }>
