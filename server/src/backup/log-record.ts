import { createReadStream } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { decodeLeaf, type Envelope, encodeLeaf, type Leaf, RelayError } from '@liaison/protocol'

/** The log of a network, record by record, in a backup. */
export const recordsFile = 'log.records'

/** One step of a log: its audit leaf, and what was appended with it. Documents leave no leaf. */
export type LogRecord =
  | { readonly kind: 'leaf'; readonly leaf: Leaf }
  | { readonly kind: 'entry'; readonly leaf: Leaf; readonly entry: Uint8Array }
  | { readonly kind: 'envelope'; readonly leaf: Leaf; readonly envelope: Envelope }
  | {
      readonly kind: 'ack'
      readonly leaf: Leaf
      readonly members: readonly number[]
      readonly ack: Uint8Array
      readonly sig: Uint8Array
    }
  | { readonly kind: 'blob'; readonly hash: Uint8Array; readonly bytes: Uint8Array }

/** First bytes of the file: what it is and in which form. */
const magic = new TextEncoder().encode('liaison log 1\n')

/** Records are gathered to this size before they are written, bytes. */
const writeBytes = 1 << 20

/** Longer than any record: an envelope for 256 devices has about 530 KB. */
const recordBytesMax = 4 << 20

/** Number of each kind in the file. */
const kinds = ['leaf', 'entry', 'envelope', 'ack', 'blob'] as const

/** Parts of a record in their order. */
function partsOf(record: LogRecord): readonly Uint8Array[] {
  switch (record.kind) {
    case 'blob':
      return [record.hash, record.bytes]
    case 'leaf':
      return [encodeLeaf(record.leaf)]
    case 'entry':
      return [encodeLeaf(record.leaf), record.entry]
    case 'envelope': {
      const { ctx, seal, sig, payload, slots } = record.envelope
      return [encodeLeaf(record.leaf), ctx, seal, sig, payload, slots]
    }
    case 'ack':
      return [encodeLeaf(record.leaf), encodeMembers(record.members), record.ack, record.sig]
  }
}

function encodeMembers(members: readonly number[]): Uint8Array {
  const bytes = Buffer.alloc(members.length * 4)
  members.forEach((member, at) => {
    bytes.writeUInt32BE(member, at * 4)
  })
  return bytes
}

function decodeMembers(bytes: Uint8Array): number[] {
  const view = Buffer.from(bytes)
  return Array.from({ length: Math.floor(view.length / 4) }, (_, at) => view.readUInt32BE(at * 4))
}

/** Kind, then each part behind its length. */
function encode(record: LogRecord): Buffer {
  const parts: Uint8Array[] = [Buffer.from([kinds.indexOf(record.kind)])]
  for (const part of partsOf(record)) {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(part.length)
    parts.push(length, part)
  }
  return Buffer.concat(parts)
}

function decode(bytes: Buffer): LogRecord | null {
  const parts: Uint8Array[] = []
  for (let at = 1; at < bytes.length; ) {
    if (at + 4 > bytes.length) return null
    const end = at + 4 + bytes.readUInt32BE(at)
    if (end > bytes.length) return null
    parts.push(new Uint8Array(bytes.subarray(at + 4, end)))
    at = end
  }
  return recordOf(kinds[bytes[0] ?? kinds.length], parts)
}

function recordOf(
  kind: LogRecord['kind'] | undefined,
  parts: readonly Uint8Array[],
): LogRecord | null {
  const [first, ...rest] = parts
  if (first === undefined) return null
  if (kind === 'blob') {
    const [bytes] = rest
    return bytes === undefined ? null : { kind, hash: first, bytes }
  }
  const decoded = decodeLeaf(first)
  if (!decoded.ok) return null
  const leaf = decoded.value
  const [a, b, c, d, e] = rest
  switch (kind) {
    case 'leaf':
      return { kind, leaf }
    case 'entry':
      return a === undefined ? null : { kind, leaf, entry: a }
    case 'ack':
      if (a === undefined || b === undefined || c === undefined) return null
      return { kind, leaf, members: decodeMembers(a), ack: b, sig: c }
    case 'envelope':
      if (a === undefined || b === undefined || c === undefined) return null
      if (d === undefined || e === undefined) return null
      return { kind, leaf, envelope: { ctx: a, seal: b, sig: c, payload: d, slots: e } }
    case undefined:
      return null
  }
}

/** Writes records into a new file, each behind its length, down to the disk. */
export async function writeRecords(path: string, records: AsyncIterable<LogRecord>): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    await append(file, records)
    await file.sync()
  } finally {
    await file.close()
  }
}

async function append(file: FileHandle, records: AsyncIterable<LogRecord>): Promise<void> {
  let waiting: Uint8Array[] = [magic]
  let bytes = 0
  for await (const record of records) {
    const encoded = encode(record)
    const length = Buffer.alloc(4)
    length.writeUInt32BE(encoded.length)
    waiting.push(length, encoded)
    bytes += encoded.length
    if (bytes < writeBytes) continue
    await file.writeFile(Buffer.concat(waiting))
    waiting = []
    bytes = 0
  }
  await file.writeFile(Buffer.concat(waiting))
}

/** Reads the records of a file. @throws RelayError `backup_damaged` */
export async function* readRecords(path: string): AsyncGenerator<LogRecord> {
  const damaged = (): RelayError =>
    new RelayError('backup_damaged', { field: path, detail: 'It is no log of a relay.' })
  let kept = Buffer.alloc(0)
  let begun = false
  for await (const part of createReadStream(path, { highWaterMark: writeBytes })) {
    kept = Buffer.concat([kept, part as Buffer])
    let at = 0
    if (!begun) {
      if (kept.length < magic.length) continue
      if (!kept.subarray(0, magic.length).equals(magic)) throw damaged()
      at = magic.length
      begun = true
    }
    while (kept.length - at >= 4) {
      const length = kept.readUInt32BE(at)
      if (length > recordBytesMax) throw damaged()
      if (kept.length - at - 4 < length) break
      const record = decode(kept.subarray(at + 4, at + 4 + length))
      if (record === null) throw damaged()
      yield record
      at += 4 + length
    }
    kept = kept.subarray(at)
  }
  if (!begun || kept.length > 0) throw damaged()
}
