import { checkEpochPublicKey, equal, kidOf, limits, RelayError, toHex } from '@liaison/protocol'
import type { Link } from '../session/link.ts'
import type { ClientStore } from '../store/client-store.ts'

/** Public keys of others by their name; each is checked against the name and tried once. */
export class PublicKeys {
  readonly #store: ClientStore
  readonly #known = new Map<string, Uint8Array>()

  constructor(store: ClientStore) {
    this.#store = store
  }

  /**
   * Keys in the order of their names, fetched from the relay where this device does not have them.
   *
   * @throws RelayError `key_unavailable` when the relay does not give one, `key_rejected` when what it
   * gives is not usable.
   */
  async get(kids: readonly Uint8Array[], link: Link | null): Promise<Uint8Array[]> {
    const missing: Uint8Array[] = []
    for (const kid of kids) if ((await this.#local(kid)) === null) missing.push(kid)
    if (missing.length > 0) await this.#fetch(missing, link)
    return kids.map((kid) => {
      const key = this.#known.get(toHex(kid))
      if (key === undefined) throw new RelayError('key_unavailable')
      return key
    })
  }

  async #local(kid: Uint8Array): Promise<Uint8Array | null> {
    const name = toHex(kid)
    const known = this.#known.get(name)
    if (known !== undefined) return known
    const stored = await this.#store.get('keys', name)
    if (stored !== null) this.#known.set(name, stored)
    return stored
  }

  async #fetch(kids: readonly Uint8Array[], link: Link | null): Promise<void> {
    if (link === null) throw new RelayError('key_unavailable', { detail: 'offline' })
    let wanted = [...kids]
    while (wanted.length > 0) {
      const hashes = wanted.slice(0, limits.blobsPerFrameMax)
      const { blobs } = await link.request({ kind: 'blob-get', hashes }, 'blobs')
      if (blobs.length === 0) throw new RelayError('key_unavailable')
      for (const [hash, key] of blobs) await this.#keep(hash, key)
      wanted = wanted.filter((kid) => !this.#known.has(toHex(kid)))
    }
  }

  async #keep(hash: Uint8Array, key: Uint8Array): Promise<void> {
    if (!equal(kidOf(key), hash) || !checkEpochPublicKey(key).ok)
      throw new RelayError('key_rejected')
    const name = toHex(hash)
    this.#known.set(name, key)
    await this.#store.commit([{ table: 'keys', key: name, value: key }])
  }
}
