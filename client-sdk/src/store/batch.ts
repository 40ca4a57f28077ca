import type { Change, ClientStore, Table } from './client-store.ts'

/** Reads one row. */
export interface RowReader {
  get(table: Table, key: string): Promise<Uint8Array | null>
}

/** Changes that belong together: readable at once, written in one atomic step or not at all. */
export class Batch implements RowReader {
  readonly #store: ClientStore
  readonly #changes = new Map<string, Change>()

  constructor(store: ClientStore) {
    this.#store = store
  }

  get size(): number {
    return this.#changes.size
  }

  put(table: Table, key: string, value: Uint8Array | null): void {
    this.#changes.set(`${table}\n${key}`, { table, key, value })
  }

  async get(table: Table, key: string): Promise<Uint8Array | null> {
    const pending = this.#changes.get(`${table}\n${key}`)
    return pending === undefined ? this.#store.get(table, key) : pending.value
  }

  /** Writes everything durably. */
  async commit(): Promise<void> {
    if (this.#changes.size === 0) return
    await this.#store.commit([...this.#changes.values()])
    this.#changes.clear()
  }
}
