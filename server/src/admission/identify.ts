import {
  type Ctx,
  chainIdOf,
  decodeCore,
  type Envelope,
  type ErrorCode,
  err,
  type NetworkId,
  ok,
  type Result,
  type Seal,
  sha256,
} from '@liaison/protocol'

/** An envelope that was decoded and comes from the device that is connected. */
export interface Identified {
  readonly envelope: Envelope
  readonly ctx: Ctx
  readonly seal: Seal
  /** Names the envelope from here on. */
  readonly core: Uint8Array
  readonly chain: Uint8Array
  readonly inc: number
}

/** Hash that names bytes which could not be decoded, in receipts and leaves. */
export const refusedBytesHash = (e: Envelope): Uint8Array =>
  sha256(e.ctx, e.seal, e.sig, e.payload, e.slots)

/** First checks, cheap and without state: encoding, schema, and that the sender is the connected device. */
export function identify(
  net: NetworkId,
  device: number,
  envelope: Envelope,
): Result<Identified, ErrorCode> {
  const decoded = decodeCore(net, envelope.ctx, envelope.seal)
  if (!decoded.ok) return decoded
  const { ctx, seal, core } = decoded.value
  if (ctx.from !== device) return err('sender_mismatch')
  return ok({ envelope, ctx, seal, core, chain: chainIdOf(net, ctx), inc: ctx.inc ?? 0 })
}
