import {
  encodeLeaf,
  equal,
  type Leaf,
  leafHash,
  type NetworkId,
  RelayError,
  sha256,
} from '@liaison/protocol'
import { decideAccept } from './decide-accept.ts'
import { decodeEnvelope, encodeEnvelope } from './envelope-record.ts'
import { type Counters, readCounters } from './lmdb-counters.ts'
import { examineStore, openingError } from './lmdb-examine.ts'
import { hashKey, idKey, placeKey, topicKey } from './lmdb-keys.ts'
import { giveBack, isOwner, takeOver } from './lmdb-owner.ts'
import { type LmdbStores, openStores, plain, storeFile } from './lmdb-stores.ts'
import { LmdbWriter } from './lmdb-writer.ts'
import type {
  AcceptedPlace,
  AcceptOutcome,
  AcceptRequest,
  ChainHead,
  LeafPlace,
  LogListener,
  RelayLog,
  StoredAck,
  StoredEnvelope,
} from './relay-log.ts'

/** Layout of the data folder; another number is refused, never guessed at. */
const formatVersion = 2

/** How long giving the folder back may take when the log is closed, ms. */
const giveBackMsMax = 2_000

/** How to open the embedded log. */
export interface LmdbLogOptions {
  /** Folder of this network's data; created when absent. */
  readonly folder: string
  readonly net: NetworkId
  /** Hears of new data after it is durable. */
  readonly listener?: LogListener
}

/**
 * Opens the embedded log: one process, one folder, nothing to install.
 *
 * @throws RelayError `store_mismatch` for the folder of another network or another format,
 *   `config_invalid` for one that another relay uses or that cannot be written, `log_corrupt` for one
 *   that is damaged.
 */
export async function openLmdbLog(options: LmdbLogOptions): Promise<RelayLog> {
  const path = storeFile(options.folder)
  await examineStore(path)
  let stores: LmdbStores
  try {
    stores = openStores(options.folder)
  } catch (error) {
    throw openingError(path, error)
  }
  try {
    await claimFolder(stores, options.net)
    return new LmdbLog(stores, await takeOver(stores, path), options.listener)
  } catch (error) {
    await stores.root.close()
    throw openingError(path, error)
  }
}

/** Writes the network's name into a new folder, or checks it in a used one. */
async function claimFolder({ root, meta }: LmdbStores, net: NetworkId): Promise<void> {
  const version = meta.get('format')
  if (version === undefined) {
    await root.transaction(() => {
      void meta.put('format', formatVersion)
      void meta.put('net', Buffer.from(net))
    })
    await root.flushed
    return
  }
  const stored = meta.get('net')
  if (version !== formatVersion || !(stored instanceof Uint8Array) || !equal(plain(stored), net)) {
    throw new RelayError('store_mismatch', { field: 'data' })
  }
}

class LmdbLog implements RelayLog {
  readonly leases = null
  readonly #stores: LmdbStores
  readonly #owner: string
  readonly #writer: LmdbWriter
  readonly #listener: LogListener | undefined
  /** What is durable; raised only after a flush. Reads go no further. */
  readonly #confirmed: Counters
  /** What is written; only code inside a write transaction reads or raises it. */
  readonly #written: Counters

  constructor(stores: LmdbStores, owner: string, listener: LogListener | undefined) {
    this.#stores = stores
    this.#owner = owner
    this.#writer = new LmdbWriter(stores.root, () => isOwner(stores, owner))
    this.#listener = listener
    this.#written = readCounters(stores)
    this.#confirmed = readCounters(stores)
  }

  writable(): boolean {
    return this.#writer.failure === null
  }

  failure(): RelayError | null {
    return this.#writer.failure
  }

