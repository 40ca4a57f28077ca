import { type Envelope, type ErrorCode, isErrorCode } from '@liaison/protocol'
import { type CborMap, decodeCbor, encodeCbor } from '@liaison/protocol/internal'

/**
 * Where a report stands on its way out. `sealed` means sent, or about to be, with an outcome that is
 * not known yet: its bytes are repeated until the relay answers.
 */
export type OutboxState =
  | 'queued'
  | 'sealed'
  | 'with-relay'
  | 'received'
  | 'read'
  | 'refused'
  | 'cancelled'

/** The bytes that were sealed, and their place in the chain. */
export interface SealedBytes {
  readonly envelope: Envelope
  readonly core: Uint8Array
  readonly chain: Uint8Array
  readonly inc: number
  readonly seq: number
}

/** One report, or control message, on its way out. */
export interface OutboxItem {
  /** `meta.id` of a report; a random name for a control message. */
  readonly id: string
  /** Order of submission. */
  readonly order: number
  readonly state: OutboxState
  /** Published schema, such as `spotrep`. */
  readonly schema: string
  /** Envelope kind. */
  readonly k: number
  readonly topic: number
  /** Handling code, 0..4. */
  readonly hc: number
  /** Precedence, 0 routine to 3 flash. */
  readonly pr: number
  /** Member numbers, ascending; null for the whole topic. */
  readonly to: readonly number[] | null
  readonly ref: Uint8Array | null
  /** UTF-8 JSON. */
  readonly body: Uint8Array
  /** When it was submitted, ms. */
  readonly created: number
  /** Seals so far that the relay refused as out of date. */
  readonly reseals: number
  readonly sealed: SealedBytes | null
  /** Receipt of the relay, hashes of all receipts of its frame, and the signature over these. */
  readonly receipt: {
    readonly bytes: Uint8Array
    readonly hashes: readonly Uint8Array[]
    readonly sig: Uint8Array
  } | null
  /** Why it was refused, or why it waits. */
  readonly code: ErrorCode | null
  readonly idempotencyKey: string | null
}

/** An item as the outbox takes it. */
export type NewItem = Omit<
  OutboxItem,
  'order' | 'state' | 'reseals' | 'sealed' | 'receipt' | 'code'
>

/** Encodes an item for the store. */
export function encodeItem(item: OutboxItem): Uint8Array {
  const map: { [key: string]: CborMap[string] } = {
    id: item.id,
    order: item.order,
    state: item.state,
    sch: item.schema,
    k: item.k,
    top: item.topic,
    hc: item.hc,
    pr: item.pr,
    body: item.body,
    t: item.created,
    n: item.reseals,
  }
  if (item.to !== null) map['to'] = item.to
  if (item.ref !== null) map['ref'] = item.ref
  if (item.code !== null) map['code'] = item.code
  if (item.idempotencyKey !== null) map['key'] = item.idempotencyKey
  if (item.receipt !== null) {
    map['rcpt'] = [item.receipt.bytes, item.receipt.hashes, item.receipt.sig]
  }
  if (item.sealed !== null) {
    const { envelope: e, core, chain, inc, seq } = item.sealed
    map['env'] = [e.ctx, e.seal, e.sig, e.payload, e.slots]
    map['at'] = [core, chain, inc, seq]
  }
  return encodeCbor(map)
}

interface StoredItem {
  readonly id: string
  readonly order: number
  readonly state: OutboxState
  readonly sch: string
  readonly k: number
  readonly top: number
  readonly hc: number
  readonly pr: number
  readonly body: Uint8Array
  readonly t: number
  readonly n: number
  readonly to?: readonly number[]
  readonly ref?: Uint8Array
  readonly code?: string
  readonly key?: string
  readonly rcpt?: readonly [Uint8Array, readonly Uint8Array[], Uint8Array]
  readonly env?: readonly [Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array]
  readonly at?: readonly [Uint8Array, Uint8Array, number, number]
}

/** Reads an item that this release wrote. */
export function decodeItem(bytes: Uint8Array): OutboxItem {
  const decoded = decodeCbor(bytes)
  if (!decoded.ok) throw new Error('a stored outbox item does not decode')
  const s = decoded.value as unknown as StoredItem
  return {
    id: s.id,
    order: s.order,
    state: s.state,
    schema: s.sch,
    k: s.k,
    topic: s.top,
    hc: s.hc,
    pr: s.pr,
    to: s.to ?? null,
    ref: s.ref ?? null,
    body: s.body,
    created: s.t,
    reseals: s.n,
    sealed: sealedOf(s),
    receipt: s.rcpt === undefined ? null : { bytes: s.rcpt[0], hashes: s.rcpt[1], sig: s.rcpt[2] },
    code: s.code !== undefined && isErrorCode(s.code) ? s.code : null,
    idempotencyKey: s.key ?? null,
  }
}

function sealedOf({ env, at }: StoredItem): SealedBytes | null {
  if (env === undefined || at === undefined) return null
  const [ctx, seal, sig, payload, slots] = env
  const [core, chain, inc, seq] = at
  return { envelope: { ctx, seal, sig, payload, slots }, core, chain, inc, seq }
}
