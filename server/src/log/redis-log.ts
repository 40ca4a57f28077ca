import {
  encodeLeaf,
  joinLeafAround,
  type Leaf,
  leafHash,
  type NetworkId,
  RelayError,
  sha256,
} from '@liaison/protocol'
import { decodeEnvelope, encodeEnvelope } from './envelope-record.ts'
import { acceptLeafAround, acceptLeafBytes } from './redis/accept-leaf.ts'
import { Confirmed } from './redis/confirmed.ts'
import { type FunctionName, functionName } from './redis/function-library.ts'
import { GrowthReader } from './redis/growth-reader.ts'
import {
  type BarePlace,
  checkedBlob,
  checkedContent,
  checkedLeaf,
  checkedValue,
  decodeAckRecord,
  decodeHead,
  decodePlace,
  decodeWhere,
  encodeAck,
  type StreamEntry,
} from './redis/records.ts'
import { placeField, type RedisKeys, redisKeys } from './redis/redis-keys.ts'
import { type Command, type Greeting, RedisLink, replyOf, unavailable } from './redis/redis-link.ts'
import { type RedisOptions, redisLimits } from './redis/redis-options.ts'
import { checkReplicas, RedisWriter, waitFor } from './redis/redis-writer.ts'
import { SafeServer } from './redis/safe-server.ts'
import { checkServer } from './redis/server-check.ts'
import type {
  AcceptedPlace,
  AcceptOutcome,
  AcceptRequest,
  LeafPlace,
  LogListener,
  RelayLog,
  StoredAck,
  StoredEnvelope,
} from './relay-log.ts'
import type { Holder, Renewal, ViewLeases } from './view-leases.ts'

/** How to open the log in Redis. */
export interface RedisLogOptions {
  readonly redis: RedisOptions
  readonly net: NetworkId
  /** Hears of new data after it is safe, whichever relay wrote it. */
  readonly listener?: LogListener
  readonly monotonic?: () => number
}

/**
 * Opens the log of a network in Redis or Valkey, which any number of relays may use at once.
 *
 * @throws RelayError `config_invalid` when the server is not set up as the profile demands or the
 *   function library is missing, `store_mismatch` when the network was not set up there,
 *   `log_corrupt`, `log_unavailable` when it cannot be reached.
 */
export async function openRedisLog(options: RedisLogOptions): Promise<RelayLog> {
  await checkServer(options.redis)
  const log = new RedisLog(options)
  try {
    await log.begin()
    return log
  } catch (error) {
    await log[Symbol.asyncDispose]()
    throw error
  }
}

class RedisLog implements RelayLog {
  readonly leases: ViewLeases
  readonly #keys: RedisKeys
  readonly #net: NetworkId
  readonly #replicas: number
  readonly #listener: LogListener | undefined
  readonly #query: RedisLink
  readonly #links: readonly RedisLink[]
  readonly #writers: readonly RedisWriter[]
  readonly #reader: GrowthReader
  readonly #readerLink: RedisLink
  readonly #confirmed = new Confirmed()
  readonly #safe = new SafeServer(() => [this.#query, ...this.#links, this.#readerLink])
  /** What was found damaged or missing; nothing is written any more. */
  #failure: RelayError | null = null