  /** Inside a write transaction only. */
  #putLeaf(leaf: Leaf): LeafPlace {
    const bytes = encodeLeaf(leaf)
    const index = this.#written.leaves++
    void this.#stores.leaves.put(index, Buffer.from(bytes))
    return { index, hash: leafHash(bytes) }
  }

  #confirmLeaf(place: LeafPlace): void {
    this.#confirmed.leaves = Math.max(this.#confirmed.leaves, place.index + 1)
  }

  #confirmTopic(topic: number, cursor: number): void {
    this.#confirmed.topics.set(topic, Math.max(this.topicHead(topic), cursor))
  }

  async readDirectory(from: number, max: number): Promise<Uint8Array[]> {
    const end = Math.min(from + max, this.#confirmed.directory)
    const out: Uint8Array[] = []
    for (let index = from; index < end; index++) {
      const bytes = this.#stores.directory.get(index)
      if (bytes === undefined) throw new RelayError('internal', { detail: `no entry ${index}` })
      out.push(plain(bytes))
    }
    return out
  }

  async appendDirectory(at: number, entry: Uint8Array, leaf: Leaf): Promise<LeafPlace | null> {
    const place = await this.#writer.write(() => {
      if (this.#written.directory !== at) return null
      void this.#stores.directory.put(at, Buffer.from(entry))
      this.#written.directory++
      return this.#putLeaf(leaf)
    })
    if (place !== null) {
      this.#confirmed.directory = Math.max(this.#confirmed.directory, at + 1)
      this.#confirmLeaf(place)
      this.#listener?.directoryGrew()
    }
    return place
  }

  async find(chain: Uint8Array, inc: number, seq: number): Promise<AcceptedPlace | null> {
    const stored = this.#stores.places.get(placeKey(chain, inc, seq))
    if (stored === undefined) return null
    const place = plainPlace(stored)
    // Written but not yet durable: a repeated envelope must get its first answer, whatever changed
    // since, so it waits for the disk like the first one.
    if (place.cursor > this.topicHead(place.topic)) {
      await this.#writer.flushed()
      this.#confirmTopic(place.topic, place.cursor)
      this.#confirmLeaf(place.leaf)
    }
    return place
  }

  async accept(request: AcceptRequest): Promise<AcceptOutcome> {
    const outcome = await this.#writer.write(() => this.#tryAccept(request))
    if (outcome.kind !== 'accepted') return outcome
    const { topic, cursor, leaf } = outcome.place
    this.#confirmTopic(topic, cursor)
    this.#confirmLeaf(leaf)
    this.#listener?.topicGrew(topic)
    return outcome
  }

  #tryAccept(request: AcceptRequest): AcceptOutcome {
    const { places, heads, ids, cores, topics, slots } = this.#stores
    const { chain, inc, seq, core, from, topic, envelope, t } = request
    const at = placeKey(chain, inc, seq)
    const atPlace = places.get(at)
    const decision = decideAccept(request, {
      directorySize: this.#written.directory,
      atPlace: atPlace === undefined ? null : plainPlace(atPlace),
      head: plainHead(heads.get(hashKey(chain))),
      coreOfId: ids.get(idKey(from, request.id)) ?? null,
    })
    if (decision !== null) return decision
    const cursor = (this.#written.topics.get(topic) ?? 0) + 1
    this.#written.topics.set(topic, cursor)
    const leaf = this.#putLeaf({
      v: 1,
      t,
      e: 'accept',
      by: from,
      obj: core,
      top: topic,
      cur: cursor,
    })
    const place: AcceptedPlace = { core, topic, cursor, leaf, t }
    const { ctx, seal, sig, payload } = envelope
    const key = topicKey(topic, cursor)
    const { slotLeaves } = request
    void topics.put(key, encodeEnvelope({ core, ctx, seal, sig, payload, slotLeaves, t }))
    void slots.put(key, Buffer.from(envelope.slots))
    void places.put(at, place)
    void heads.put(hashKey(chain), { inc, seq, core })
    void ids.put(idKey(from, request.id), Buffer.from(core))
    void cores.put(hashKey(core), [topic, cursor])
    return { kind: 'accepted', place }
  }

  topicHead(topic: number): number {
    return this.#confirmed.topics.get(topic) ?? 0
  }

  async readTopic(topic: number, after: number, max: number): Promise<StoredEnvelope[]> {
    const end = Math.min(after + max, this.topicHead(topic))
    const out: StoredEnvelope[] = []
    for (let cursor = after + 1; cursor <= end; cursor++) out.push(this.#envelope(topic, cursor))
    return out
  }

  #envelope(topic: number, cursor: number): StoredEnvelope {
    const record = this.#stores.topics.getBinary(topicKey(topic, cursor))
    if (record === undefined) {
      throw new RelayError('internal', { detail: `topic ${topic} has no ${cursor}` })
    }
    return { topic, cursor, ...decodeEnvelope(record) }
  }

  async readChain(
    chain: Uint8Array,
    inc: number,
    from: number,
    to: number,
    max: number,
  ): Promise<StoredEnvelope[]> {
    const out: StoredEnvelope[] = []
    for (let seq = from; seq <= to && out.length < max; seq++) {
      const place = await this.find(chain, inc, seq)
      if (place === null) break
      out.push(this.#envelope(place.topic, place.cursor))
    }
    return out
  }

  async readCore(core: Uint8Array): Promise<StoredEnvelope | null> {
    const place = this.#stores.cores.get(hashKey(core))
    if (place === undefined || place[1] > this.topicHead(place[0])) return null
    return this.#envelope(place[0], place[1])
  }

  async readSlots(topic: number, cursor: number): Promise<Uint8Array | null> {
    const bytes = this.#stores.slots.getBinary(topicKey(topic, cursor))
    return bytes === undefined || cursor > this.topicHead(topic) ? null : asPlain(bytes)
  }

  async appendAck(
    members: readonly number[],
    ack: Uint8Array,
    sig: Uint8Array,
    leaf: Leaf,
  ): Promise<LeafPlace | null> {
    const { acks, acksSeen } = this.#stores
    const seenKey = hashKey(sha256(ack))
    const heads = new Map<number, number>()
    const place = await this.#writer.write(() => {
      if (acksSeen.get(seenKey) !== undefined) return null
      const stored = this.#putLeaf(leaf)
      void acksSeen.put(seenKey, stored.index)
      for (const member of members) {
        const index = (this.#written.acks.get(member) ?? 0) + 1
        this.#written.acks.set(member, index)
        heads.set(member, index)
        void acks.put(topicKey(member, index), { ack, sig })
      }
      return stored
    })
    if (place === null) return null
    this.#confirmLeaf(place)
    for (const [member, index] of heads) {
      this.#confirmed.acks.set(member, Math.max(this.ackHead(member), index))
      this.#listener?.acksGrew(member)
    }
    return place
  }

  ackHead(member: number): number {
    return this.#confirmed.acks.get(member) ?? 0
  }

  async readAcks(member: number, after: number, max: number): Promise<StoredAck[]> {
    const end = Math.min(after + max, this.ackHead(member))
    const out: StoredAck[] = []
    for (let index = after + 1; index <= end; index++) {
      const stored = this.#stores.acks.get(topicKey(member, index))
      if (stored === undefined) throw new RelayError('internal', { detail: 'ack missing' })
      out.push({ index, ack: plain(stored.ack), sig: plain(stored.sig) })
    }
    return out
  }

  async appendLeaf(leaf: Leaf): Promise<LeafPlace> {
    const place = await this.#writer.write(() => this.#putLeaf(leaf))
    this.#confirmLeaf(place)
    return place
  }

  async readLeaves(from: number, to: number): Promise<Uint8Array[]> {
    const out: Uint8Array[] = []
    for (let index = from; index < Math.min(to, this.#confirmed.leaves); index++) {
      const bytes = this.#stores.leaves.get(index)
      if (bytes === undefined) throw new RelayError('internal', { detail: `no leaf ${index}` })
      out.push(plain(bytes))
    }
    return out
  }

  leafCount(): number {
    return this.#confirmed.leaves
  }

  async putBlob(hash: Uint8Array, bytes: Uint8Array): Promise<void> {
    const key = hashKey(hash)
    // Somebody else's put of the same document may not be on disk yet.
    if (this.#stores.blobs.doesExist(key)) return this.#writer.flushed()
    await this.#writer.write(() => void this.#stores.blobs.put(key, Buffer.from(bytes)))
  }

  async getBlob(hash: Uint8Array): Promise<Uint8Array | null> {
    const bytes = this.#stores.blobs.get(hashKey(hash))
    return bytes === undefined ? null : plain(bytes)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // A disk that takes nothing any more must not keep the process; the next one finds us gone.
    const late = new Promise((resolve) => setTimeout(resolve, giveBackMsMax).unref())
    await Promise.race([giveBack(this.#stores, this.#owner).catch(() => undefined), late])
    await this.#stores.root.close()
  }
}

function plainPlace(place: AcceptedPlace): AcceptedPlace {
  const leaf = { index: place.leaf.index, hash: plain(place.leaf.hash) }
  return { ...place, core: plain(place.core), leaf }
}

const plainHead = (head: ChainHead | undefined): ChainHead | null =>
  head === undefined ? null : { ...head, core: plain(head.core) }

/** A buffer that LMDB has copied for us already, as a plain byte array. */
const asPlain = (bytes: Buffer): Uint8Array =>
  new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
