import { constants, copyFile, link, open, readFile, rename, stat, unlink } from 'node:fs/promises'
import { RelayError, randomBytes, toHex } from '@liaison/protocol'
import { standardOutput } from './stdout.ts'
import { errnoOf, unavailable } from './unavailable.ts'

/** More than any file that the command reads. */
const bytesMax = 8 * 1024 * 1024

/** Reads a whole file; `-` is stdin. @throws RelayError `file_unavailable`. */
export async function readBytes(path: string): Promise<Uint8Array> {
  try {
    const bytes = path === '-' ? await readStdin() : new Uint8Array(await readFile(path))
    if (bytes.length > bytesMax) {
      throw new RelayError('file_unavailable', { field: path, detail: 'It is too large.' })
    }
    return bytes
  } catch (error) {
    throw error instanceof RelayError ? error : unavailable(path, error)
  }
}

async function readStdin(): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of process.stdin) {
    const part = chunk as Uint8Array
    bytes += part.length
    if (bytes > bytesMax) break
    chunks.push(part)
  }
  return new Uint8Array(Buffer.concat(chunks))
}

/** Reads a text file; `-` is stdin. @throws RelayError `file_unavailable`. */
export async function readTextFile(path: string): Promise<string> {
  const bytes = await readBytes(path)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new RelayError('file_unavailable', { field: path, detail: 'It is not UTF-8 text.' })
  }
}

/** How a file is written. */
export interface WriteOptions {
  /** Only its owner may read it. */
  readonly secret?: boolean
  /** Takes the place of what is there. */
  readonly replace?: boolean
}

/**
 * Writes a file that is complete when it appears, so that a disk that fills leaves none; `-` is stdout.
 *
 * @throws RelayError `file_exists`, `file_unavailable`.
 */
export async function writeTextFile(
  path: string,
  text: string,
  { secret = false, replace = false }: WriteOptions = {},
): Promise<void> {
  if (path === '-') {
    standardOutput.write(text)
    return
  }
  const temporary = `${path}.${toHex(randomBytes(6))}.tmp`
  try {
    await writeDurably(temporary, text, secret ? 0o600 : 0o644)
    if (replace) await rename(temporary, path)
    else await putNew(temporary, path)
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') throw new RelayError('file_exists', { field: path })
    throw unavailable(path, error)
  } finally {
    await unlink(temporary).catch(() => undefined)
  }
}

/** Whether something is there, whatever it is. @throws RelayError `file_unavailable` when that cannot be said. */
export async function exists(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false
    throw unavailable(path, error)
  }
}

/**
 * Writes a file of any length that only its owner may read, complete when it appears, never in place
 * of another.
 *
 * @returns its length, bytes. @throws RelayError `file_exists`, `file_unavailable`.
 */
export async function writeChunks(
  path: string,
  chunks: AsyncIterable<Uint8Array>,
): Promise<number> {
  const temporary = `${path}.${toHex(randomBytes(6))}.tmp`
  let bytes = 0
  try {
    const file = await open(temporary, 'wx', 0o600)
    try {
      for await (const chunk of chunks) {
        await file.writeFile(chunk)
        bytes += chunk.length
      }
      await file.sync()
    } finally {
      await file.close()
    }
    await putNew(temporary, path)
    return bytes
  } catch (error) {
    if (error instanceof RelayError) throw error
    if (errnoOf(error) === 'EEXIST') throw new RelayError('file_exists', { field: path })
    throw unavailable(path, error)
  } finally {
    await unlink(temporary).catch(() => undefined)
  }
}

/** A second name for the finished file: unlike a rename, it fails when the name is taken. */
async function putNew(temporary: string, path: string): Promise<void> {
  try {
    await link(temporary, path)
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') throw error
    // Memory sticks often cannot link.
    await copyFile(temporary, path, constants.COPYFILE_EXCL)
    await syncFile(path).catch(async (cause: unknown) => {
      await unlink(path).catch(() => undefined)
      throw cause
    })
  }
}

async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r+')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}

async function writeDurably(path: string, text: string, mode: number): Promise<void> {
  const file = await open(path, 'wx', mode)
  try {
    await file.writeFile(text, 'utf8')
    await file.sync()
  } finally {
    await file.close()
  }
}
