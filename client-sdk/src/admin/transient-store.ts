import type { Change, ClientStore, ListQuery, Table } from '../store/client-store.ts'

/** A store that lives as long as the process: administrators' tools keep nothing between runs. */
export class TransientStore implements ClientStore {
  readonly #tables = new Map<Table, Map<string, Uint8Array>>()

  async get(table: Table, key: string): Promise<Uint8Array | null> {
    return this.#tables.get(table)?.get(key) ?? null
  }

  async list(
    table: Table,
    query: ListQuery = {},
  ): Promise<readonly (readonly [string, Uint8Array])[]> {
    const { prefix = '', after, limit, reverse = false } = query
    const rows = [...(this.#tables.get(table) ?? [])]
      .filter(([key]) => key.startsWith(prefix) && (after === undefined || key > after))
      .sort(([a], [b]) => (a < b ? -1 : 1))
    return (reverse ? rows.reverse() : rows).slice(0, limit)
  }

  async commit(changes: readonly Change[]): Promise<void> {
    for (const { table, key, value } of changes) {
      const rows = this.#tables.get(table) ?? new Map<string, Uint8Array>()
      this.#tables.set(table, rows)
      if (value === null) rows.delete(key)
      else rows.set(key, value)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#tables.clear()
  }
}
