import { ctx as checkCtx, seal as checkSeal } from '@liaison/schemas/wire'
import type { NetworkId } from '../brand.ts'
import { type CborMap, encodeCbor } from '../cbor.ts'
import { labelledHash } from '../crypto/hash.ts'
import { type DecodeCode, decodeAs } from '../decode.ts'
import type { Result } from '../result.ts'

/** What an envelope is (`ctx.k`). */
export const envelopeKinds = {
  report: 1,
  feedKey: 2,
  reportUnderFeedKey: 3,
  reshare: 4,
  violation: 5,
  recall: 6,
} as const

/** Who an envelope is for (`ctx.aud[0]`). 2 is the audience of a recalled original. */
export const audienceModes = { wholeTopic: 0, members: 1, ofOriginal: 2 } as const

/** TLP 2.0 labels in the order of `ctx.hc`. */
export const handlingCodes = ['CLEAR', 'GREEN', 'AMBER', 'AMBER+STRICT', 'RED'] as const

/** Precedence words in the order of `ctx.pr`; an absent key means routine. */
export const precedences = ['routine', 'priority', 'immediate', 'flash'] as const

/** Cleartext header of an envelope; docs/protocol.md, section "ctx". */
export interface Ctx {
  readonly v: number
  readonly k: number
  /** 16 random bytes; make every derived key unique. */
  readonly id: Uint8Array
  readonly from: number
  readonly top: number
  readonly hc: number
  readonly sch: Uint8Array
  /** Creation time, ms. */
  readonly t: number
  /** Expiry, ms. */
  readonly x?: number
  readonly seq: number
  readonly prev: Uint8Array
  readonly dir: readonly [size: number, root: Uint8Array]
  readonly aud?: readonly [mode: number, n: number, hash: Uint8Array]
  readonly to?: readonly number[]
  readonly kr?: readonly [feedKey: Uint8Array, index: number]
  readonly ref?: Uint8Array
  readonly pr?: number
  /** Incarnation of the chain; absent means 0. */
  readonly inc?: number
}

/** What the sender commits to about the sealed payload. */
export interface Seal {
  /** Commitment to the message key. */
  readonly kc: Uint8Array
  /** SHA-256 of the payload. */
  readonly ph: Uint8Array
  /** Its length, bytes. */
  readonly pl: number
  /** Merkle root of the slots; absent when k = 3. */
  readonly sr?: Uint8Array
}

const asMap = (value: object): CborMap =>
  Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as CborMap

/** The one encoding of a header. */
export const encodeCtx = (ctx: Ctx): Uint8Array => encodeCbor(asMap(ctx))

/** Strict decoding of a header. */
export const decodeCtx = (bytes: Uint8Array): Result<Ctx, DecodeCode> =>
  decodeAs<Ctx>(bytes, checkCtx)

/** The one encoding of a seal. */
export const encodeSeal = (seal: Seal): Uint8Array => encodeCbor(asMap(seal))

/** Strict decoding of a seal. */
export const decodeSeal = (bytes: Uint8Array): Result<Seal, DecodeCode> =>
  decodeAs<Seal>(bytes, checkSeal)

/** `ctxHash`: enters every key of the envelope. */
export const ctxHashOf = (net: NetworkId, ctx: Uint8Array): Uint8Array =>
  labelledHash('sir/1 ctx', net, ctx)

/** Core hash: the name of an envelope in acks, chains, receipts and references; survives pruning. */
export const coreHashOf = (net: NetworkId, ctx: Uint8Array, seal: Uint8Array): Uint8Array =>
  labelledHash('sir/1 core', net, ctx, seal)
