import type { Receipt } from '@liaison/protocol'
import { decodeReceipt, RelayError } from '@liaison/protocol'
import type { Pulse } from '../session/emitter.ts'
import type { OutboxItem, OutboxState } from './outbox-item.ts'

/** What one device said about a report. */
export interface RecipientReceipt {
  readonly device: number
  /** When, by that device's clock, ms. */
  readonly t: number
  readonly read: boolean
  /** Why it could not be opened, or null. */
  readonly code: string | null
}

/** State of a report on its way, with the reason where there is one. */
export interface SubmissionState {
  readonly state: OutboxState
  readonly code: string | null
}

/** Where a submission looks things up. */
export interface SubmissionSource {
  readonly changes: Pulse
  /** Whether the session has ended; its outbox goes on in the next one. */
  isClosed(): boolean
  item(id: string): OutboxItem | null
  receipts(id: string): Promise<ReadonlyMap<number, RecipientReceipt>>
}

const final: ReadonlySet<OutboxState> = new Set(['read', 'refused', 'cancelled'])

/**
 * One report on its way. Iterate it for every state it passes through; it is in the outbox either
 * way, whether or not anybody watches.
 */
export class Submission implements AsyncIterable<SubmissionState> {
  readonly id: string
  readonly #source: SubmissionSource

  constructor(id: string, source: SubmissionSource) {
    this.id = id
    this.#source = source
  }

  /** Present state. */
  get state(): SubmissionState {
    const item = this.#source.item(this.id)
    return { state: item?.state ?? 'cancelled', code: item?.code ?? null }
  }

  /**
   * The relay's receipt once it has accepted the report.
   *
   * @throws RelayError with the code of a refusal; `timeout` when the signal fires first,
   * `session_closed` when the session ends: the report stays in the outbox.
   */
  async accepted(signal?: AbortSignal): Promise<Receipt> {
    for (;;) {
      const next = this.#source.changes.next(signal)
      const item = this.#source.item(this.id)
      if (item === null) throw new RelayError('cancelled')
      if (item.state === 'refused') throw new RelayError(item.code ?? 'internal')
      if (item.receipt !== null) {
        const receipt = decodeReceipt(item.receipt.bytes)
        if (receipt.ok) return receipt.value
      }
      if (signal?.aborted === true) throw new RelayError('timeout')
      if (this.#source.isClosed()) throw new RelayError('session_closed')
      await next
    }
  }

  /** What readers have said so far, by device number. */
  receipts(): Promise<ReadonlyMap<number, RecipientReceipt>> {
    return this.#source.receipts(this.id)
  }

  /** Every state from the present one on, ending with `read`, `refused` or `cancelled`, or with the session. */
  async *[Symbol.asyncIterator](): AsyncIterator<SubmissionState> {
    let last = ''
    for (;;) {
      const next = this.#source.changes.next()
      const { state, code } = this.state
      const name = `${state} ${code}`
      if (name !== last) yield { state, code }
      last = name
      if (final.has(state) || this.#source.isClosed()) return
      await next
    }
  }
}
