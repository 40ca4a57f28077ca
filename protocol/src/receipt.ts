import { receipt as checkReceipt } from '@liaison/schemas/wire'
import type { NetworkId } from './brand.ts'
import { concat } from './bytes.ts'
import { type CborMap, encodeCbor } from './cbor.ts'
import { sha256 } from './crypto/hash.ts'
import { type SigningKey, signingInput, signParts, verifyParts } from './crypto/sign.ts'
import { type DecodeCode, decodeAs } from './decode.ts'
import type { Result } from './result.ts'

/** The relay's signed word on one submission; docs/protocol.md, section "Receipts". */
export interface Receipt {
  readonly v: 1
  /** 0 accepted, otherwise the number of the error code. */
  readonly rc: number
  /** Number of the relay whose key signed. */
  readonly rk: number
  /** 1 when the same bytes had been accepted before. */
  readonly d: 0 | 1
  /** Core hash of the envelope; for a directory entry or refused bytes, their SHA-256. */
  readonly cid: Uint8Array
  /** When it was accepted or refused, ms. */
  readonly t: number
  /** Index and hash of the audit leaf; absent when a refusal is only counted. */
  readonly ix?: number
  readonly lh?: Uint8Array
  /** Cursor in the topic; for a directory entry, its index. */
  readonly cur?: number
  readonly id?: Uint8Array
  readonly dev?: number
  readonly adm?: number
  readonly chain?: Uint8Array
  readonly inc?: number
  readonly seq?: number
  /** When the chain does not fit: the newest place that the relay has. */
  readonly head?: readonly [inc: number, seq: number, core: Uint8Array]
}

/** The one encoding of a receipt. */
export const encodeReceipt = (receipt: Receipt): Uint8Array =>
  encodeCbor(receipt as unknown as CborMap)

/** Strict decoding of a receipt. */
export const decodeReceipt = (bytes: Uint8Array): Result<Receipt, DecodeCode> =>
  decodeAs<Receipt>(bytes, checkReceipt)

/** Hash of one receipt; a single receipt is proven with the hashes of its neighbours. */
export const receiptHash = (receipt: Uint8Array): Uint8Array => sha256(receipt)

/** One signature over the hashes of all receipts of a frame, in the order of the frame. */
export const signReceipts = (
  net: NetworkId,
  key: SigningKey,
  hashes: readonly Uint8Array[],
): Uint8Array => signParts(key, 'receipt', net, concat(...hashes))

/** The bytes of that signature, for a relay that signs with a library of its own. */
export const receiptsSigningInput = (
  net: NetworkId,
  relayKey: Uint8Array,
  hashes: readonly Uint8Array[],
): Uint8Array => signingInput('receipt', net, relayKey, [concat(...hashes)])

/** Whether the relay with this key signed these receipts. */
export const verifyReceipts = (
  net: NetworkId,
  relayKey: Uint8Array,
  hashes: readonly Uint8Array[],
  sig: Uint8Array,
): boolean => verifyParts(sig, relayKey, 'receipt', net, concat(...hashes))
