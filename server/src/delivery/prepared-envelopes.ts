import {
  type Ctx,
  type Directory,
  decodeCtx,
  encodeCommon,
  hashesOf,
  inclusionPaths,
  joinHashes,
} from '@liaison/protocol'
import { relayLimits } from '../limits.ts'
import type { RelayLog, StoredEnvelope } from '../log/relay-log.ts'
import { type AudiencePlaces, Audiences } from './audiences.ts'

/** An accepted envelope, made ready once for all that will read it. */
export interface Prepared {
  readonly stored: StoredEnvelope
  readonly header: Ctx
  readonly audience: AudiencePlaces
  /** The part of its deliver item that all readers get alike. */
  readonly common: Uint8Array
}

interface Cached {
  readonly prepared: Prepared
  slots: Uint8Array | null
  paths: readonly Uint8Array[] | null
  bytes: number
}

/** The directory of this relay, and how to get what other relays appended to it. */
export interface DirectoryView {
  readonly directory: Directory
  follow(): Promise<void>
}

/** Memory that an entry takes beside its byte strings, bytes. */
const entryBytes = 1024

/**
 * Envelopes that were accepted or read lately. Thirty readers at the head of a topic want the same one
 * within milliseconds; the log is asked once, or not at all. Content never changes, so nothing here
 * goes stale.
 */
export class PreparedEnvelopes {
  readonly #log: RelayLog
  readonly #view: DirectoryView
  readonly #audiences: Audiences
  readonly #bytesMax: number
  /** By topic and cursor. Insertion order is age; a hit in `read` does not renew it. */
  readonly #topics = new Map<number, Map<number, Cached>>()
  readonly #order: Cached[] = []
  #bytes = 0

  constructor(
    log: RelayLog,
    view: DirectoryView,
    bytesMax: number = relayLimits.slotCacheBytesMax,
  ) {
    this.#log = log
    this.#view = view
    this.#audiences = new Audiences(view.directory)
    this.#bytesMax = bytesMax
  }

  /** Takes over what was just accepted, so that its readers need not ask the log. */
  accepted(stored: StoredEnvelope, slots: Uint8Array): void {
    const cached = this.#keep(stored)
    if (cached.slots === null) this.#grow(cached, slots.length)
    cached.slots = slots
  }

  /** Envelopes strictly after `after`, oldest first, at most `max`; at once when all are here. */
  read(topic: number, after: number, max: number): Prepared[] | Promise<Prepared[]> {
    const known = this.#topics.get(topic)
    const out: Prepared[] = []
    const end = Math.min(after + max, this.#log.topicHead(topic))
    for (let cursor = after + 1; cursor <= end; cursor++) {
      const hit = known?.get(cursor)
      if (hit === undefined) return this.#readRest(topic, cursor, end, out)
      out.push(hit.prepared)
    }
    return out
  }

  async #readRest(topic: number, from: number, to: number, out: Prepared[]): Promise<Prepared[]> {
    const rest = await this.#log.readTopic(topic, from - 1, to - from + 1)
    for (const stored of rest) {
      await this.#known(stored)
      out.push(this.#keep(stored).prepared)
    }
    return out
  }

  /** Makes ready what was read in another way, for one reader; it is not kept. */
  async prepare(stored: StoredEnvelope): Promise<Prepared> {
    await this.#known(stored)
    return this.#prepare(stored)
  }

  /**
   * Another relay may have admitted the envelope under a directory that has not arrived here yet; by
   * ours, it would be for nobody.
   */
  async #known(stored: StoredEnvelope): Promise<void> {
    if (headerOf(stored).dir[0] > this.#view.directory.size) await this.#view.follow()
  }

  #prepare(stored: StoredEnvelope): Prepared {
    const header = headerOf(stored)
    const { size } = this.#view.directory
    if (header.dir[0] > size) throw new Error(`the directory has ${size} entries, not so many`)
    return {
      stored,
      header,
      audience: this.#audiences.of(header),
      common: encodeCommon(stored),
    }
  }

  /** All slots of an envelope, joined; at once when they are here. */
  slots(prepared: Prepared): Uint8Array | Promise<Uint8Array> {
    const cached = this.#cachedOf(prepared)
    return cached?.slots ?? this.#readSlots(prepared, cached)
  }

  async #readSlots(
    { stored: { topic, cursor } }: Prepared,
    cached: Cached | undefined,
  ): Promise<Uint8Array> {
    const slots = await this.#log.readSlots(topic, cursor)
    if (slots === null) throw new Error(`no slots at ${topic}:${cursor}`)
    if (cached !== undefined && cached.slots === null) {
      cached.slots = slots
      this.#grow(cached, slots.length)
    }
    return slots
  }

  /** Path of each slot, joined hashes from the leaf upwards; made once for all readers. */
  paths(prepared: Prepared): readonly Uint8Array[] {
    const cached = this.#cachedOf(prepared)
    if (cached?.paths) return cached.paths
    const leaves = hashesOf(prepared.stored.slotLeaves) ?? []
    const paths = inclusionPaths(leaves).map(joinHashes)
    if (cached !== undefined) {
      cached.paths = paths
      this.#grow(
        cached,
        paths.reduce((sum, path) => sum + path.length, 0),
      )
    }
    return paths
  }

  #cachedOf({ stored: { topic, cursor } }: Prepared): Cached | undefined {
    return this.#topics.get(topic)?.get(cursor)
  }

  #keep(stored: StoredEnvelope): Cached {
    const { topic, cursor } = stored
    let known = this.#topics.get(topic)
    if (known === undefined) {
      known = new Map()
      this.#topics.set(topic, known)
    }
    const hit = known.get(cursor)
    if (hit !== undefined) return hit
    const prepared = this.#prepare(stored)
    const cached: Cached = { prepared, slots: null, paths: null, bytes: 0 }
    known.set(cursor, cached)
    this.#order.push(cached)
    this.#grow(cached, entryBytes + stored.payload.length + prepared.common.length)
    return cached
  }

  #grow(cached: Cached, bytes: number): void {
    cached.bytes += bytes
    this.#bytes += bytes
    if (this.#bytes > this.#bytesMax) this.#shrink()
  }

  /** Drops the oldest quarter at once, so that the list of ages is not moved for each. */
  #shrink(): void {
    let dropped = 0
    while (this.#bytes > (this.#bytesMax * 3) / 4 && dropped < this.#order.length - 1) {
      const { prepared, bytes } = this.#order[dropped] as Cached
      this.#topics.get(prepared.stored.topic)?.delete(prepared.stored.cursor)
      this.#bytes -= bytes
      dropped++
    }
    this.#order.splice(0, dropped)
  }
}

function headerOf({ ctx, topic, cursor }: StoredEnvelope): Ctx {
  const header = decodeCtx(ctx)
  if (!header.ok) throw new Error(`stored header ${topic}:${cursor} is malformed`)
  return header.value
}
