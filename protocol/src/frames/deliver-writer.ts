import { headLength, major, writeHead } from '../cbor-head.ts'
import { deliverForms } from './deliver-item.ts'
import { frameTypes } from './types.ts'

/** What all readers of an envelope get alike. */
export interface CommonPart {
  readonly cursor: number
  readonly ctx: Uint8Array
  readonly seal: Uint8Array
  readonly sig: Uint8Array
  readonly payload: Uint8Array
}

/** One item of a frame that is to be written. */
export type WrittenItem =
  | {
      readonly form: 'full'
      /** From {@link encodeCommon}. */
      readonly common: Uint8Array
      readonly idx: number
      readonly slot: Uint8Array
      readonly path: Uint8Array
      readonly flu: readonly (readonly [number, Uint8Array])[]
    }
  | { readonly form: 'skip'; readonly cursor: number; readonly to: number }

/** Fields of a full item. */
const fullFields = 10

/** The beginning of a full deliver item, which is the same for all readers; encoded once for all. */
export function encodeCommon({ cursor, ctx, seal, sig, payload }: CommonPart): Uint8Array {
  const parts = [ctx, seal, sig, payload]
  const length = parts.reduce((sum, part) => sum + bytesLength(part), 2 + headLength(cursor))
  const out = new Writer(length)
  out.head(major.array, fullFields)
  out.head(major.uint, cursor)
  out.head(major.uint, deliverForms.full)
  for (const part of parts) out.bytes(part)
  return out.done()
}

/** Encodes a deliver frame: byte for byte what the general encoder makes of the same items. */
export function encodeDeliverFrame(sub: number, items: readonly WrittenItem[]): Uint8Array {
  const length = items.reduce(
    (sum, item) => sum + itemLength(item),
    2 + headLength(sub) + headLength(items.length),
  )
  const out = new Writer(length)
  out.head(major.array, 3)
  out.head(major.uint, frameTypes.deliver)
  out.head(major.uint, sub)
  out.head(major.array, items.length)
  for (const item of items) writeItem(out, item)
  return out.done()
}

function itemLength(item: WrittenItem): number {
  if (item.form === 'skip') return 2 + headLength(item.cursor) + headLength(item.to)
  const flu = item.flu.reduce(
    (sum, [idx, path]) => sum + 1 + headLength(idx) + bytesLength(path),
    headLength(item.flu.length),
  )
  return (
    item.common.length +
    headLength(item.idx) +
    bytesLength(item.slot) +
    bytesLength(item.path) +
    flu
  )
}

function writeItem(out: Writer, item: WrittenItem): void {
  if (item.form === 'skip') {
    out.head(major.array, 3)
    out.head(major.uint, item.cursor)
    out.head(major.uint, deliverForms.skip)
    out.head(major.uint, item.to)
    return
  }
  out.raw(item.common)
  out.head(major.uint, item.idx)
  out.bytes(item.slot)
  out.bytes(item.path)
  out.head(major.array, item.flu.length)
  for (const [idx, path] of item.flu) {
    out.head(major.array, 2)
    out.head(major.uint, idx)
    out.bytes(path)
  }
}

const bytesLength = (bytes: Uint8Array): number => headLength(bytes.length) + bytes.length

/** Writes into one buffer of the right length. */
class Writer {
  readonly #out: Uint8Array
  #at = 0

  constructor(length: number) {
    this.#out = new Uint8Array(length)
  }

  head(type: number, argument: number): void {
    this.#at = writeHead(this.#out, this.#at, type, argument)
  }

  raw(bytes: Uint8Array): void {
    this.#out.set(bytes, this.#at)
    this.#at += bytes.length
  }

  bytes(bytes: Uint8Array): void {
    this.head(major.bytes, bytes.length)
    this.raw(bytes)
  }

  done(): Uint8Array {
    if (this.#at !== this.#out.length) throw new Error('a frame has another length than its parts')
    return this.#out
  }
}
