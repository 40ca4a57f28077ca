import type { StoredEnvelope } from './relay-log.ts'

/** What is stored of an envelope under its topic and cursor. */
export type EnvelopeRecord = Omit<StoredEnvelope, 'topic' | 'cursor'>

/** Joins parts so that they can be told apart again. */
export function joinParts(parts: readonly Uint8Array[]): Buffer {
  const out = Buffer.allocUnsafe(parts.reduce((sum, part) => sum + 4 + part.length, 0))
  let at = 0
  for (const part of parts) {
    out.writeUInt32BE(part.length, at)
    out.set(part, at + 4)
    at += 4 + part.length
  }
  return out
}

/** The parts again, as views into the bytes, which must belong to the caller. */
export function splitParts(bytes: Buffer): Uint8Array[] {
  const parts: Uint8Array[] = []
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at)
    parts.push(new Uint8Array(bytes.buffer, bytes.byteOffset + at + 4, length))
    at += 4 + length
  }
  return parts
}

/** Bytes of an envelope in its topic. */
export function encodeEnvelope(record: EnvelopeRecord): Buffer {
  const { core, ctx, seal, sig, payload, slotLeaves } = record
  const t = Buffer.alloc(8)
  t.writeBigUInt64BE(BigInt(record.t))
  return joinParts([core, ctx, seal, sig, payload, slotLeaves, t])
}

/** The record in these bytes. */
export function decodeEnvelope(bytes: Buffer): EnvelopeRecord {
  const [core, ctx, seal, sig, payload, slotLeaves, t] = splitParts(bytes) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ]
  const view = new DataView(t.buffer, t.byteOffset, 8)
  return { core, ctx, seal, sig, payload, slotLeaves, t: Number(view.getBigUint64(0)) }
}
