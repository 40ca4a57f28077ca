/** Envelopes without a network: one sender, recipients from seeds, everything open to alteration. */
import {
  audienceHash,
  type Ctx,
  decodeSeal,
  type Envelope,
  encodeCtx,
  encodeSeal,
  inclusionPath,
  joinHashes,
  type NetworkId,
  type Seal,
  type SigningKey,
  sha256,
  slotLeaves,
  slotsOf,
  utf8,
} from '@liaison/protocol'
import { signParts } from '@liaison/protocol/internal'
import { type EpochKeyPair, epochKeyFromSeed, openEnvelope } from '@liaison/seal'
import { type SealInput, sealWithKey } from '../../protocol/seal/src/seal-with-key.ts'
import { seededBytes, seededKey } from './network.ts'

/** Network of these envelopes. */
export const net = sha256(utf8('sealing tests')) as NetworkId

/** The key that opens them, unless a test uses another. */
export const messageKey: Uint8Array = seededBytes('message key', 32)

/** The sender. */
export const sender = (): SigningKey => seededKey('sender')

/** `n` recipients; the first stands for the unit. */
export const recipientKeys = (n: number): EpochKeyPair[] =>
  Array.from({ length: n }, (_, i) => epochKeyFromSeed(seededBytes(`recipient ${i}`, 32)))

/** A header for recipients, which have the device numbers 100, 101, … */
export function headerFor(recipients: readonly EpochKeyPair[], changes: Partial<Ctx> = {}): Ctx {
  const audience = recipients.map(({ kid }, i) => ({ dev: 100 + i, kid }))
  return {
    v: 1,
    k: 1,
    id: seededBytes('id', 16),
    from: 7,
    top: 3,
    hc: 2,
    sch: seededBytes('schema', 32),
    t: Date.UTC(2026, 10, 2),
    seq: 0,
    prev: new Uint8Array(32),
    dir: [42, seededBytes('directory', 32)],
    aud: [0, recipients.length, audienceHash(audience)],
    ...changes,
  }
}

/** Seals under {@link messageKey}. */
export function seal(
  recipients: readonly EpochKeyPair[],
  changes: Partial<SealInput> = {},
  key: Uint8Array = messageKey,
): Envelope {
  const ctx = headerFor(recipients)
  const body = utf8('{"text":"report"}')
  const sealed = sealWithKey(key.slice(), {
    net,
    signer: sender(),
    ctx,
    recipients,
    body,
    ...changes,
  })
  if (!sealed.ok) throw new Error(sealed.error)
  return sealed.value.envelope
}

/** The seal of an envelope. */
export function sealOf(envelope: Pick<Envelope, 'seal'>): Seal {
  const decoded = decodeSeal(envelope.seal)
  if (!decoded.ok) throw new Error(decoded.error)
  return decoded.value
}

/** The slots of an envelope, each by itself. */
export const slots = (envelope: Envelope): Uint8Array[] =>
  (slotsOf(envelope.slots) ?? []).map((slot) => slot.slice())

/** Path of one slot, as it travels. */
export const pathOf = (all: readonly Uint8Array[], idx: number): Uint8Array =>
  joinHashes(inclusionPath(slotLeaves(all), idx))

/** Opens one slot of an envelope, without verifying anything that stands outside the sealing. */
export const open = (
  envelope: Envelope,
  keys: readonly EpochKeyPair[],
  idx: number,
  slot = idx,
) => {
  const key = keys[idx] as EpochKeyPair
  return openEnvelope({
    net,
    ctx: envelope.ctx,
    seal: sealOf(envelope),
    payload: envelope.payload,
    idx,
    slot: slots(envelope)[slot] as Uint8Array,
    kid: key.kid,
    secretKey: key.secretKey,
  })
}

/** Signs altered parts again, as a sender who means it would. */
export function resigned(
  envelope: Envelope,
  changes: { readonly ctx?: Ctx; readonly seal?: Partial<Seal>; readonly payload?: Uint8Array },
  signer: SigningKey = sender(),
): Envelope {
  const ctx = changes.ctx === undefined ? envelope.ctx : encodeCtx(changes.ctx)
  const payload = changes.payload ?? envelope.payload
  const seal = encodeSeal({
    ...sealOf(envelope),
    ph: sha256(payload),
    pl: payload.length,
    ...changes.seal,
  })
  return { ...envelope, ctx, seal, payload, sig: signParts(signer, 'envelope', net, ctx, seal) }
}
