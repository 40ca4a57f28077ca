import { mkdir, open as openFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { RelayError, toHex } from '@liaison/protocol'
import { open, type RootDatabase } from 'lmdb'
import type { StoreFacts } from './manifest.ts'

/** The one file of an embedded store, in its folder and in a backup. */
export const lmdbFile = 'relay.mdb'

/** As the writer reserves it: a reader must be able to see the file grow. */
const mapBytesMax = 256 * 1024 ** 3

/**
 * Copies an embedded store as it stands at one moment; the relay may be running. Everything that was
 * confirmed before the call is in the copy.
 *
 * @param folder Data folder of the relay.
 * @param into Folder that gets the copy.
 * @throws RelayError `file_unavailable` when there is no store or it cannot be copied.
 */
export async function copyLmdb(folder: string, into: string): Promise<StoreFacts> {
  const from = join(folder, lmdbFile)
  await stat(from).catch((cause: unknown) => {
    throw new RelayError('file_unavailable', {
      field: from,
      detail: 'There is no store of a relay.',
      cause,
    })
  })
  const to = join(into, lmdbFile)
  await mkdir(into, { recursive: true, mode: 0o700 })
  const root = openReadOnly(from)
  try {
    // Rewritten page by page: a copy of the file as it is would hold an older snapshot too, with pages
    // that are overwritten while they are copied, and a relay that starts after a crash takes the older.
    await root.backup(to, true)
  } catch (cause) {
    throw new RelayError('file_unavailable', { field: to, detail: 'The copy failed.', cause })
  } finally {
    await root.close()
  }
  const file = await openFile(to, 'r+')
  try {
    await file.chmod(0o600)
    await file.sync()
  } finally {
    await file.close()
  }
  return readLmdbFacts(to)
}

/** What a closed copy holds. @throws RelayError `backup_damaged` when it is no store of a relay. */
export async function readLmdbFacts(path: string): Promise<StoreFacts> {
  try {
    const root = openReadOnly(path)
    try {
      const net = root.openDB<unknown, string>({ name: 'meta' }).get('net')
      if (!(net instanceof Uint8Array)) throw new Error('no name of a network')
      const count = (name: string): number => {
        const table = root.openDB({ name, keyEncoding: 'uint32', encoding: 'binary' })
        return (table.getStats() as { readonly entryCount: number }).entryCount
      }
      return { net: toHex(net), directory: count('directory'), leaves: count('leaves') }
    } finally {
      await root.close()
    }
  } catch (cause) {
    throw new RelayError('backup_damaged', { field: path, detail: 'It is no store.', cause })
  }
}

/** Names of all public documents in a closed copy. */
export async function readLmdbBlobHashes(path: string): Promise<Uint8Array[]> {
  const root = openReadOnly(path)
  try {
    const blobs = root.openDB<Buffer, Buffer>({ name: 'blobs', keyEncoding: 'binary' })
    return [...blobs.getKeys()].map((key) => new Uint8Array(key))
  } finally {
    await root.close()
  }
}

const openReadOnly = (path: string): RootDatabase =>
  open({ path, readOnly: true, noSubdir: true, mapSize: mapBytesMax, maxDbs: 16 })
