import type { AckItem } from '@liaison/protocol'
import type { Outbox } from '../outbox/outbox.ts'
import type { ReaderReceipts } from '../outbox/reader-receipts.ts'
import type { Link } from './link.ts'

/** Number of the subscription to acknowledgements; topics use their own numbers above it. */
export const ackSubscription = 0

/** What readers say about this member's reports, as it comes in. */
export class AckFeed {
  readonly #receipts: ReaderReceipts
  readonly #outbox: Outbox

  constructor(receipts: ReaderReceipts, outbox: Outbox) {
    this.#receipts = receipts
    this.#outbox = outbox
  }

  /** Asks for acknowledgements from where they were last told. */
  async subscribe(link: Link): Promise<void> {
    const from = await this.#receipts.cursor()
    link.send({ kind: 'subscribe-acks', sub: ackSubscription, from })
  }

  /** Keeps acknowledgements, and moves the reports on that they are about. */
  async take(items: readonly AckItem[]): Promise<void> {
    for (const { core, receipt } of await this.#receipts.take(items)) {
      const item = this.#outbox.byCore(core)
      if (item === null || receipt.code !== null) continue
      await this.#outbox.progress(item.id, receipt.read ? 'read' : 'received')
    }
  }

  /** The relay has fewer than this device was told: they are read from the beginning. */
  async rewind(link: Link): Promise<void> {
    await this.#receipts.rewind()
    await this.subscribe(link)
  }
}
