import { constants, copyFile, link, open, stat, unlink } from 'node:fs/promises'
import { RelayError, randomBytes, toHex } from '@liaison/protocol'

/** Read or write permission of the group or of others. */
const othersMode = 0o077

/** Windows has access lists instead of modes; what `stat` gives there means nothing. */
const hasModes = process.platform !== 'win32'

const errnoOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined

/**
 * Writes a key file that only its owner can read. The file is complete when it appears, and one that
 * is there is never replaced: it may be the only copy of an identity.
 *
 * @throws RelayError `key_file_exists`, or `store_unavailable` when it cannot be written.
 */
export async function writeKeyFile(path: string, text: string): Promise<void> {
  const temporary = `${path}.${toHex(randomBytes(8))}.tmp`
  try {
    const file = await open(temporary, 'wx', 0o600)
    try {
      await file.writeFile(text, 'utf8')
      await file.sync()
    } finally {
      await file.close()
    }
    await putInPlace(temporary, path)
  } catch (cause) {
    const code = errnoOf(cause) === 'EEXIST' ? 'key_file_exists' : 'store_unavailable'
    throw new RelayError(code, { field: path, cause })
  } finally {
    await unlink(temporary).catch(() => undefined)
  }
}

/** A second name for the finished file: unlike a rename, it fails when the name is taken. */
async function putInPlace(temporary: string, path: string): Promise<void> {
  try {
    await link(temporary, path)
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') throw error
    // Memory sticks often cannot link.
    await copyFile(temporary, path, constants.COPYFILE_EXCL)
  }
}

/**
 * Reads a key file.
 *
 * @throws RelayError `key_file_open` when others may read it, `key_file_malformed` when it is not
 * there or no text.
 */
export async function readKeyFile(path: string): Promise<string> {
  let bytes: Uint8Array
  try {
    const file = await open(path, 'r')
    try {
      // Of the open file, so that it cannot be exchanged between the look and the reading.
      const { mode, size } = await file.stat()
      if (hasModes && (mode & othersMode) !== 0)
        throw new RelayError('key_file_open', { field: path })
      if (size > 65_536) throw new RelayError('key_file_malformed', { field: path })
      bytes = await file.readFile()
    } finally {
      await file.close()
    }
  } catch (cause) {
    if (cause instanceof RelayError) throw cause
    throw new RelayError('key_file_malformed', { field: path, cause })
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new RelayError('key_file_malformed', { field: path })
  }
}

/** Whether a file is there at all. */
export async function keyFileExists(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile()
  } catch {
    return false
  }
}
