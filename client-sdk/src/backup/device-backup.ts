import { RelayError } from '@liaison/protocol'
import { type CborValue, decodeCbor, encodeCbor } from '@liaison/protocol/internal'
import { type Change, type ClientStore, type Table, tables } from '../store/client-store.ts'

/** Kind of the sealed file. */
export const deviceBackupKind = 'device-backup'

/** Rows go into one chunk until it has so many bytes. */
const chunkBytes = 256 * 1024
const rowsAtOnce = 256

/** Tables that can be had again from the relay or are made again. */
const leftOut: ReadonlySet<Table> = new Set(['keys'])

/** What a backup of a device holds. */
export interface DeviceBackup {
  /** Text of the key file, as protected as it was. */
  readonly keyFile: string
  /** Text of the network file; null for a key that has no network yet. */
  readonly networkFile: string | null
}

/** One part of a backup that is being read. */
export type BackupPart =
  | { readonly kind: 'files'; readonly files: DeviceBackup }
  | { readonly kind: 'rows'; readonly changes: readonly Change[] }

/**
 * The chunks of a backup: key file, network file, and every row of the device's own store that cannot
 * be had again, as encrypted as it is there.
 *
 * @param store The store itself, not its vault; null when there is none yet.
 */
export async function* backupChunks(
  files: DeviceBackup,
  store: ClientStore | null,
): AsyncGenerator<Uint8Array> {
  yield encodeCbor(['files', files.keyFile, files.networkFile ?? ''])
  if (store === null) return
  for (const table of tables) {
    if (!leftOut.has(table)) yield* tableChunks(store, table)
  }
}

async function* tableChunks(store: ClientStore, table: Table): AsyncGenerator<Uint8Array> {
  let after: string | undefined
  for (;;) {
    const query = after === undefined ? {} : { after }
    const rows = await store.list(table, { ...query, limit: rowsAtOnce })
    if (rows.length === 0) return
    let chunk: (readonly [string, Uint8Array])[] = []
    let bytes = 0
    for (const row of rows) {
      if (chunk.length > 0 && bytes + row[1].length > chunkBytes) {
        yield encodeCbor(['rows', table, chunk])
        ;[chunk, bytes] = [[], 0]
      }
      chunk.push(row)
      bytes += row[1].length + 64
    }
    yield encodeCbor(['rows', table, chunk])
    after = rows.at(-1)?.[0]
  }
}

/** Reads one chunk of {@link backupChunks}. @throws RelayError `backup_damaged`. */
export function readBackupChunk(chunk: Uint8Array): BackupPart {
  const decoded = decodeCbor(chunk)
  const [kind, first, second] = decoded.ok && Array.isArray(decoded.value) ? decoded.value : []
  if (kind === 'files' && typeof first === 'string' && typeof second === 'string') {
    return { kind, files: { keyFile: first, networkFile: second === '' ? null : second } }
  }
  const table = tables.find((name) => name === first)
  if (kind === 'rows' && table !== undefined && Array.isArray(second)) {
    return { kind, changes: second.map((row: CborValue) => changeOf(table, row)) }
  }
  // The file verified, so it was made by another release.
  throw new RelayError('backup_damaged', { detail: 'this release cannot read a part of it' })
}

function changeOf(table: Table, row: CborValue): Change {
  const [key, value] = Array.isArray(row) ? (row as readonly CborValue[]) : []
  if (typeof key === 'string' && value instanceof Uint8Array) return { table, key, value }
  throw new RelayError('backup_damaged', { detail: 'this release cannot read a row of it' })
}
