import type { NetworkId } from '../brand.ts'
import { encodeCbor } from '../cbor.ts'
import { labelledHash, sha256 } from '../crypto/hash.ts'
import { audienceModes, type Ctx, envelopeKinds } from './ctx.ts'

/** Reports share one chain whether sealed alone or under a feed key; every other kind has its own. */
export const kindClass = (k: number): number =>
  k === envelopeKinds.reportUnderFeedKey ? envelopeKinds.report : k

/** What decides to which chain an envelope belongs. */
export type ChainKey = Pick<Ctx, 'from' | 'top' | 'k' | 'hc' | 'aud' | 'to'>

/**
 * Name of the chain an envelope belongs to: (from, topic, kind class, handling code, mode,
 * SHA-256(CBOR(to))). Everyone in an audience sees its whole chain, so a gap means something is missing.
 */
export function chainIdOf(net: NetworkId, ctx: ChainKey): Uint8Array {
  const mode = ctx.aud?.[0] ?? audienceModes.wholeTopic
  const to = sha256(encodeCbor(ctx.to ?? []))
  const key = [ctx.from, ctx.top, kindClass(ctx.k), ctx.hc, mode, to]
  return labelledHash('sir/1 chain-id', net, encodeCbor(key))
}

/** Where an envelope stands in its chain. */
export interface ChainPosition {
  readonly inc: number
  readonly seq: number
  /** Core hash of the envelope at this place. */
  readonly core: Uint8Array
}
