import type { NetworkId } from '../brand.ts'
import { equal } from '../bytes.ts'
import { sha256 } from '../crypto/hash.ts'
import { signingInput, verifyParts } from '../crypto/sign.ts'
import { limits } from '../limits.ts'
import { hashesOf, leafHash, merkleRoot, rootFromInclusion } from '../merkle.ts'
import { err, ok, type Result } from '../result.ts'
import { type Ctx, coreHashOf, decodeCtx, decodeSeal, type Seal } from './ctx.ts'

/** A published envelope: the exact bytes that were signed, and what they commit to. */
export interface Envelope {
  readonly ctx: Uint8Array
  readonly seal: Uint8Array
  readonly sig: Uint8Array
  readonly payload: Uint8Array
  /** n slots of 1,168 bytes, in the order of the audience. */
  readonly slots: Uint8Array
}

/** An envelope as one recipient gets it: its own slot and a path instead of all slots. */
export interface PrunedEnvelope {
  readonly ctx: Uint8Array
  readonly seal: Uint8Array
  readonly sig: Uint8Array
  readonly payload: Uint8Array
  readonly idx: number
  readonly slot: Uint8Array
  /** Siblings from the leaf upwards, 32 bytes each. */
  readonly path: Uint8Array
  /** On request: index and path of each FLU slot, so that it can be recomputed and compared. */
  readonly flu?: readonly (readonly [idx: number, path: Uint8Array])[]
}

/** The decoded halves of an envelope and its name. */
export interface EnvelopeCore {
  readonly ctx: Ctx
  readonly seal: Seal
  readonly core: Uint8Array
}

/** Decodes header and seal strictly and names the envelope. */
export function decodeCore(
  net: NetworkId,
  ctx: Uint8Array,
  seal: Uint8Array,
): Result<EnvelopeCore, 'cbor_malformed' | 'frame_malformed'> {
  const header = decodeCtx(ctx)
  if (!header.ok) return header
  const sealed = decodeSeal(seal)
  if (!sealed.ok) return sealed
  return ok({ ctx: header.value, seal: sealed.value, core: coreHashOf(net, ctx, seal) })
}

/** Whether the sender's signature over header and seal verifies, as received. */
export const verifyEnvelopeSignature = (
  net: NetworkId,
  identityKey: Uint8Array,
  e: Pick<Envelope, 'ctx' | 'seal' | 'sig'>,
): boolean => verifyParts(e.sig, identityKey, 'envelope', net, e.ctx, e.seal)

/** The bytes that the sender's signature covers, for whoever checks many signatures elsewhere. */
export const envelopeSigningInput = (
  net: NetworkId,
  identityKey: Uint8Array,
  e: Pick<Envelope, 'ctx' | 'seal'>,
): Uint8Array => signingInput('envelope', net, identityKey, [e.ctx, e.seal])

/** Whether the payload is the one the seal names. */
export const payloadMatches = (seal: Seal, payload: Uint8Array): boolean =>
  seal.pl === payload.length && equal(seal.ph, sha256(payload))

/** Cuts the slots apart, or null when their length is not a whole number of slots. */
export function slotsOf(slots: Uint8Array): Uint8Array[] | null {
  const size = limits.slotBytes
  if (slots.length % size !== 0) return null
  return Array.from({ length: slots.length / size }, (_, i) =>
    slots.subarray(i * size, (i + 1) * size),
  )
}

/** Merkle leaf hashes of the slots. */
export const slotLeaves = (slots: readonly Uint8Array[]): Uint8Array[] => slots.map(leafHash)

/** Whether all slots together give the signed root. */
export const slotsMatch = (seal: Seal, leaves: readonly Uint8Array[]): boolean =>
  seal.sr !== undefined && equal(seal.sr, merkleRoot(leaves))

/** Whether one slot stands at `idx` of `n` under the signed root. */
export function slotInRoot(
  seal: Seal,
  n: number,
  idx: number,
  slot: Uint8Array,
  path: Uint8Array,
): Result<true, 'slots_mismatch'> {
  const hashes = hashesOf(path)
  if (hashes === null || seal.sr === undefined) return err('slots_mismatch')
  const root = rootFromInclusion(idx, n, leafHash(slot), hashes)
  return root !== null && equal(root, seal.sr) ? ok(true) : err('slots_mismatch')
}
