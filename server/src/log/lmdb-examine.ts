import { access, constants, mkdir, open, stat, truncate } from 'node:fs/promises'
import { dirname } from 'node:path'
import { RelayError } from '@liaison/protocol'

/** Where things lie in each of the two header pages of an LMDB file (`MDB_meta` behind the page header). */
const at = {
  magic: 24,
  version: 28,
  pageSize: 48,
  freeRoot: 88,
  mainRoot: 136,
  lastPage: 144,
} as const

const magic = 0xbeefc0de
const formatOfLmdb = 2

/** A root of a table that holds nothing. */
const noPage = 0xffffffffffffffffn

/**
 * Looks at the file of a store before LMDB maps it into memory, where damage ends the process instead of
 * giving an error. It finds what is no store at all, or was cut off; LMDB has no checksums, so changed
 * bytes inside a page may be found only when they are read.
 *
 * @throws RelayError `log_corrupt` naming the file and what is wrong, `config_invalid` when the folder
 *   cannot be written
 */
export async function examineStore(path: string): Promise<void> {
  const folder = dirname(path)
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await access(folder, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (cause) {
    throw unusable(`${folder} cannot be read and written`, cause)
  }
  const info = await stat(path).catch(() => null)
  if (info === null) return
  await access(path, constants.R_OK | constants.W_OK).catch((cause: unknown) => {
    throw unusable(`${path} cannot be read and written`, cause)
  })
  const pages = await readHeaders(path, info.size)
  // The last pages of a sound file may never have been written, when they are free. Read as nothing,
  // they do no harm; and where the file was cut off, reading nothing is an error instead of the end.
  if (info.size < pages.needed) await truncate(path, pages.needed)
}

async function readHeaders(path: string, size: number): Promise<{ readonly needed: number }> {
  const damaged = (what: string): RelayError =>
    new RelayError('log_corrupt', { field: 'data', detail: `${path} ${what}` })
  if (size === 0) throw damaged('is empty: restore a backup, or remove it to begin anew')
  const file = await open(path, 'r')
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(192), 0, 192, 0)
    if (bytesRead < 192 || buffer.readUInt32LE(at.magic) !== magic) throw damaged('is not a store')
    if (buffer.readUInt32LE(at.version) !== formatOfLmdb) {
      throw new RelayError('store_mismatch', {
        field: 'data',
        detail: `${path} has another format`,
      })
    }
    const pageSize = buffer.readUInt32LE(at.pageSize)
    const isSize = pageSize >= 512 && pageSize <= 65_536 && (pageSize & (pageSize - 1)) === 0
    if (!isSize || size < 2 * pageSize) throw damaged('was cut off')
    const second = await file.read(Buffer.alloc(192), 0, 192, pageSize)
    if (second.buffer.readUInt32LE(at.magic) !== magic) throw damaged('has a damaged header')
    let needed = 0
    for (const header of [buffer, second.buffer]) {
      for (const root of [at.freeRoot, at.mainRoot]) {
        const page = header.readBigUInt64LE(root)
        if (page !== noPage && (page + 1n) * BigInt(pageSize) > BigInt(size)) {
          throw damaged('was cut off')
        }
      }
      needed = Math.max(needed, (Number(header.readBigUInt64LE(at.lastPage)) + 1) * pageSize)
    }
    if (needed > 64 * size + 64 * pageSize) throw damaged('has a damaged header')
    return { needed }
  } finally {
    await file.close()
  }
}

const unusable = (detail: string, cause: unknown): RelayError =>
  new RelayError('config_invalid', { field: 'data', detail, cause })

/** An error of LMDB while a store is opened, as one of ours. */
export function openingError(path: string, error: unknown): unknown {
  if (error instanceof RelayError) return error
  const text = error instanceof Error ? error.message : String(error)
  return new RelayError('log_corrupt', { field: 'data', detail: `${path}: ${text}`, cause: error })
}
