import type { AckItem } from '@liaison/protocol'
import type { RelayLog } from '../log/relay-log.ts'
import { Credit } from './credit.ts'
import { WorkLoop } from './work-loop.ts'

/** Acknowledgements in one frame; each is below 40 KiB, most are below 200 bytes. */
const acksPerFrameMax = 32

/** Where acknowledgements go. */
export interface AckSink {
  writable(): boolean
  deliverAcks(sub: number, items: readonly AckItem[]): void
  failed(error: unknown): void
}

/** The acknowledgements that other devices gave for the reports of one member. */
export class AckSubscription {
  readonly member: number
  readonly #sub: number
  readonly #log: RelayLog
  readonly #sink: AckSink
  readonly #credit = new Credit()
  readonly #loop: WorkLoop
  #index: number

  constructor(query: { sub: number; member: number; from: number }, log: RelayLog, sink: AckSink) {
    this.member = query.member
    this.#sub = query.sub
    this.#index = query.from
    this.#log = log
    this.#sink = sink
    this.#loop = new WorkLoop(
      () => this.#step(),
      (error) => sink.failed(error),
    )
  }

  /** Looks at the log again. */
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

  async #step(): Promise<boolean> {
    if (!this.#credit.open || !this.#sink.writable()) return false
    const stored = await this.#log.readAcks(this.member, this.#index, acksPerFrameMax)
    const items: AckItem[] = []
    let bytes = 0
    for (const item of stored) {
      const size = item.ack.length + 80
      if (!this.#credit.fits(bytes, size)) break
      items.push(item)
      bytes += size
      this.#index = item.index
    }
    if (items.length === 0) return false
    this.#credit.spend(bytes)
    this.#sink.deliverAcks(this.#sub, items)
    return true
  }
}
