import { createHash } from 'node:crypto'
import { RelayError, sha256 } from '@liaison/protocol'
import { joinParts, splitParts } from '../envelope-record.ts'
import type { AcceptedPlace, ChainHead, StoredAck } from '../relay-log.ts'

/** Characters of a checksum, as the functions write it. */
const sumLength = 16

/** The checksum that the functions put on what they store, over key, position and content. */
export function checksum(
  key: string,
  place: string | Uint8Array,
  ...content: Uint8Array[]
): string {
  const hash = createHash('sha1').update(key).update(':').update(place)
  for (const part of content) hash.update(':').update(part)
  return hash.digest('hex').slice(0, sumLength)
}

/**
 * A record that does not match its checksum. It is named and never served; nothing is repaired.
 *
 * @throws RelayError `log_corrupt`
 */
export function corrupt(key: string, place: string): never {
  throw new RelayError('log_corrupt', { detail: `${key} at ${place}` })
}

/** Bytes of an acknowledgement in the stream of a member. */
export const encodeAck = (ack: Uint8Array, sig: Uint8Array): Buffer => joinParts([ack, sig])

/** The acknowledgement in these bytes, which were checked already. */
export function decodeAckRecord(index: number, bytes: Buffer): StoredAck {
  const [ack, sig] = splitParts(Buffer.from(bytes)) as [Uint8Array, Uint8Array]
  return { index, ack, sig }
}

/** One entry of a stream as the server answers it: id, then field names and values in turn. */
export type StreamEntry = readonly [Buffer, readonly Buffer[]]

/** Position in the id of a stream entry. */
export const positionOf = ([id]: StreamEntry): number => Number(id.toString('latin1').split('-')[0])

/**
 * Content of an entry that stands where it should and is what was written there.
 *
 * @param digested Whether the checksum covers the digest of the content, as for all long records.
 */
export function checkedContent(key: string, entry: StreamEntry, expected: number): Buffer {
  const fields = fieldsOf(entry[1])
  const id = `${expected}-0`
  const content = fields.get('b')
  const sum = fields.get('c')?.toString('latin1')
  if (content === undefined || entry[0].toString('latin1') !== id) return corrupt(key, id)
  if (sum !== checksum(key, id, sha256(content))) return corrupt(key, id)
  return content
}

/** A leaf and what grew with it. */
export function checkedLeaf(
  key: string,
  entry: StreamEntry,
  expected: number,
): { readonly leaf: Buffer; readonly grew: string } {
  const fields = fieldsOf(entry[1])
  const id = `${expected}-0`
  const [leaf, grew, sum] = [fields.get('b'), fields.get('g'), fields.get('c')]
  if (leaf === undefined || grew === undefined || entry[0].toString('latin1') !== id) {
    return corrupt(key, id)
  }
  if (sum?.toString('latin1') !== checksum(key, id, grew, leaf)) return corrupt(key, id)
  return { leaf, grew: grew.toString('latin1') }
}

function fieldsOf(flat: readonly Buffer[]): Map<string, Buffer> {
  const fields = new Map<string, Buffer>()
  for (let at = 0; at + 1 < flat.length; at += 2) {
    fields.set((flat[at] as Buffer).toString('latin1'), flat[at + 1] as Buffer)
  }
  return fields
}

/** Takes the checksum off a value of a hash. */
export function checkedValue(key: string, place: Uint8Array | string, stored: Buffer): Buffer {
  const body = stored.subarray(0, -sumLength)
  const sum = stored.subarray(-sumLength).toString('latin1')
  if (checksum(key, place, body) !== sum) {
    return corrupt(key, Buffer.from(place as Uint8Array).toString('hex'))
  }
  return body
}

/** The same for a public document, whose checksum covers its digest. */
export function checkedBlob(key: string, hash: Uint8Array, stored: Buffer): Uint8Array {
  const body = stored.subarray(0, -sumLength)
  const sum = stored.subarray(-sumLength).toString('latin1')
  if (checksum(key, hash, sha256(body)) !== sum) {
    return corrupt(key, Buffer.from(hash).toString('hex'))
  }
  return new Uint8Array(body)
}

/** A place without the hash of its leaf, which follows from the rest. */
export type BarePlace = Omit<AcceptedPlace, 'leaf'> & {
  readonly from: number
  readonly leafIndex: number
}

/** Reads what the functions store of a place. */
export function decodePlace(body: Buffer): BarePlace {
  return {
    core: new Uint8Array(body.subarray(0, 32)),
    from: body.readUInt32BE(32),
    topic: body.readUInt32BE(36),
    cursor: Number(body.readBigUInt64BE(40)),
    leafIndex: Number(body.readBigUInt64BE(48)),
    t: Number(body.readBigUInt64BE(56)),
  }
}

/** Reads the head of a chain. */
export function decodeHead(body: Buffer): ChainHead {
  return {
    inc: Number(body.readBigUInt64BE(0)),
    seq: Number(body.readBigUInt64BE(8)),
    core: new Uint8Array(body.subarray(16, 48)),
  }
}

/** Reads where the envelope of a core hash stands. */
export const decodeWhere = (body: Buffer): { readonly topic: number; readonly cursor: number } => ({
  topic: body.readUInt32BE(0),
  cursor: Number(body.readBigUInt64BE(4)),
})
