import { relayLimits } from '../limits.ts'
import type { RelayLog, StoredEnvelope } from '../log/relay-log.ts'

interface Cached {
  readonly envelope: StoredEnvelope
  slots: Uint8Array | null
  bytes: number
}

/**
 * Envelopes that were read lately. Thirty readers at the head of a topic want the same one within
 * milliseconds; the log is asked once. Content never changes, so nothing here goes stale.
 */
export class RecentEnvelopes {
  readonly #log: RelayLog
  readonly #bytesMax: number
  /** Insertion order is age; a hit moves the entry to the end. */
  readonly #cached = new Map<string, Cached>()
  #bytes = 0

  constructor(log: RelayLog, bytesMax: number = relayLimits.slotCacheBytesMax) {
    this.#log = log
    this.#bytesMax = bytesMax
  }

  /** Envelopes strictly after `after`, oldest first, at most `max`. */
  async read(topic: number, after: number, max: number): Promise<StoredEnvelope[]> {
    const out: StoredEnvelope[] = []
    const end = Math.min(after + max, this.#log.topicHead(topic))
    for (let cursor = after + 1; cursor <= end; cursor++) {
      const hit = this.#cached.get(`${topic}:${cursor}`)
      if (hit === undefined) {
        const rest = await this.#log.readTopic(topic, cursor - 1, end - cursor + 1)
        for (const envelope of rest) this.#keep(envelope)
        return [...out, ...rest]
      }
      out.push(hit.envelope)
    }
    return out
  }

  /** All slots of one envelope. */
  async slots(envelope: StoredEnvelope): Promise<Uint8Array> {
    const entry = this.#keep(envelope)
    if (entry.slots !== null) return entry.slots
    const slots = await this.#log.readSlots(envelope.topic, envelope.cursor)
    if (slots === null) throw new Error(`no slots at ${envelope.topic}:${envelope.cursor}`)
    entry.slots = slots
    entry.bytes += slots.length
    this.#bytes += slots.length
    this.#shrink()
    return slots
  }

  #keep(envelope: StoredEnvelope): Cached {
    const key = `${envelope.topic}:${envelope.cursor}`
    const known = this.#cached.get(key)
    this.#cached.delete(key)
    const entry = known ?? { envelope, slots: null, bytes: envelope.payload.length + 1024 }
    if (known === undefined) this.#bytes += entry.bytes
    this.#cached.set(key, entry)
    this.#shrink()
    return entry
  }

  #shrink(): void {
    for (const [key, entry] of this.#cached) {
      if (this.#bytes <= this.#bytesMax || this.#cached.size <= 1) return
      this.#cached.delete(key)
      this.#bytes -= entry.bytes
    }
  }
}
