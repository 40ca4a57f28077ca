import {
  Directory,
  decodeCore,
  decodeLeaf,
  equal,
  type Leaf,
  type NetworkId,
  payloadMatches,
  RelayError,
  sha256,
  toHex,
} from '@liaison/protocol'
import type { RelayLog, StoredAck, StoredEnvelope } from '../log/relay-log.ts'
import type { LogRecord } from './log-record.ts'

/** Leaves read at once. */
const leavesMax = 1024

/** Envelopes of one topic, with their slots, read ahead: bounds the memory, about 0.5 MB each at most. */
const envelopesAhead = 16

/** Acknowledgements of one member read ahead. */
const acksAhead = 256

/** How far a log is copied, and what else belongs to it. */
export interface LogExtent {
  readonly net: NetworkId
  readonly leaves: number
  /** Names of the public documents; they are not part of the order. */
  readonly blobs: readonly Uint8Array[]
}

const corrupt = (detail: string): RelayError => new RelayError('log_corrupt', { detail })

/**
 * Everything up to a leaf, in the order in which it was appended, read through the checks of the log
 * and against the hashes that the leaves name. What is appended meanwhile lies behind and is left out.
 *
 * @throws RelayError `log_corrupt` naming what is damaged or missing; `log_unavailable`
 */
export async function* readLog(log: RelayLog, extent: LogExtent): AsyncGenerator<LogRecord> {
  const reader = new LogReader(log, extent.net)
  for (let at = 0; at < extent.leaves; ) {
    const leaves = await log.readLeaves(at, Math.min(extent.leaves, at + leavesMax))
    if (leaves.length === 0) throw corrupt(`leaf ${at} is missing`)
    for (const bytes of leaves) {
      const leaf = decodeLeaf(bytes)
      if (!leaf.ok) throw corrupt(`leaf ${at} cannot be read`)
      yield await reader.record(leaf.value, at)
      at++
    }
  }
  for (const hash of extent.blobs) {
    const bytes = await log.getBlob(hash)
    if (bytes === null) throw corrupt(`document ${toHex(hash)} is missing`)
    yield { kind: 'blob', hash, bytes }
  }
}

/** An envelope with its slots. */
type WholeEnvelope = StoredEnvelope & { readonly slots: Uint8Array }

class LogReader {
  readonly #log: RelayLog
  readonly #net: NetworkId
  #directory: Directory | null = null
  #entries: Uint8Array[] = []
  #entriesRead = 0
  readonly #topics = new Map<number, WholeEnvelope[]>()
  readonly #acks = new Map<number, { next: number; ahead: StoredAck[] }>()

  constructor(log: RelayLog, net: NetworkId) {
    this.#log = log
    this.#net = net
  }

  async record(leaf: Leaf, index: number): Promise<LogRecord> {
    const size = this.#directory?.size ?? 0
    if (leaf.e === 'directory' && leaf.cur === size) {
      return { kind: 'entry', leaf, entry: await this.#nextEntry(size) }
    }
    if (leaf.e === 'accept') return this.#envelope(leaf, index)
    if (leaf.e === 'ack') return this.#ack(leaf, index)
    return { kind: 'leaf', leaf }
  }

  async #nextEntry(at: number): Promise<Uint8Array> {
    if (this.#entries.length === 0) {
      this.#entries = await this.#log.readDirectory(this.#entriesRead, leavesMax)
      this.#entriesRead += this.#entries.length
    }
    const entry = this.#entries.shift()
    if (entry === undefined) throw corrupt(`directory entry ${at} is missing`)
    // Only what every client will accept again is worth keeping.
    const applied = this.#directory?.append(entry, null) ?? Directory.fromGenesis(entry)
    if (!applied.ok) throw corrupt(`directory entry ${at}: ${applied.error}`)
    if (applied.value instanceof Directory) this.#directory = applied.value
    return entry
  }

  async #envelope(leaf: Leaf, index: number): Promise<LogRecord> {
    const { top = 0, cur = 0, obj } = leaf
    const whole = await this.#at(top, cur)
    const { ctx, seal, sig, payload, slots, core } = whole
    const decoded = decodeCore(this.#net, ctx, seal)
    const fits =
      decoded.ok &&
      equal(decoded.value.core, core) &&
      obj !== undefined &&
      equal(obj, core) &&
      payloadMatches(decoded.value.seal, payload)
    if (!fits) throw corrupt(`leaf ${index} and envelope ${cur} of topic ${top} do not agree`)
    return { kind: 'envelope', leaf, envelope: { ctx, seal, sig, payload, slots } }
  }

  /** Envelopes of a topic are asked for in their order, so they are read ahead. */
  async #at(topic: number, cursor: number): Promise<WholeEnvelope> {
    const ahead = this.#topics.get(topic) ?? []
    if (ahead[0]?.cursor !== cursor) {
      const stored = await this.#log.readTopic(topic, cursor - 1, envelopesAhead)
      const slots = await Promise.all(stored.map((one) => this.#log.readSlots(topic, one.cursor)))
      ahead.splice(
        0,
        ahead.length,
        ...stored.flatMap((one, i) => {
          const all = slots[i]
          return all === null || all === undefined ? [] : [{ ...one, slots: all }]
        }),
      )
      this.#topics.set(topic, ahead)
    }
    const found = ahead.shift()
    if (found?.cursor !== cursor) throw corrupt(`envelope ${cursor} of topic ${topic} is missing`)
    return found
  }

  /** The same acknowledgement may stand in the lists of several members. */
  async #ack(leaf: Leaf, index: number): Promise<LogRecord> {
    const members: number[] = []
    let found: StoredAck | null = null
    for (const { num } of this.#directory?.members() ?? []) {
      const next = await this.#nextAck(num)
      if (next === null || leaf.obj === undefined || !equal(sha256(next.ack), leaf.obj)) continue
      found = next
      members.push(num)
      this.#acks.get(num)?.ahead.shift()
    }
    if (found !== null) {
      return { kind: 'ack', leaf, members, ack: found.ack, sig: found.sig }
    }
    // One that names nothing is kept by its leaf alone.
    if (leaf.n !== 0) throw corrupt(`the acknowledgement of leaf ${index} is missing`)
    return { kind: 'leaf', leaf }
  }

  async #nextAck(member: number): Promise<StoredAck | null> {
    const state = this.#acks.get(member) ?? { next: 0, ahead: [] }
    this.#acks.set(member, state)
    if (state.ahead.length === 0 && state.next < this.#log.ackHead(member)) {
      state.ahead = await this.#log.readAcks(member, state.next, acksAhead)
      state.next += state.ahead.length
    }
    return state.ahead[0] ?? null
  }
}
