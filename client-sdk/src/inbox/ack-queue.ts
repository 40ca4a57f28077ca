import {
  type Clock,
  type ErrorCode,
  encodeAck,
  errorRow,
  isRelayError,
  type NetworkId,
  type SigningKey,
  signAck,
} from '@liaison/protocol'
import { type CborValue, decodeCbor, encodeCbor } from '@liaison/protocol/internal'
import { clientLimits } from '../session/limits.ts'
import type { Link } from '../session/link.ts'
import type { Batch } from '../store/batch.ts'
import { type ClientStore, numberKey } from '../store/client-store.ts'

/** What an acknowledgement says about one envelope. */
export type AckWord =
  | { readonly kind: 'ok' | 'read' }
  | { readonly kind: 'bad'; readonly code: ErrorCode }

/**
 * Acknowledgements on their way to the relay: written with the item they are about, sent together,
 * forgotten only when the relay has certainly stored them.
 */
export class AckQueue {
  readonly #store: ClientStore
  readonly #sign: { readonly net: NetworkId; readonly device: number; readonly key: SigningKey }
  readonly #clock: Clock
  #next: number | null = null
  #timer: ReturnType<typeof setTimeout> | undefined
  #flushing: Promise<void> | null = null

  constructor(
    store: ClientStore,
    sign: { readonly net: NetworkId; readonly device: number; readonly key: SigningKey },
    clock: Clock,
  ) {
    this.#store = store
    this.#sign = sign
    this.#clock = clock
  }

  /** Adds a word to the batch that keeps what it is about. */
  async add(batch: Batch, core: Uint8Array, word: AckWord): Promise<void> {
    if (this.#next === null) {
      const [last] = await this.#store.list('acks', { reverse: true, limit: 1 })
      // Not over a number that another word has taken while this one looked.
      this.#next ??= last === undefined ? 1 : Number.parseInt(last[0], 16) + 1
    }
    const code = word.kind === 'bad' ? errorRow(word.code).n : 0
    const value: CborValue = [core, word.kind === 'read' ? 1 : 0, code]
    batch.put('acks', numberKey(this.#next++), encodeCbor(value))
  }

  /** Sends soon; others may join meanwhile. */
  schedule(link: Link): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.flush(link).catch(() => undefined)
    }, clientLimits.ackDelayMs)
  }

  /** Stops waiting. */
  close(): void {
    clearTimeout(this.#timer)
  }

  /** Sends everything that waits and returns when the relay has stored it. */
  async flush(link: Link): Promise<void> {
    clearTimeout(this.#timer)
    while (this.#flushing !== null) await this.#flushing.catch(() => undefined)
    this.#flushing = this.#flush(link).finally(() => {
      this.#flushing = null
    })
    return this.#flushing
  }

  async #flush(link: Link): Promise<void> {
    for (;;) {
      const rows = await this.#store.list('acks', { limit: clientLimits.ackBatchMax })
      if (rows.length === 0) return
      // One word that the relay does not take, because it was restored and does not know the envelope,
      // must not take the others with it: they are said one by one then.
      if (!(await this.#send(link, rows)) && rows.length > 1) {
        for (const row of rows) await this.#send(link, [row])
      }
      await this.#store.commit(rows.map(([key]) => ({ table: 'acks', key, value: null }) as const))
    }
  }

  /** @returns Whether the relay took it. */
  async #send(link: Link, rows: readonly (readonly [string, Uint8Array])[]): Promise<boolean> {
    const before = link.ackRefusals
    const ack = this.#encode(rows.map(([, value]) => value))
    link.send({ kind: 'ack', ack, sig: signAck(this.#sign.net, this.#sign.key, ack) })
    await link.barrier()
    return link.ackRefusals === before
  }

  #encode(values: readonly Uint8Array[]): Uint8Array {
    const ok: Uint8Array[] = []
    const rd: Uint8Array[] = []
    const bad: (readonly [Uint8Array, number])[] = []
    for (const value of values) {
      const decoded = decodeCbor(value)
      if (!decoded.ok) continue
      const [core, read, code] = decoded.value as unknown as readonly [Uint8Array, number, number]
      if (code !== 0) bad.push([core, code])
      else (read === 1 ? rd : ok).push(core)
    }
    return encodeAck({
      v: 1,
      dev: this.#sign.device,
      t: this.#clock(),
      ...(ok.length > 0 ? { ok } : {}),
      ...(rd.length > 0 ? { rd } : {}),
      ...(bad.length > 0 ? { bad } : {}),
    })
  }
}

/** Whether a failure means only that the link is gone. */
export const isLinkTrouble = (error: unknown): boolean =>
  isRelayError(error) &&
  ['offline', 'session_closed', 'outcome_unknown', 'cancelled'].includes(error.code)
