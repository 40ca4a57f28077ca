/** Keys of the embedded log. Fixed widths and big-endian, so that LMDB's order is our order. */

/** (topic or member, cursor or index): runs of one topic lie together, oldest first. */
export function topicKey(topic: number, cursor: number): Buffer {
  const key = Buffer.alloc(12)
  key.writeUInt32BE(topic, 0)
  key.writeBigUInt64BE(BigInt(cursor), 4)
  return key
}

/** Cursor in a key made by {@link topicKey}. */
export const cursorOfKey = (key: Buffer): number => Number(key.readBigUInt64BE(4))

/** (chain, incarnation, seq): one place of a sender's chain. */
export function placeKey(chain: Uint8Array, inc: number, seq: number): Buffer {
  const key = Buffer.alloc(48)
  key.set(chain, 0)
  key.writeBigUInt64BE(BigInt(inc), 32)
  key.writeBigUInt64BE(BigInt(seq), 40)
  return key
}

/** (device, random envelope id). */
export function idKey(device: number, id: Uint8Array): Buffer {
  const key = Buffer.alloc(20)
  key.writeUInt32BE(device, 0)
  key.set(id, 4)
  return key
}

/** A hash as a key. */
export const hashKey = (hash: Uint8Array): Buffer => Buffer.from(hash)
