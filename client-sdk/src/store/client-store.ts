/** Tables of a device's own store. */
export const tables = [
  /** Facts about the device: directory size, clock, chain heads of its own, incarnations. */
  'state',
  /** Directory entries by index. */
  'directory',
  /** Secret halves of epoch keys by week. */
  'epochs',
  /** Public keys of others, by kid. */
  'keys',
  /** Reports on their way out. */
  'outbox',
  /** Reports that are being written. */
  'drafts',
  /** Received and opened items, by topic and cursor. */
  'inbox',
  /** Which report of a member was shown, by member and report id; conflicts are found here. */
  'reports',
  /** Senders' chains as far as they were seen. */
  'chains',
  /** Acknowledgements not yet confirmed by the relay. */
  'acks',
  /** Receipts of the relay and acknowledgements of readers, by core hash. */
  'receipts',
] as const

/** Name of a table. */
export type Table = (typeof tables)[number]

/** One change: a value to write, or null to delete. */
export interface Change {
  readonly table: Table
  readonly key: string
  readonly value: Uint8Array | null
}

/** Which rows to list. Order is that of the keys' bytes. */
export interface ListQuery {
  /** Only keys that begin so. */
  readonly prefix?: string
  /** Only keys after this one. */
  readonly after?: string
  readonly limit?: number
  /** Newest key first. */
  readonly reverse?: boolean
}

/**
 * A device's own durable store. Small on purpose, so that LMDB, IndexedDB and tests can all be it.
 * `commit` is one atomic step and resolves when it would survive a power cut; what is shown to a
 * person and the mark that it was shown go into one commit.
 */
export interface ClientStore extends AsyncDisposable {
  get(table: Table, key: string): Promise<Uint8Array | null>
  list(table: Table, query?: ListQuery): Promise<readonly (readonly [string, Uint8Array])[]>
  commit(changes: readonly Change[]): Promise<void>
}

/** A number as a key whose text order is its numeric order. @param n 0..2^53-1 */
export const numberKey = (n: number): string => n.toString(16).padStart(14, '0')
