import { decodeCbor, encodeCbor } from '@liaison/protocol/internal'
import type { Batch } from '../store/batch.ts'
import { type ClientStore, numberKey } from '../store/client-store.ts'
import { decodeRow, encodeRow, type InboxRow } from './inbox-row.ts'

/** What this device was shown, in the order of arrival, and how far each topic was told. */
export class InboxRows {
  readonly #store: ClientStore
  #arrival: number | null = null

  constructor(store: ClientStore) {
    this.#store = store
  }

  /** Last cursor up to which everything was told and is safely kept; 0 when there is none. */
  async cursor(topic: number): Promise<number> {
    const bytes = await this.#store.get('state', cursorKey(topic))
    const decoded = bytes === null ? null : decodeCbor(bytes)
    return decoded?.ok ? (decoded.value as number) : 0
  }

  /** Notes how far a topic was told, in the batch that keeps what it was told. */
  moveCursor(batch: Batch, topic: number, cursor: number): void {
    batch.put('state', cursorKey(topic), encodeCbor(cursor))
  }

  /** Begins a topic again from its first place; what was shown before is recognised by its chain. */
  async rewind(topic: number): Promise<void> {
    await this.#store.commit([{ table: 'state', key: cursorKey(topic), value: null }])
  }

  /** Number of the newest row; 0 when there is none. */
  async newest(): Promise<number> {
    const [last] = await this.#store.list('inbox', { reverse: true, limit: 1 })
    return last === undefined ? 0 : Number.parseInt(last[0], 16)
  }

  /** Rows after an arrival number, oldest first, with their numbers. */
  async after(after: number, limit: number): Promise<readonly (readonly [number, InboxRow])[]> {
    const stored = await this.#store.list('inbox', { after: numberKey(after), limit })
    return stored.map(([key, bytes]) => [Number.parseInt(key, 16), decodeRow(bytes)] as const)
  }

  /**
   * Rows before an arrival number, newest first, with their numbers. Numbers are given one after the
   * other, so a window of them is a page; it may be short, and is empty only at the beginning.
   */
  async before(arrival: number, limit: number): Promise<readonly (readonly [number, InboxRow])[]> {
    const first = Math.min(arrival, (await this.lastArrival()) + 1)
    for (let end = first; end > 1; end -= limit) {
      const rows = await this.after(Math.max(0, end - 1 - limit), limit)
      const page = rows.filter(([n]) => n < end)
      if (page.length > 0) return page.reverse()
    }
    return []
  }

  /** Puts a row behind all others, in the batch that keeps what it is about. */
  async append(batch: Batch, row: InboxRow): Promise<void> {
    const arrival = (await this.lastArrival()) + 1
    this.#arrival = arrival
    batch.put('inbox', numberKey(arrival), encodeRow(row))
  }

  /** Number of the last row, those of a batch that is not written yet among them. */
  async lastArrival(): Promise<number> {
    this.#arrival ??= await this.newest()
    return this.#arrival
  }

  /** The batch was not written: its numbers are free again. */
  dropUnwritten(): void {
    this.#arrival = null
  }
}

const cursorKey = (topic: number): string => `cursor/${topic}`
