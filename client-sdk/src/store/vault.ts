import { RelayError } from '@liaison/protocol'
import { concat, randomBytes, sodium, utf8 } from '@liaison/protocol/internal'
import type { Change, ClientStore, ListQuery, Table } from './client-store.ts'

const nonceBytes = 24

/**
 * A store whose values are encrypted under the device's storage key, each bound to its place, so that
 * rows cannot be read, exchanged or moved by whoever gets at the disk of a switched-off machine. Keys
 * of rows stay readable: numbers, hashes and random names.
 */
export class Vault implements ClientStore {
  readonly #store: ClientStore
  readonly #key: Uint8Array

  /** @param storageKey 32 bytes, from the key file. */
  constructor(store: ClientStore, storageKey: Uint8Array) {
    this.#store = store
    this.#key = storageKey
  }

  async get(table: Table, key: string): Promise<Uint8Array | null> {
    const stored = await this.#store.get(table, key)
    return stored === null ? null : this.#open(table, key, stored)
  }

  async list(table: Table, query?: ListQuery): Promise<readonly (readonly [string, Uint8Array])[]> {
    const rows = await this.#store.list(table, query)
    return rows.map(([key, value]) => [key, this.#open(table, key, value)] as const)
  }

  async commit(changes: readonly Change[]): Promise<void> {
    await this.#store.commit(
      changes.map((c) => ({
        ...c,
        value: c.value === null ? null : this.#seal(c.table, c.key, c.value),
      })),
    )
  }

  #seal(table: Table, key: string, value: Uint8Array): Uint8Array {
    const nonce = randomBytes(nonceBytes)
    const aad = placeOf(table, key)
    const sealed = sodium().crypto_aead_xchacha20poly1305_ietf_encrypt(
      value,
      aad,
      null,
      nonce,
      this.#key,
    )
    return concat(nonce, sealed)
  }

  #open(table: Table, key: string, stored: Uint8Array): Uint8Array {
    try {
      return sodium().crypto_aead_xchacha20poly1305_ietf_decrypt(
        null,
        stored.subarray(nonceBytes),
        placeOf(table, key),
        stored.subarray(0, nonceBytes),
        this.#key,
      )
    } catch (cause) {
      throw new RelayError('store_unavailable', {
        field: table,
        detail: 'row does not open',
        cause,
      })
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#store[Symbol.asyncDispose]()
  }
}

const placeOf = (table: Table, key: string): Uint8Array => utf8(`${table}\n${key}`)
