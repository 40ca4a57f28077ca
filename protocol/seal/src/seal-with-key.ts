import {
  type Ctx,
  concat,
  coreHashOf,
  ctxHashOf,
  type Envelope,
  encodeCtx,
  encodeSeal,
  err,
  limits,
  merkleRoot,
  type NetworkId,
  ok,
  type Result,
  type SigningKey,
  sha256,
  signParts,
  slotLeaves,
} from '@liaison/protocol/internal'
import { wrapContent } from './content.ts'
import { pad } from './padding.ts'
import { commitmentOf, encryptPayload } from './payload.ts'
import { wrapSlot } from './slot.ts'

/** One device of the audience with the public key that `kid` names. */
export interface SealRecipient {
  readonly kid: Uint8Array
  /** 1,216 bytes; checked once with `checkEpochPublicKey` when it was fetched. */
  readonly publicKey: Uint8Array
}

/** What is sealed, by whom and for whom. */
export interface SealInput {
  readonly net: NetworkId
  readonly signer: SigningKey
  /** Complete header; its audience must be that of `recipients`, in the same order. */
  readonly ctx: Ctx
  readonly recipients: readonly SealRecipient[]
  /** UTF-8 JSON that was validated against the schema of `ctx.sch`. */
  readonly body: Uint8Array
  /** Only where the topic permits it, never for RED. */
  readonly compress?: boolean
}

/** A sealed envelope and its name. */
export interface Sealed {
  readonly envelope: Envelope
  readonly core: Uint8Array
}

/**
 * Seals under a given message key. Kept out of the package's surface: a key that is used twice
 * breaks everything. Only `sealEnvelope` and the test vectors call it.
 */
export function sealWithKey(
  messageKey: Uint8Array,
  input: SealInput,
): Result<Sealed, 'content_too_large' | 'payload_too_large'> {
  const { net, ctx, signer } = input
  const content = wrapContent(input.body, input.compress === true)
  if (!content.ok) return content
  const ctxBytes = encodeCtx(ctx)
  const ctxHash = ctxHashOf(net, ctxBytes)
  const payload = encryptPayload(messageKey, ctxHash, pad(content.value))
  if (payload.length > limits.payloadBytesMax) return err('payload_too_large')
  const slots = input.recipients.map(({ kid, publicKey }, index) =>
    wrapSlot(messageKey, { ctxHash, index, kid }, publicKey),
  )
  const seal = encodeSeal({
    kc: commitmentOf(messageKey, ctxHash),
    ph: sha256(payload),
    pl: payload.length,
    sr: merkleRoot(slotLeaves(slots)),
  })
  const sig = signParts(signer, 'envelope', net, ctxBytes, seal)
  return ok({
    envelope: { ctx: ctxBytes, seal, sig, payload, slots: concat(...slots) },
    core: coreHashOf(net, ctxBytes, seal),
  })
}