  constructor({ redis, net, listener, monotonic = () => performance.now() }: RedisLogOptions) {
    this.#net = net
    this.#keys = redisKeys(net)
    this.#replicas = redis.replicas
    this.#listener = listener
    const greet = (link: Greeting): Promise<void> => this.#greet(link)
    const link = (name: string): RedisLink => new RedisLink(redis, name, monotonic, greet)
    this.#query = link('query')
    const count = redis.writers ?? redisLimits.writersDefault
    this.#links = Array.from({ length: count }, (_, i) => link(`writer-${i}`))
    this.#writers = this.#links.map(
      (one) => new RedisWriter(one, redis.replicas, (used) => this.#safe.proved(used)),
    )
    this.#readerLink = link('reader')
    this.#reader = new GrowthReader(this.#readerLink, this.#keys, redis.replicas, {
      confirmedLeaves: () => this.#confirmed.leaves,
      confirm: (size, grew) => {
        this.#confirmed.raiseLeaves(size)
        for (const one of grew) this.#tell(one)
      },
      proved: () => this.#safe.proved(this.#readerLink),
      isProved: () => this.#safe.has(this.#readerLink),
      failed: (error) => this.#fail(error),
    })
    this.leases = this.#viewLeases()
  }

  /** Connects, reads where everything ends, and begins to follow. */
  async begin(): Promise<void> {
    const all = [this.#query, ...this.#links, this.#readerLink]
    await Promise.all(all.map((link) => link.open(redisLimits.openMsMax)))
    const [numbers, lastLeaf, lastEntry] = (await this.#read(
      [
        ['HGETALL', this.#keys.numbers],
        ['XREVRANGE', this.#keys.leaves, '+', '-', 'COUNT', 1],
        ['XREVRANGE', this.#keys.directory, '+', '-', 'COUNT', 1],
      ],
      { settled: true },
    )) as [readonly Buffer[], readonly StreamEntry[], readonly StreamEntry[]]
    for (let at = 0; at + 1 < numbers.length; at += 2) {
      this.#begun(String(numbers[at]), Number(String(numbers[at + 1])))
    }
    // Numbers and streams are written in one step; if they differ, one of them was damaged.
    const { leaves, directory } = this.#confirmed
    if (lastLeaf[0] !== undefined) checkedLeaf(this.#keys.leaves, lastLeaf[0], leaves)
    else if (leaves > 0) this.#lost(this.#keys.leaves, leaves)
    if (lastEntry[0] !== undefined) {
      checkedContent(this.#keys.directory, lastEntry[0], directory)
    } else if (directory > 0) this.#lost(this.#keys.directory, directory)
    this.#reader.start()
  }

  #begun(field: string, value: number): void {
    const [kind, number] = field.split(':')
    if (field === 'dir') this.#confirmed.directory = value
    else if (field === 'leaves') this.#confirmed.leaves = value
    else if (kind === 't') this.#confirmed.topics.set(Number(number), value)
    else if (kind === 'a') this.#confirmed.acks.set(Number(number), value)
  }

  #lost(key: string, position: number): never {
    throw new RelayError('log_corrupt', { detail: `${key} has no ${position}-0` })
  }

  /** On every new connection: the right network, and nothing missing that was safe already. */
  async #greet(link: Greeting): Promise<void> {
    // Before it is asked: other connections may confirm more while the answer is on its way.
    const safe = this.#confirmed.leaves
    const [net, leaves] = await link.run(
      ['HGET', this.#keys.meta, 'net'],
      ['HGET', this.#keys.numbers, 'leaves'],
    )
    if (net instanceof Error) throw net
    if (leaves instanceof Error) throw leaves
    if (!(net instanceof Uint8Array) || Buffer.compare(net, this.#net) !== 0) {
      throw new RelayError('store_mismatch', {
        field: 'redisNodes',
        detail: 'the network is not set up on this server: run `liaison relay init-redis`',
      })
    }
    const size = Number(String(leaves ?? '0'))
    if (size < safe) {
      const detail = `${this.#keys.leaves} ends at ${size}, but ${safe} were safe`
      const error = new RelayError('log_corrupt', { detail })
      this.#fail(error)
      throw error
    }
  }

  #fail(error: unknown): void {
    this.#failure ??=
      error instanceof RelayError ? error : new RelayError('log_corrupt', { cause: error })
  }

  writable(): boolean {
    return this.#failure === null && this.#links.every((link) => link.usable)
  }

  failure(): RelayError | null {
    return this.#failure
  }

  #tell(grew: string): void {
    for (const growth of this.#confirmed.raise(grew)) {
      if (growth.kind === 'directory') this.#listener?.directoryGrew()
      else if (growth.kind === 'topic') this.#listener?.topicGrew(growth.number)
      else this.#listener?.acksGrew(growth.number)
    }
  }

  /** What belongs to one chain goes over one connection, so that it keeps its order. */
  #writerOf(chain: Uint8Array): RedisWriter {
    return this.#writers[(chain[0] ?? 0) % this.#writers.length] as RedisWriter
  }

  async #call(
    name: FunctionName,
    keys: readonly string[],
    args: readonly (string | number | Uint8Array)[],
    chain: Uint8Array = new Uint8Array(1),
  ): Promise<{ readonly kind: string; readonly rest: readonly unknown[] }> {
    if (this.#failure !== null) throw this.#failure
    const [kind, ...rest] = await this.#writerOf(chain).call(name, keys, args)
    return { kind: String(kind), rest }
  }

  /**
   * Answers of several commands. `settled` demands that what they say is safe: with replicas, a small
   * write behind the reads and a wait for it, over the same connection.
   */
  async #read(commands: readonly Command[], { settled = false } = {}): Promise<unknown[]> {
    const waits = settled && this.#replicas > 0
    const barrier: readonly Command[] = waits
      ? [['FCALL', functionName('touch'), 1, this.#keys.numbers], waitFor(this.#replicas)]
      : []
    const { generation } = this.#query
    const answers = await this.#query.run([...commands, ...barrier])
    if (waits) {
      replyOf(answers[commands.length])
      checkReplicas(answers[commands.length + 1], this.#replicas)
      this.#safe.proved(this.#query)
    }
    this.#checkServer(generation)
    return answers.slice(0, commands.length).map(replyOf)
  }

  /** Nothing may come from a primary that was replaced: it has other things at the newest places. */
  #checkServer(generation: number): void {
    if (this.#replicas === 0) return
    if (this.#query.generation === generation && this.#safe.has(this.#query)) return
    const reason = new Error('what was read came from a server that may be replaced')
    if (this.#query.generation === generation) this.#query.renew(reason)
    throw unavailable(reason)
  }

  /** Entries `from` to `to` of a stream, all of them and each as it was written. */
  async #range(key: string, from: number, to: number): Promise<Buffer[]> {
    if (from > to) return []
    const [entries] = (await this.#read([['XRANGE', key, `${from}-0`, `${to}-0`]])) as [
      readonly StreamEntry[],
    ]
    if (entries.length !== to - from + 1) this.#lost(key, from + entries.length)
    return entries.map((entry, at) => checkedContent(key, entry, from + at))
  }

  async readDirectory(from: number, max: number): Promise<Uint8Array[]> {
    const end = Math.min(from + max, this.#confirmed.directory)
    const entries = await this.#range(this.#keys.directory, from + 1, end)
    return entries.map((entry) => new Uint8Array(entry))
  }

  async appendDirectory(at: number, entry: Uint8Array, leaf: Leaf): Promise<LeafPlace | null> {
    const { numbers, leaves, directory } = this.#keys
    const bytes = encodeLeaf(leaf)
    const args = [at, entry, sha256(entry), bytes]
    const { kind, rest } = await this.#call('append_directory', [numbers, leaves, directory], args)
    if (kind !== 'appended') {
      this.#tell(`d:${Number(rest[0])}`)
      return null
    }
    this.#tell(`d:${at + 1}`)
    return this.#leafPlace(Number(rest[0]), bytes)
  }

  #leafPlace(index: number, bytes: Uint8Array): LeafPlace {
    this.#confirmed.raiseLeaves(index + 1)
    return { index, hash: leafHash(bytes) }
  }

  async find(chain: Uint8Array, inc: number, seq: number): Promise<AcceptedPlace | null> {
    const key = this.#keys.chain(chain)
    const field = placeField(inc, seq)
    const [stored] = await this.#read([['HGET', key, field]], { settled: true })
    if (stored === null) return null
    return this.#placed(decodePlace(checkedValue(key, field, stored as Buffer)))
  }

  /** A place that is safe: what it stands for may be read from now on. */
  #placed(bare: BarePlace, leaf: Uint8Array = acceptLeafBytes(bare)): AcceptedPlace {
    const { core, topic, cursor, leafIndex, t } = bare
    this.#tell(`t:${topic}:${cursor}`)
    return {
      core,
      topic,
      cursor,
      t,
      leaf: this.#leafPlace(leafIndex, leaf),
    }
  }

  async accept(request: AcceptRequest): Promise<AcceptOutcome> {
    const keys = this.#keys
    const { core, from, topic, chain, envelope, slotLeaves, t } = request
    const { ctx, seal, sig, payload, slots } = envelope
    const record = encodeEnvelope({ core, ctx, seal, sig, payload, slotLeaves, t })
    const leafPieces = acceptLeafAround({ core, from, topic, t })
    const { kind, rest } = await this.#call(
      'accept',
      [
        keys.numbers,
        keys.leaves,
        keys.topic(topic),
        keys.slots(topic),
        keys.chain(chain),
        keys.ids(from),
        keys.cores,
      ],
      [
        request.fence,
        core,
        from,
        topic,
        request.inc,
        request.seq,
        placeField(request.inc, request.seq),
        request.prev,
        request.id,
        t,
        record,
        sha256(record),
        slots,
        sha256(slots),
        ...leafPieces,
      ],
      chain,
    )
    switch (kind) {
      case 'accepted': {
        const bare = decodePlace(rest[0] as Buffer)
        return { kind, place: this.#placed(bare, joinLeafAround(leafPieces, bare.cursor)) }
      }
      case 'duplicate':
        return { kind, place: this.#placed(decodePlace(rest[0] as Buffer)) }
      case 'fence':
        this.#tell(`d:${Number(rest[0])}`)
        return { kind, size: Number(rest[0]) }
      case 'seq_reused':
      case 'id_reused':
        return { kind: 'refused', code: kind }
      case 'seq_gap':
      case 'prev_mismatch':
      case 'incarnation_stale': {
        const head = rest[0] instanceof Uint8Array ? decodeHead(rest[0] as Buffer) : null
        return { kind: 'refused', code: kind, head }
      }
      default:
        throw new RelayError('internal', { detail: `accept answered ${kind}` })
    }
  }

  topicHead(topic: number): number {
    return this.#confirmed.topics.get(topic) ?? 0
  }

  async readTopic(topic: number, after: number, max: number): Promise<StoredEnvelope[]> {
    const end = Math.min(after + max, this.topicHead(topic))
    const records = await this.#range(this.#keys.topic(topic), after + 1, end)
    return records.map((record, at) => ({
      topic,
      cursor: after + 1 + at,
      // A copy: the reply's buffer holds other records too.
      ...decodeEnvelope(Buffer.from(record)),
    }))
  }

  async readChain(
    chain: Uint8Array,
    inc: number,
    from: number,
    to: number,
    max: number,
  ): Promise<StoredEnvelope[]> {
    const key = this.#keys.chain(chain)
    const fields: Buffer[] = []
    for (let seq = from; seq <= to && fields.length < max; seq++) fields.push(placeField(inc, seq))
    if (fields.length === 0) return []
    const [stored] = (await this.#read([['HMGET', key, ...fields]])) as [(Buffer | null)[]]
    const out: StoredEnvelope[] = []
    for (const [at, value] of stored.entries()) {
      if (value === null) break
      const { topic, cursor } = decodePlace(checkedValue(key, fields[at] as Buffer, value))
      const [envelope] = await this.readTopic(topic, cursor - 1, 1)
      if (envelope === undefined) break
      out.push(envelope)
    }
    return out
  }

  async readCore(core: Uint8Array): Promise<StoredEnvelope | null> {
    const { cores } = this.#keys
    const [stored] = await this.#read([['HGET', cores, core]])
    if (stored === null) return null
    const { topic, cursor } = decodeWhere(checkedValue(cores, core, stored as Buffer))
    const [envelope] = await this.readTopic(topic, cursor - 1, 1)
    return envelope ?? null
  }

  async readSlots(topic: number, cursor: number): Promise<Uint8Array | null> {
    if (cursor < 1 || cursor > this.topicHead(topic)) return null
    const [slots] = await this.#range(this.#keys.slots(topic), cursor, cursor)
    return slots === undefined ? null : new Uint8Array(slots)
  }

  async appendAck(
    members: readonly number[],
    ack: Uint8Array,
    sig: Uint8Array,
    leaf: Leaf,
  ): Promise<LeafPlace | null> {
    const { numbers, leaves, acksSeen } = this.#keys
    const record = encodeAck(ack, sig)
    const bytes = encodeLeaf(leaf)
    const { kind, rest } = await this.#call(
      'append_ack',
      [numbers, leaves, acksSeen, ...members.map((member) => this.#keys.acks(member))],
      [sha256(ack), record, sha256(record), bytes, ...members],
    )
    if (kind === 'duplicate') return null
    this.#tell(String(rest[1]))
    return this.#leafPlace(Number(rest[0]), bytes)
  }

  ackHead(member: number): number {
    return this.#confirmed.acks.get(member) ?? 0
  }

  async readAcks(member: number, after: number, max: number): Promise<StoredAck[]> {
    const end = Math.min(after + max, this.ackHead(member))
    const records = await this.#range(this.#keys.acks(member), after + 1, end)
    return records.map((record, at) => decodeAckRecord(after + 1 + at, record))
  }

  async appendLeaf(leaf: Leaf): Promise<LeafPlace> {
    const bytes = encodeLeaf(leaf)
    const { numbers, leaves } = this.#keys
    const { rest } = await this.#call('append_leaf', [numbers, leaves], [bytes])
    return this.#leafPlace(Number(rest[0]), bytes)
  }

  async readLeaves(from: number, to: number): Promise<Uint8Array[]> {
    const end = Math.min(to, this.#confirmed.leaves)
    if (from >= end) return []
    const key = this.#keys.leaves
    const [entries] = (await this.#read([['XRANGE', key, `${from + 1}-0`, `${end}-0`]])) as [
      readonly StreamEntry[],
    ]
    if (entries.length !== end - from) this.#lost(key, from + 1 + entries.length)
    return entries.map((entry, at) => new Uint8Array(checkedLeaf(key, entry, from + 1 + at).leaf))
  }

  leafCount(): number {
    return this.#confirmed.leaves
  }

  async putBlob(hash: Uint8Array, bytes: Uint8Array): Promise<void> {
    const { numbers, blobs } = this.#keys
    await this.#call('put_blob', [numbers, blobs], [hash, bytes, sha256(bytes)], hash)
  }

  async getBlob(hash: Uint8Array): Promise<Uint8Array | null> {
    const { blobs } = this.#keys
    const [stored] = await this.#read([['HGET', blobs, hash]])
    return stored === null ? null : checkedBlob(blobs, hash, stored as Buffer)
  }

  #viewLeases(): ViewLeases {
    const { numbers, relays } = this.#keys
    return {
      renew: async (instance, applied): Promise<Renewal> => {
        const { kind, rest } = await this.#call('renew', [numbers, relays], [instance, applied])
        return kind === 'renewed' ? 'renewed' : { behind: Number(rest[0]) }
      },
      holders: async () => {
        const [flat] = (await this.#read([['HGETALL', relays]])) as [readonly Buffer[]]
        const out: (readonly [Holder, number])[] = []
        for (let at = 0; at + 1 < flat.length; at += 2) {
          const seen = String(flat[at + 1])
          out.push([[String(flat[at]), seen], Number(seen.split(':')[0])])
        }
        return out
      },
      leave: async (instance, seen = '') => {
        await this.#call('leave', [numbers, relays], [instance, seen])
      },
      // The record of holders may have been rolled back with any change of server.
      upMs: () => Math.min(...[this.#query, ...this.#links].map((link) => link.upMs)),
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reader.close()
    for (const link of [this.#query, ...this.#links]) await link[Symbol.asyncDispose]()
  }
}
