import { type DeliverItem, limits, type WrittenItem } from '@liaison/protocol'
import type { Prepared, PreparedEnvelopes } from './prepared-envelopes.ts'

/** What one device gets of an envelope. */
export interface ReaderPart {
  readonly idx: number
  readonly slot: Uint8Array
  readonly path: Uint8Array
  /** Place and path of each slot of the unit, when the reader wants to check them. */
  readonly flu: readonly (readonly [number, Uint8Array])[]
}

/** Whether the envelope was sealed for the device. */
export const isFor = ({ audience }: Prepared, device: number): boolean =>
  audience.places.has(device)

/** The part of one device at its place in the audience. */
export function readerPart(
  envelopes: PreparedEnvelopes,
  prepared: Prepared,
  slots: Uint8Array,
  idx: number,
  fluPaths: boolean,
): ReaderPart {
  const paths = envelopes.paths(prepared)
  const pathOf = (at: number): Uint8Array => paths[at] ?? new Uint8Array()
  const slot = slots.subarray(idx * limits.slotBytes, (idx + 1) * limits.slotBytes)
  const flu = fluPaths
    ? Array.from({ length: prepared.audience.fluCount }, (_, at) => [at, pathOf(at)] as const)
    : []
  return { idx, slot, path: pathOf(idx), flu }
}

/** The item of a device, ready to be written. */
export const writtenItem = ({ common }: Prepared, part: ReaderPart): WrittenItem => ({
  form: 'full',
  common,
  ...part,
})

/** The same as a value, for frames of which there are few. */
export function itemOf({ stored }: Prepared, part: ReaderPart): DeliverItem {
  const { cursor, ctx, seal, sig, payload } = stored
  return { form: 'full', cursor, ctx, seal, sig, payload, ...part }
}

/** What the item takes of a subscription's credit, bytes; as the client counts it. */
export function creditOf({ stored }: Prepared, { slot, path, flu }: ReaderPart): number {
  const { ctx, seal, payload } = stored
  const paths = flu.reduce((sum, [, p]) => sum + p.length + 4, path.length)
  return ctx.length + seal.length + payload.length + slot.length + paths + 96
}
