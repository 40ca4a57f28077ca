import { limits, type WrittenItem } from '@liaison/protocol'
import { relayLimits } from '../limits.ts'
import type { RelayLog } from '../log/relay-log.ts'
import { Credit } from './credit.ts'
import type { Prepared, PreparedEnvelopes } from './prepared-envelopes.ts'
import { creditOf, readerPart, writtenItem } from './reader-item.ts'
import { WorkLoop } from './work-loop.ts'

/** Where a subscription sends, and whether it may. */
export interface DeliverySink {
  /** False while too much is unsent; the sink wakes its subscriptions when that is over. */
  writable(): boolean
  /**
   * Sends in the same turn in which it checks that the device may still have anything.
   *
   * @param since When the oldest of the items was accepted, ms; null while the reader catches up.
   */
  deliver(sub: number, items: readonly WrittenItem[], since: number | null): void
  failed(error: unknown): void
}

/** What a subscription reads from. */
export interface DeliverySource {
  readonly log: RelayLog
  readonly envelopes: PreparedEnvelopes
}

/** A frame while it is filled. */
interface Frame {
  readonly items: WrittenItem[]
  bytes: number
  full: boolean
  /** When the oldest of the items was accepted, ms. */
  since: number | null
}

/** Skips shorter than this wait for the next item, so that other people's reports cost no satellite time. */
const skipWorthTelling = 64

/**
 * One topic for one device: backfill from the log, then live. Both are the same loop: it reads on
 * from its cursor until the head, and is woken when the topic grows. The log is the truth;
 * announcements are hints.
 */
export class TopicSubscription {
  readonly topic: number
  readonly #sub: number
  readonly #device: number
  readonly #fluPaths: boolean
  readonly #source: DeliverySource
  readonly #sink: DeliverySink
  readonly #credit = new Credit()
  readonly #loop: WorkLoop
  /** Last place that was read from the log. */
  #cursor: number
  /** Last place that the client was told of, by an item or a skip. */
  #told: number
  /** Until the head was reached once, skips are told at once: the client is catching up. */
  #caughtUp = false

  constructor(
    query: { sub: number; device: number; topic: number; from: number; fluPaths: boolean },
    source: DeliverySource,
    sink: DeliverySink,
  ) {
    this.topic = query.topic
    this.#sub = query.sub
    this.#device = query.device
    this.#fluPaths = query.fluPaths
    this.#cursor = query.from
    this.#told = query.from
    this.#source = source
    this.#sink = sink
    this.#loop = new WorkLoop(
      () => this.#step(),
      (error) => sink.failed(error),
    )
  }

  /** Looks at the log again. Cheap when there is nothing to do. */
  wake(): void {
    this.#loop.wake()
  }

  /** The client has taken in frames. */
  addCredit(frames: number, bytes: number): void {
    this.#credit.add(frames, bytes)
    this.#loop.wake()
  }

  /** Frames sent and not yet taken in. */
  get outstandingFrames(): number {
    return this.#credit.outstandingFrames
  }

  /** Sends nothing more. */
  close(): void {
    this.#loop.close()
  }

  /** Sends one frame. @returns whether there may be more to do. */
  async #step(): Promise<boolean> {
    if (!this.#credit.open || !this.#sink.writable()) return false
    const { envelopes } = this.#source
    const frame: Frame = { items: [], bytes: 0, full: false, since: null }
    let scanned = 0
    while (!frame.full && scanned < relayLimits.skipScanMax) {
      const read = envelopes.read(this.topic, this.#cursor, relayLimits.readBatchMax)
      const batch = read instanceof Promise ? await read : read
      if (batch.length === 0) break
      for (const prepared of batch) {
        scanned++
        const idx = prepared.audience.places.get(this.#device)
        if (idx !== undefined) {
          const added = this.#add(frame, prepared, idx)
          if (!(added instanceof Promise ? await added : added)) break
        }
        this.#cursor = prepared.stored.cursor
      }
    }
    const atHead = !frame.full && scanned < relayLimits.skipScanMax
    return this.#send(frame, atHead)
  }

  /** Puts one envelope into the frame, unless it is full. */
  #add(frame: Frame, prepared: Prepared, idx: number): boolean | Promise<boolean> {
    const slots = this.#source.envelopes.slots(prepared)
    if (slots instanceof Promise) return slots.then((s) => this.#addPart(frame, prepared, idx, s))
    return this.#addPart(frame, prepared, idx, slots)
  }

  #addPart(frame: Frame, prepared: Prepared, idx: number, slots: Uint8Array): boolean {
    const { envelopes } = this.#source
    const part = readerPart(envelopes, prepared, slots, idx, this.#fluPaths)
    const size = creditOf(prepared, part)
    frame.full =
      frame.items.length >= limits.deliverItemsMax - 1 ||
      (frame.items.length > 0 && frame.bytes + size > limits.deliverFrameBytesMax - 1024) ||
      !this.#credit.fits(frame.bytes, size)
    if (frame.full) return false
    this.#flushSkip(frame.items)
    frame.items.push(writtenItem(prepared, part))
    frame.since ??= prepared.stored.t
    frame.bytes += size
    this.#told = prepared.stored.cursor
    return true
  }

  #send({ items, bytes, full, since }: Frame, atHead: boolean): boolean {
    const skipped = this.#cursor - this.#told
    const tell = skipped >= skipWorthTelling || (skipped > 0 && atHead && !this.#caughtUp)
    if (tell && items.length < limits.deliverItemsMax) this.#flushSkip(items)
    const live = this.#caughtUp
    this.#caughtUp ||= atHead
    if (items.length === 0) return !full && !atHead
    this.#credit.spend(bytes)
    this.#sink.deliver(this.#sub, items, live ? since : null)
    return true
  }

  #flushSkip(items: WrittenItem[]): void {
    if (this.#cursor <= this.#told) return
    items.push({ form: 'skip', cursor: this.#told + 1, to: this.#cursor })
    this.#told = this.#cursor
  }
}
