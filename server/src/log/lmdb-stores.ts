import { join } from 'node:path'
import { type Database, open, type RootDatabase } from 'lmdb'
import type { AcceptedPlace, ChainHead } from './relay-log.ts'

/** Address space reserved for the map, bytes; the file grows only as needed. */
const mapBytesMax = 256 * 1024 ** 3

/** The tables of the embedded log. */
export interface LmdbStores {
  readonly root: RootDatabase
  readonly meta: Database<unknown, string>
  readonly directory: Database<Buffer, number>
  readonly leaves: Database<Buffer, number>
  /** (topic, cursor) -> envelope without slots. */
  readonly topics: Database<Buffer, Buffer>
  /** (topic, cursor) -> all slots; apart, because a delivery needs one of them. */
  readonly slots: Database<Buffer, Buffer>
  /** (chain, inc, seq) -> accepted place; never trimmed. */
  readonly places: Database<AcceptedPlace, Buffer>
  readonly heads: Database<ChainHead, Buffer>
  /** (device, id) -> core hash. */
  readonly ids: Database<Buffer, Buffer>
  /** Core hash -> (topic, cursor). */
  readonly cores: Database<readonly [number, number], Buffer>
  /** (member, index) -> acknowledgement. */
  readonly acks: Database<{ readonly ack: Uint8Array; readonly sig: Uint8Array }, Buffer>
  /** Hash of an acknowledgement -> index of its leaf. */
  readonly acksSeen: Database<number, Buffer>
  readonly blobs: Database<Buffer, Buffer>
}

/** The one file of the store in a data folder. */
export const storeFile = (folder: string): string => join(folder, 'relay.mdb')

/** Opens all tables in one file of the folder. */
export function openStores(folder: string): LmdbStores {
  const options = {
    path: storeFile(folder),
    // Without it LMDB trusts the page cache after a restored snapshot and loses flushed data.
    // The package's own types do not list it.
    safeRestore: true,
    mapSize: mapBytesMax,
    maxDbs: 16,
    noSubdir: true,
  }
  const root = open(options)
  const binaryKey = { keyEncoding: 'binary' } as const
  const bytes = { encoding: 'binary' } as const
  return {
    root,
    meta: root.openDB({ name: 'meta' }),
    directory: root.openDB({ name: 'directory', keyEncoding: 'uint32', ...bytes }),
    leaves: root.openDB({ name: 'leaves', keyEncoding: 'uint32', ...bytes }),
    topics: root.openDB({ name: 'topics', ...binaryKey, ...bytes }),
    slots: root.openDB({ name: 'slots', ...binaryKey, ...bytes }),
    places: root.openDB({ name: 'places', ...binaryKey }),
    heads: root.openDB({ name: 'heads', ...binaryKey }),
    ids: root.openDB({ name: 'ids', ...binaryKey, ...bytes }),
    cores: root.openDB({ name: 'cores', ...binaryKey }),
    acks: root.openDB({ name: 'acks', ...binaryKey }),
    acksSeen: root.openDB({ name: 'acks-seen', ...binaryKey }),
    blobs: root.openDB({ name: 'blobs', ...binaryKey, ...bytes }),
  }
}

/** A copy as a plain byte array: LMDB's own buffers may be reused by the next read. */
export const plain = (bytes: Uint8Array): Uint8Array => new Uint8Array(bytes)
