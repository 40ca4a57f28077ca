import {
  ctxHashOf,
  err,
  type NetworkId,
  ok,
  type Result,
  type Seal,
  slotInRoot,
  slotLeaves,
  slotsMatch,
} from '@liaison/protocol/internal'
import { wrapSlot } from './slot.ts'

/** A slot that a reader wants to check without having received it. */
export interface SlotToCheck {
  readonly idx: number
  readonly kid: Uint8Array
  readonly publicKey: Uint8Array
  /** Inclusion path of the slot under the signed root, 32 bytes each. */
  readonly path: Uint8Array
}

/**
 * Makes slots again from the message key and compares them with the signed root: proves that the
 * sender gave these recipients, above all the FLU, the key that opens the report.
 *
 * @param n Number of devices in the audience.
 */
export function checkSlots(
  o: {
    readonly net: NetworkId
    readonly ctx: Uint8Array
    readonly seal: Seal
    readonly n: number
    readonly messageKey: Uint8Array
  },
  slots: readonly SlotToCheck[],
): Result<true, 'slot_check_failed'> {
  const ctxHash = ctxHashOf(o.net, o.ctx)
  for (const { idx, kid, publicKey, path } of slots) {
    let slot: Uint8Array
    try {
      slot = wrapSlot(o.messageKey, { ctxHash, index: idx, kid }, publicKey)
    } catch {
      return err('slot_check_failed')
    }
    if (!slotInRoot(o.seal, o.n, idx, slot, path).ok) return err('slot_check_failed')
  }
  return ok(true)
}

/**
 * Makes every slot of an envelope again and compares their root with the signed one. Needs no path,
 * so nothing that a relay says can make an honest sender look guilty.
 *
 * @param recipients The whole audience, in its order.
 */
export function checkAllSlots(
  o: {
    readonly net: NetworkId
    readonly ctx: Uint8Array
    readonly seal: Seal
    readonly messageKey: Uint8Array
  },
  recipients: readonly { readonly kid: Uint8Array; readonly publicKey: Uint8Array }[],
): Result<true, 'slot_check_failed'> {
  const ctxHash = ctxHashOf(o.net, o.ctx)
  try {
    const slots = recipients.map(({ kid, publicKey }, index) =>
      wrapSlot(o.messageKey, { ctxHash, index, kid }, publicKey),
    )
    return slotsMatch(o.seal, slotLeaves(slots)) ? ok(true) : err('slot_check_failed')
  } catch {
    return err('slot_check_failed')
  }
}
