import {
  ctxHashOf,
  equal,
  err,
  type NetworkId,
  ok,
  type Result,
  type Seal,
} from '@liaison/protocol/internal'
import { type ContentCode, unwrapContent } from './content.ts'
import { unpad } from './padding.ts'
import { commitmentOf, decryptPayload } from './payload.ts'
import { unwrapSlot } from './slot.ts'

/** One recipient's part of an envelope whose signature, payload hash and slot path were verified. */
export interface OpenInput {
  readonly net: NetworkId
  /** Header as received. */
  readonly ctx: Uint8Array
  readonly seal: Seal
  readonly payload: Uint8Array
  /** Place of this device in the audience. */
  readonly idx: number
  readonly slot: Uint8Array
  /** Epoch key that the audience names for this device. */
  readonly kid: Uint8Array
  /** Its secret half, 32 bytes. */
  readonly secretKey: Uint8Array
}

/** An opened envelope. */
export interface Opened {
  /** UTF-8 JSON; still to be validated against the schema. */
  readonly body: Uint8Array
  /** Message key: opens this one envelope for whoever gets it. Wipe it when done. */
  readonly messageKey: Uint8Array
}

/** Why an envelope does not open. */
export type OpenCode =
  | 'slot_unopenable'
  | 'commitment_mismatch'
  | 'payload_unopenable'
  | 'padding_malformed'
  | ContentCode

/** Opens an envelope with this device's slot: unwrap, check the commitment, decrypt, unpad, inflate. */
export function openEnvelope(input: OpenInput): Result<Opened, OpenCode> {
  const ctxHash = ctxHashOf(input.net, input.ctx)
  const place = { ctxHash, index: input.idx, kid: input.kid }
  const messageKey = unwrapSlot(input.slot, place, input.secretKey)
  if (!messageKey.ok) return messageKey
  return openWithKey(input.net, input.ctx, input.seal, input.payload, messageKey.value)
}

/** Opens an envelope with its message key: what the FLU does with a notice of a violation. */
export function openWithKey(
  net: NetworkId,
  ctx: Uint8Array,
  seal: Seal,
  payload: Uint8Array,
  messageKey: Uint8Array,
): Result<Opened, OpenCode> {
  const ctxHash = ctxHashOf(net, ctx)
  if (!equal(commitmentOf(messageKey, ctxHash), seal.kc)) return err('commitment_mismatch')
  const padded = decryptPayload(messageKey, ctxHash, payload)
  if (!padded.ok) return padded
  const content = unpad(padded.value)
  if (content === null) return err('padding_malformed')
  const body = unwrapContent(content)
  return body.ok ? ok({ body: body.value, messageKey }) : body
}
