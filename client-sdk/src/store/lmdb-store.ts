import { link, mkdir, readFile, rename, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { RelayError, randomBytes, toHex } from '@liaison/protocol'
import { type Database, open, type RootDatabase } from 'lmdb'
import {
  type Change,
  type ClientStore,
  type ListQuery,
  type Table,
  tables,
} from './client-store.ts'

/** Address space reserved for the map, bytes; the file grows only as needed. */
const mapBytesMax = 16 * 1024 ** 3

/**
 * Opens the store of one device in a folder. One writer at a time: a device that runs twice would
 * sign two envelopes for one place of its chain.
 *
 * @throws RelayError `store_locked` while another process has it, `store_unavailable` otherwise.
 */
export async function openLmdbStore(folder: string): Promise<ClientStore> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const unlock = await lock(join(folder, 'lock'))
  try {
    return new LmdbStore(folder, unlock)
  } catch (cause) {
    await unlock()
    throw new RelayError('store_unavailable', { cause })
  }
}

class LmdbStore implements ClientStore {
  readonly #root: RootDatabase
  readonly #tables = new Map<Table, Database<Buffer, string>>()
  readonly #unlock: () => Promise<void>

  constructor(folder: string, unlock: () => Promise<void>) {
    this.#unlock = unlock
    const options = {
      path: join(folder, 'device.mdb'),
      // Without it LMDB trusts the page cache after a restored snapshot and loses flushed data.
      // The package's own types do not list it.
      safeRestore: true,
      mapSize: mapBytesMax,
      maxDbs: tables.length,
      noSubdir: true,
    }
    this.#root = open(options)
    for (const name of tables) {
      this.#tables.set(name, this.#root.openDB({ name, encoding: 'binary' }))
    }
  }

  #table(name: Table): Database<Buffer, string> {
    const table = this.#tables.get(name)
    if (table === undefined) throw new RelayError('store_unavailable', { field: name })
    return table
  }

  async get(table: Table, key: string): Promise<Uint8Array | null> {
    const value = this.#table(table).get(key)
    return value === undefined ? null : new Uint8Array(value)
  }

  async list(
    table: Table,
    query: ListQuery = {},
  ): Promise<readonly (readonly [string, Uint8Array])[]> {
    const { prefix = '', after, limit = Number.POSITIVE_INFINITY, reverse = false } = query
    const low = after ?? prefix
    // Above every key with the prefix: keys are plain ASCII.
    const high = `${prefix}\u{10FFFF}`
    const range = reverse ? { start: high, end: low, reverse } : { start: low, end: high }
    const out: (readonly [string, Uint8Array])[] = []
    for (const { key, value } of this.#table(table).getRange(range)) {
      if (out.length >= limit) break
      if (key === after || !key.startsWith(prefix)) continue
      out.push([key, new Uint8Array(value)])
    }
    return out
  }

  async commit(changes: readonly Change[]): Promise<void> {
    try {
      await this.#root.transaction(() => {
        for (const { table, key, value } of changes) {
          if (value === null) void this.#table(table).remove(key)
          else void this.#table(table).put(key, Buffer.from(value))
        }
      })
      await this.#root.flushed
    } catch (cause) {
      throw new RelayError('store_unavailable', { cause })
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#root.close()
    await this.#unlock()
  }
}

/**
 * Takes the lock file; one that was left behind by a process that is gone is taken over. It names the
 * process by its number and its start: in a container every process has the same number.
 */
async function lock(path: string): Promise<() => Promise<void>> {
  const mine = `${path}.${process.pid}.${toHex(randomBytes(4))}`
  await writeFile(mine, await nameOf(process.pid), { mode: 0o600 })
  try {
    for (let tries = 0; tries < 3; tries++) {
      // A link appears with its content or not at all, so nobody reads a half-written lock.
      if (await linked(mine, path)) return () => unlink(path).catch(() => undefined)
      const owner = await readFile(path, 'utf8').catch(() => '')
      if (await isAlive(owner)) {
        throw new RelayError('store_locked', { detail: `process ${Number.parseInt(owner, 10)}` })
      }
      await removeStale(path, owner, `${mine}.old`)
    }
    throw new RelayError('store_locked')
  } finally {
    await unlink(mine).catch(() => undefined)
  }
}

/** Removes a lock unless somebody else has taken it over meanwhile. */
async function removeStale(path: string, owner: string, aside: string): Promise<void> {
  try {
    await rename(path, aside)
  } catch {
    return
  }
  const removed = await readFile(aside, 'utf8').catch(() => owner)
  if (removed !== owner) await linked(aside, path)
  await unlink(aside).catch(() => undefined)
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to)
    return true
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw new RelayError('store_unavailable', { cause })
  }
}

/** Number of a process and, where the system tells it, the tick at which it was started. */
async function nameOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  // Fields are counted behind the name, which may hold anything; the start is field 22 of proc(5).
  const started = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  return started === undefined ? String(pid) : `${pid} ${started}`
}

async function isAlive(owner: string): Promise<boolean> {
  const pid = Number.parseInt(owner, 10)
  if (!(pid > 0)) return false
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  // A number alone is of an earlier release, or of a system that tells no more.
  const present = await nameOf(pid)
  return !(owner.includes(' ') && present.includes(' ')) || owner === present
}
