import {
  type AppliedEntry,
  Directory,
  type DirectoryPage,
  equal,
  logOrigins,
  RelayError,
  verifyCheckpoint,
} from '@liaison/protocol'
import { type Change, type ClientStore, numberKey } from '../store/client-store.ts'

/** What a page of entries did to this device's copy of the directory. */
export interface PageOutcome {
  readonly applied: readonly AppliedEntry[]
  /** Index of the first entry that is still missing, or null when this is all the relay has. */
  readonly wantFrom: number | null
}

/**
 * This device's own copy of the directory: replayed from the store, extended only by entries that
 * verify, and never shortened. A relay that knows less, or another history, is refused by name.
 */
export class LocalDirectory {
  readonly directory: Directory
  readonly #store: ClientStore
  /** Pages are applied one after the other. */
  #turn: Promise<unknown> = Promise.resolve()

  private constructor(directory: Directory, store: ClientStore) {
    this.directory = directory
    this.#store = store
  }

  /**
   * Opens the copy of a network in a store; a new store is begun with the pinned genesis.
   *
   * @throws RelayError `network_mismatch` when the store belongs to another network,
   * `network_file_malformed` when the genesis does not verify.
   */
  static async open(store: ClientStore, genesis: Uint8Array): Promise<LocalDirectory> {
    const begun = Directory.fromGenesis(genesis)
    if (!begun.ok) throw new RelayError('network_file_malformed', { detail: begun.error })
    const directory = begun.value
    const rows = await store.list('directory')
    const first = rows[0]
    if (first !== undefined && !equal(first[1], genesis)) throw new RelayError('network_mismatch')
    if (first === undefined) {
      await store.commit([{ table: 'directory', key: numberKey(0), value: genesis }])
    }
    for (const [key, entry] of rows.slice(1)) {
      if (key !== numberKey(directory.size))
        throw new RelayError('store_unavailable', { field: key })
      const replayed = directory.append(entry, null)
      if (!replayed.ok) throw new RelayError('directory_invalid', { detail: replayed.error })
    }
    return new LocalDirectory(directory, store)
  }

  /**
   * Takes in a page with its checkpoint.
   *
   * @throws RelayError `directory_invalid`, `directory_rollback`, `directory_fork` or
   * `checkpoint_invalid`; the copy then stays as it was before the offending entry.
   */
  apply(page: DirectoryPage): Promise<PageOutcome> {
    const mine = this.#turn.then(() => this.#apply(page))
    this.#turn = mine.catch(() => undefined)
    return mine
  }

  async #apply(page: DirectoryPage): Promise<PageOutcome> {
    const { directory } = this
    if (page.size < directory.size) {
      const known = this.#checkpointRoot(page)
      throw new RelayError(
        equal(known, directory.rootAt(page.size) ?? new Uint8Array())
          ? 'directory_rollback'
          : 'directory_fork',
      )
    }
    // A gap: an announcement overtook the page before it. Ask for what is missing.
    if (page.from > directory.size) return { applied: [], wantFrom: directory.size }
    const applied: AppliedEntry[] = []
    const changes: Change[] = []
    for (const entry of page.entries.slice(directory.size - page.from)) {
      const index = directory.size
      const result = directory.append(entry, null)
      if (!result.ok) {
        await this.#store.commit(changes)
        throw new RelayError('directory_invalid', { detail: `entry ${index}: ${result.error}` })
      }
      applied.push(result.value)
      changes.push({ table: 'directory', key: numberKey(index), value: entry })
    }
    if (changes.length > 0) await this.#store.commit(changes)
    if (directory.size < page.size) return { applied, wantFrom: directory.size }
    if (!equal(this.#checkpointRoot(page), directory.root)) throw new RelayError('directory_fork')
    return { applied, wantFrom: null }
  }

  /** Root that the relay's signed checkpoint names for the page's size. */
  #checkpointRoot(page: DirectoryPage): Uint8Array {
    const origin = logOrigins(this.directory.name).dir
    const checked = verifyCheckpoint(page.checkpoint, origin, this.directory.policy().logs.dir)
    if (!checked.ok || checked.value.size !== page.size) throw new RelayError('checkpoint_invalid')
    return checked.value.root
  }
}
