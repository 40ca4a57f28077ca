import type { Directory, EpochMs } from '@liaison/protocol'
import { type ChainPosition, toHex, weekOf } from '@liaison/protocol'
import { decodeCbor, encodeCbor } from '@liaison/protocol/internal'
import type { Change, ClientStore } from '../store/client-store.ts'

/** The next place of one of this device's own chains. */
export interface NextPlace {
  readonly inc: number
  readonly seq: number
  readonly prev: Uint8Array
}

const zeros = new Uint8Array(32)
const chainPrefix = 'chain/'
const keyOf = (chain: Uint8Array): string => `${chainPrefix}${toHex(chain)}`
/** Where a restored store says with which incarnation all chains go on. */
const leastKey = 'incarnation'

/** This device's own chains as far as the relay accepted them. */
export class OwnChains {
  readonly #store: ClientStore
  readonly #heads = new Map<string, ChainPosition | null>()
  /** The least incarnation for new places; 0 unless the store was restored. */
  #least: number | null = null

  constructor(store: ClientStore) {
    this.#store = store
  }

  /** The newest accepted place, or null. A place of seq -1 begins an incarnation. */
  async head(chain: Uint8Array): Promise<ChainPosition | null> {
    const head = await this.#stored(chain)
    this.#least ??= await leastIn(this.#store)
    if (this.#least <= (head?.inc ?? 0)) return head
    return { inc: this.#least, seq: -1, core: zeros }
  }

  async #stored(chain: Uint8Array): Promise<ChainPosition | null> {
    const key = keyOf(chain)
    const known = this.#heads.get(key)
    if (known !== undefined) return known
    const bytes = await this.#store.get('state', key)
    const head = bytes === null ? null : headOf(bytes)
    this.#heads.set(key, head)
    return head
  }

  /**
   * What makes every chain begin anew, those too that the store does not know of: it was restored, so
   * places after its last may be in use.
   *
   * @param above An incarnation that was not used up to now as far as anybody can tell.
   */
  static async beginAnew(store: ClientStore, above: number): Promise<Change> {
    const chains = await store.list('state', { prefix: chainPrefix })
    const used = chains.map(([, bytes]) => headOf(bytes)?.inc ?? 0)
    const least = Math.max(above, await leastIn(store), ...used) + 1
    return { table: 'state', key: leastKey, value: encodeCbor(least) }
  }

  /** The place after a given one. */
  static after(head: ChainPosition | null): NextPlace {
    if (head === null) return { inc: 0, seq: 0, prev: zeros }
    const seq = head.seq + 1
    return { inc: head.inc, seq, prev: seq === 0 ? zeros : head.core }
  }

  /** Notes that the relay accepted a place. */
  accepted(chain: Uint8Array, position: ChainPosition): Change {
    this.#heads.set(keyOf(chain), position)
    const { inc, seq, core } = position
    return { table: 'state', key: keyOf(chain), value: encodeCbor([inc, seq + 1, core]) }
  }

  /**
   * Begins a new incarnation: the device cannot prove its last place from its own store, and never
   * goes on from a head that only the relay tells.
   */
  async restart(
    chain: Uint8Array,
    relayInc: number,
    directory: Directory,
    now: EpochMs,
  ): Promise<Change> {
    const own = (await this.head(chain))?.inc ?? 0
    const inc = Math.max(own, relayInc, weekOf(now, directory.genesisT) * 1000) + 1
    return this.accepted(chain, { inc, seq: -1, core: zeros })
  }
}

async function leastIn(store: ClientStore): Promise<number> {
  const bytes = await store.get('state', leastKey)
  const decoded = bytes === null ? null : decodeCbor(bytes)
  return decoded?.ok && typeof decoded.value === 'number' ? decoded.value : 0
}

function headOf(bytes: Uint8Array): ChainPosition | null {
  const decoded = decodeCbor(bytes)
  return decoded.ok ? readHead(decoded.value as unknown as StoredHead) : null
}

type StoredHead = readonly [inc: number, seqPlusOne: number, core: Uint8Array]

const readHead = ([inc, next, core]: StoredHead): ChainPosition => ({ inc, seq: next - 1, core })
