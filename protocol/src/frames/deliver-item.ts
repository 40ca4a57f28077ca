import type { CborValue } from '../cbor.ts'
import type { DeliverItem } from './types.ts'

/** A deliver item as it travels; the second element says which form it has. */
export type DeliverTuple = readonly [number, ...unknown[]]

/** Forms of a deliver item on the wire. */
export const deliverForms = { full: 0, stub: 1, skip: 2 } as const

/** Turns an item into what travels. */
export function deliverTuple(item: DeliverItem): CborValue {
  switch (item.form) {
    case 'full':
      return [
        item.cursor,
        deliverForms.full,
        item.ctx,
        item.seal,
        item.sig,
        item.payload,
        item.idx,
        item.slot,
        item.path,
        item.flu,
      ]
    case 'stub':
      return [item.cursor, deliverForms.stub, item.ctx, item.seal, item.sig, item.reason]
    case 'skip':
      return [item.cursor, deliverForms.skip, item.to]
  }
}

/** Reads an item that the schema of its frame has already checked. */
export function deliverItemOf(tuple: DeliverTuple): DeliverItem {
  const cursor = tuple[0]
  const bytes = (at: number): Uint8Array => tuple[at] as Uint8Array
  switch (tuple[1]) {
    case deliverForms.full:
      return {
        form: 'full',
        cursor,
        ctx: bytes(2),
        seal: bytes(3),
        sig: bytes(4),
        payload: bytes(5),
        idx: tuple[6] as number,
        slot: bytes(7),
        path: bytes(8),
        flu: tuple[9] as readonly (readonly [number, Uint8Array])[],
      }
    case deliverForms.stub:
      return {
        form: 'stub',
        cursor,
        ctx: bytes(2),
        seal: bytes(3),
        sig: bytes(4),
        reason: tuple[5] as number,
      }
    default:
      return { form: 'skip', cursor, to: tuple[2] as number }
  }
}

/**
 * What an item takes of a subscription's credit, bytes. Relay and client count alike, from what the
 * item holds; a skip costs nothing.
 */
export function creditBytes(item: DeliverItem): number {
  switch (item.form) {
    case 'full': {
      const paths = item.flu.reduce((sum, [, path]) => sum + path.length + 4, item.path.length)
      return (
        item.ctx.length + item.seal.length + item.payload.length + item.slot.length + paths + 96
      )
    }
    case 'stub':
      return item.ctx.length + item.seal.length + 96
    case 'skip':
      return 0
  }
}
