import { frameTypes } from '@liaison/protocol/internal'

/** Value of a CBOR head and where it ends; enough for the first heads of a frame. */
function head(bytes: Uint8Array, at: number): readonly [value: number, next: number] {
  const low = (bytes[at] ?? 0) & 0x1f
  if (low < 24) return [low, at + 1]
  const size = 2 ** (low - 24)
  let value = 0
  for (let i = 1; i <= size; i++) value = value * 256 + (bytes[at + i] ?? 0)
  return [value, at + 1 + size]
}

/** Number of items in a deliver frame, read from its first heads; null for every other frame. */
export function itemsIn(frame: Uint8Array): number | null {
  const [, afterArray] = head(frame, 0)
  const [type, afterType] = head(frame, afterArray)
  if (type !== frameTypes.deliver) return null
  const [, afterSub] = head(frame, afterType)
  return head(frame, afterSub)[0]
}
