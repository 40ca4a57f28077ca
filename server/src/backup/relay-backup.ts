import { mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import {
  type Clock,
  Directory,
  type NetworkId,
  RelayError,
  randomBytes,
  sodiumReady,
  toHex,
} from '@liaison/protocol'
import { type RelayConfig, readGenesis } from '../config.ts'
import { readRedisOptions } from '../config-redis.ts'
import { copyLmdb, lmdbFile } from './lmdb-copy.ts'
import { recordsFile } from './log-record.ts'
import { type BackupManifest, checkBackup, describeFile, writeManifest } from './manifest.ts'
import { copyRedis } from './redis-copy.ts'

/** Another file that goes into a backup, such as the network file. */
export interface BackupText {
  readonly name: string
  readonly bytes: Uint8Array
}

/**
 * Copies the log of a relay and the given files into a new folder, complete when it appears. The relay,
 * and others on the same store, may be running.
 *
 * @param into Folder that is not there yet, or empty.
 * @throws RelayError `file_exists`, `file_unavailable`, `network_mismatch`; of a log in Redis also
 *   `log_corrupt` naming what is damaged, `log_unavailable` and what hinders a relay from starting.
 */
export async function backupRelay(
  config: RelayConfig,
  into: string,
  files: readonly BackupText[],
  clock: Clock,
): Promise<BackupManifest> {
  await sodiumReady()
  const begun = Directory.fromGenesis(await readGenesis(config.network))
  if (!begun.ok) throw new RelayError('network_file_malformed', { field: config.network })
  const created = new Date(clock()).toISOString()
  return inNewFolder(into, async (folder) => {
    const { store, name } = await copyStore(config, begun.value.net, folder)
    if (store.net !== toHex(begun.value.net)) {
      throw new RelayError('network_mismatch', { field: config.network })
    }
    for (const file of files) await writeNew(join(folder, file.name), file.bytes)
    const names = [name, ...files.map((file) => file.name)]
    const described = await Promise.all(names.map((name) => describeFile(folder, name)))
    const manifest: BackupManifest = {
      v: 1,
      kind: 'relay-backup',
      created,
      network: begun.value.name,
      store,
      files: described,
    }
    // A reader of the store leaves its lock file, which is nothing to keep.
    await rm(join(folder, `${lmdbFile}-lock`), { force: true })
    await writeManifest(folder, manifest)
    // What was written is read once more: a backup is worth what can be read of it.
    return checkBackup(folder)
  })
}

async function copyStore(
  { data, redis }: RelayConfig,
  net: NetworkId,
  folder: string,
): Promise<{ readonly store: BackupManifest['store']; readonly name: string }> {
  if (redis !== undefined) {
    const store = await copyRedis(await readRedisOptions(redis), net, join(folder, recordsFile))
    return { store: { kind: 'records', ...store }, name: recordsFile }
  }
  return { store: { kind: 'lmdb', ...(await copyLmdb(data ?? '', folder)) }, name: lmdbFile }
}

/** Fills a folder beside its place and moves it there when it is complete. */
export async function inNewFolder<T>(
  path: string,
  fill: (folder: string) => Promise<T>,
): Promise<T> {
  const place = resolve(path)
  await checkEmpty(place)
  const partial = `${place}.${toHex(randomBytes(6))}.partial`
  try {
    await mkdir(dirname(place), { recursive: true })
    await mkdir(partial, { mode: 0o700 })
    const result = await fill(partial)
    // Onto an empty folder this is one step; onto one that was filled meanwhile it fails.
    await rename(partial, place)
    return result
  } catch (error) {
    await rm(partial, { recursive: true, force: true })
    if (error instanceof RelayError) throw error
    throw new RelayError('file_unavailable', { field: path, cause: error })
  }
}

/** @throws RelayError `file_exists` for a folder with anything in it, or a file. */
async function checkEmpty(path: string): Promise<void> {
  try {
    if ((await readdir(path)).length === 0) return
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
  }
  throw new RelayError('file_exists', { field: path, detail: 'Name a new or empty folder.' })
}

/** Writes a file for its owner only, down to the disk. */
export async function writeNew(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    await file.writeFile(bytes)
    await file.sync()
  } finally {
    await file.close()
  }
}
