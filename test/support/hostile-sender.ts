/** What a member can do that signs whatever it likes, and what a relay can make of an envelope. */
import {
  coreHashOf,
  type DeliverItem,
  decodeCtx,
  decodeSeal,
  type Envelope,
  encodeSeal,
  epochMs,
  inclusionPath,
  joinHashes,
  merkleRoot,
  slotLeaves,
  slotsOf,
} from '@liaison/protocol'
import { concat, signParts } from '@liaison/protocol/internal'
import type { TestDevice, TestNetwork } from './network.ts'

/** Place of a device in the audience of an envelope. */
export function placeOf(network: TestNetwork, envelope: Envelope, device: TestDevice): number {
  const ctx = decodeCtx(envelope.ctx)
  if (!ctx.ok) throw new Error(ctx.error)
  const { top, hc, t, aud, to } = ctx.value
  const mode = aud?.[0] === 1 ? 1 : 0
  const query = {
    topic: top,
    hc,
    t: epochMs(t),
    mode,
    ...(to === undefined ? {} : { to }),
  } as const
  const audience = network.directory.audience(query, ctx.value.dir[0])
  if (!audience.ok) throw new Error(audience.error)
  return audience.value.recipients.findIndex((one) => one.dev === device.num)
}

/** An envelope with another slot in one place, signed by its sender: no relay can find that out. */
export function withSlot(
  network: TestNetwork,
  sender: TestDevice,
  envelope: Envelope,
  idx: number,
  slot: Uint8Array,
): { readonly envelope: Envelope; readonly core: Uint8Array } {
  const slots = slotsOf(envelope.slots) ?? []
  slots[idx] = slot
  const signed = decodeSeal(envelope.seal)
  if (!signed.ok) throw new Error(signed.error)
  const { net } = network.directory
  const seal = encodeSeal({ ...signed.value, sr: merkleRoot(slotLeaves(slots)) })
  const sig = signParts(sender.key, 'envelope', net, envelope.ctx, seal)
  return {
    envelope: { ...envelope, seal, sig, slots: concat(...slots) },
    core: coreHashOf(net, envelope.ctx, seal),
  }
}

/** The item that a relay would deliver of an envelope that it has not, or should not have. */
export function itemOf(
  network: TestNetwork,
  envelope: Envelope,
  device: TestDevice,
  cursor: number,
): DeliverItem {
  const slots = slotsOf(envelope.slots) ?? []
  const idx = placeOf(network, envelope, device)
  const { ctx, seal, sig, payload } = envelope
  const path = joinHashes(inclusionPath(slotLeaves(slots), idx))
  return {
    form: 'full',
    cursor,
    ctx,
    seal,
    sig,
    payload,
    idx,
    slot: slots[idx] ?? new Uint8Array(),
    path,
    flu: [],
  }
}
