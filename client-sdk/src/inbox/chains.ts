import { type ChainPosition, equal, toHex } from '@liaison/protocol'
import { decodeCbor, encodeCbor } from '@liaison/protocol/internal'
import type { Batch, RowReader } from '../store/batch.ts'
import { numberKey } from '../store/client-store.ts'

/** How an envelope relates to what was seen of its chain. */
export type ChainVerdict =
  /** The next one, or the first this device may see. */
  | { readonly kind: 'next' }
  /** The sender began its chain anew, with this one or after it; people are told. */
  | { readonly kind: 'restarted' }
  /** Seen before. */
  | { readonly kind: 'repeated' }
  /** Places `from` to `to` (inclusive) are missing. */
  | { readonly kind: 'gap'; readonly from: number; readonly to: number }
  /** Another envelope was seen at this place, or this one does not follow the last. */
  | { readonly kind: 'conflict' }

/** An envelope's own claim about its place. */
export interface ChainLink extends ChainPosition {
  /** Chain id. */
  readonly chain: Uint8Array
  readonly prev: Uint8Array
}

const headKey = (chain: Uint8Array): string => `head/${toHex(chain)}`
const placeKey = (chain: Uint8Array, inc: number, seq: number): string =>
  `seen/${toHex(chain)}/${numberKey(inc)}/${numberKey(seq)}`

/**
 * Compares an envelope with what was seen of its sender's chain, so that a missing or exchanged
 * envelope is noticed whatever the relay does. A device's first envelope of a chain is taken as given.
 */
export async function judgeChain(rows: RowReader, link: ChainLink): Promise<ChainVerdict> {
  const seen = await rows.get('chains', placeKey(link.chain, link.inc, link.seq))
  if (seen !== null) return { kind: equal(seen, link.core) ? 'repeated' : 'conflict' }
  const head = await chainHead(rows, link.chain)
  if (head === null) return { kind: 'next' }
  // From before the sender began anew, and held back until now: its own places were free.
  if (link.inc < head.inc) return { kind: 'restarted' }
  if (link.inc > head.inc) {
    return link.seq === 0 ? { kind: 'restarted' } : { kind: 'gap', from: 0, to: link.seq - 1 }
  }
  // A place below the first that this device saw, or one that is filled in after a gap.
  if (link.seq <= head.seq) return { kind: 'next' }
  if (link.seq > head.seq + 1) return { kind: 'gap', from: head.seq + 1, to: link.seq - 1 }
  return equal(link.prev, head.core) ? { kind: 'next' } : { kind: 'conflict' }
}

/** Notes an envelope, in the batch that keeps it. */
export async function advanceChain(batch: Batch, link: ChainLink): Promise<void> {
  const head = await chainHead(batch, link.chain)
  batch.put('chains', placeKey(link.chain, link.inc, link.seq), link.core)
  const newer =
    head === null || link.inc > head.inc || (link.inc === head.inc && link.seq > head.seq)
  if (!newer) return
  batch.put('chains', headKey(link.chain), encodeCbor([link.inc, link.seq, link.core]))
}

async function chainHead(rows: RowReader, chain: Uint8Array): Promise<ChainPosition | null> {
  const bytes = await rows.get('chains', headKey(chain))
  const decoded = bytes === null ? null : decodeCbor(bytes)
  if (decoded === null || !decoded.ok) return null
  const [inc, seq, core] = decoded.value as unknown as readonly [number, number, Uint8Array]
  return { inc, seq, core }
}
