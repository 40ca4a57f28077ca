import { RelayError } from '@liaison/protocol'
import {
  type Change,
  type ClientStore,
  type ListQuery,
  type Table,
  tables,
} from './client-store.ts'

/** Version of the database's form; a higher one would need a migration. */
const formVersion = 1

/**
 * Opens the store of one device in a browser. One tab at a time: a device that runs twice would sign
 * two envelopes for one place of its chain.
 *
 * @param name Name of the database; one for each device and network.
 * @throws RelayError `store_locked` while another tab has it, `store_unavailable` when the browser
 * has no durable storage, for instance in a private window.
 */
export async function openIndexedDbStore(name: string): Promise<ClientStore> {
  const unlock = await lock(`liaison/${name}`)
  try {
    return new IndexedDbStore(await openDatabase(name), unlock)
  } catch (cause) {
    await unlock()
    throw new RelayError('store_unavailable', { cause })
  }
}

class IndexedDbStore implements ClientStore {
  readonly #database: IDBDatabase
  readonly #unlock: () => Promise<void>

  constructor(database: IDBDatabase, unlock: () => Promise<void>) {
    this.#database = database
    this.#unlock = unlock
  }

  async get(table: Table, key: string): Promise<Uint8Array | null> {
    return this.#guarded(async () => {
      const { store } = this.#begin(table, 'readonly')
      const value: unknown = await resultOf(store.get(key))
      return value instanceof Uint8Array ? value : null
    })
  }

  async list(
    table: Table,
    query: ListQuery = {},
  ): Promise<readonly (readonly [string, Uint8Array])[]> {
    const { prefix = '', after, limit = Number.POSITIVE_INFINITY, reverse = false } = query
    if (limit <= 0) return []
    return this.#guarded(async () => {
      const { store } = this.#begin(table, 'readonly')
      const range = rangeOf(prefix, after)
      if (range === null) return []
      const request = store.openCursor(range, reverse ? 'prev' : 'next')
      const out: (readonly [string, Uint8Array])[] = []
      await new Promise<void>((resolve, reject) => {
        request.onerror = () => reject(request.error)
        request.onsuccess = () => {
          const cursor = request.result
          if (cursor === null || out.length >= limit) return resolve()
          out.push([String(cursor.key), cursor.value as Uint8Array])
          cursor.continue()
        }
      })
      return out
    })
  }

  async commit(changes: readonly Change[]): Promise<void> {
    if (changes.length === 0) return
    await this.#guarded(
      () =>
        new Promise<void>((resolve, reject) => {
          // Strict: the browser says "done" only after the data was written out.
          const transaction = this.#database.transaction(namesIn(changes), 'readwrite', {
            durability: 'strict',
          })
          transaction.oncomplete = () => resolve()
          transaction.onabort = () => reject(transaction.error)
          for (const { table, key, value } of changes) {
            const store = transaction.objectStore(table)
            // A copy: a view into a large buffer would be stored with all of it.
            if (value === null) store.delete(key)
            else store.put(new Uint8Array(value), key)
          }
        }),
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#database.close()
    await this.#unlock()
  }

  #begin(table: Table, mode: IDBTransactionMode): { readonly store: IDBObjectStore } {
    return { store: this.#database.transaction(table, mode).objectStore(table) }
  }

  async #guarded<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (cause) {
      throw new RelayError('store_unavailable', { cause })
    }
  }
}

const namesIn = (changes: readonly Change[]): Table[] => [
  ...new Set(changes.map(({ table }) => table)),
]

/** Keys with the prefix and after the given one; null when there can be none. Keys are plain ASCII. */
function rangeOf(prefix: string, after: string | undefined): IDBKeyRange | null {
  const high = `${prefix}\u{FFFF}`
  if (after === undefined || after < prefix) return IDBKeyRange.bound(prefix, high)
  return after >= high ? null : IDBKeyRange.bound(after, high, true)
}

const resultOf = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })

function openDatabase(name: string): Promise<IDBDatabase> {
  const request = indexedDB.open(`liaison/${name}`, formVersion)
  request.onupgradeneeded = () => {
    for (const table of tables) request.result.createObjectStore(table)
  }
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
    request.onblocked = () => reject(new Error('another tab has an older form of the store open'))
  })
}

/** Takes the browser's lock; it is given back when the tab goes away, however it goes. */
async function lock(name: string): Promise<() => Promise<void>> {
  if (typeof navigator === 'undefined' || navigator.locks === undefined) {
    throw new RelayError('store_unavailable', { detail: 'no locks: a secure page is needed' })
  }
  const { promise: held, resolve: release } = deferred<void>()
  const { promise: taken, resolve: answer } = deferred<boolean>()
  const given = navigator.locks.request(name, { ifAvailable: true }, async (granted) => {
    answer(granted !== null)
    if (granted !== null) await held
  })
  if (!(await taken)) throw new RelayError('store_locked', { detail: 'another tab' })
  return async () => {
    release()
    await given
  }
}

function deferred<T>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => undefined
  const promise = new Promise<T>((done) => {
    resolve = done
  })
  return { promise, resolve }
}
