import { copyFile, mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import {
  type Clock,
  Directory,
  RelayError,
  randomBytes,
  sodiumReady,
  toHex,
} from '@liaison/protocol'
import { type RelayConfig, readGenesis } from '../config.ts'
import { copyLmdb, lmdbFile, readLmdbFacts } from './lmdb-copy.ts'
import { type BackupManifest, checkBackup, describeFile, writeManifest } from './manifest.ts'

/** Another file that goes into a backup, such as the network file. */
export interface BackupText {
  readonly name: string
  readonly bytes: Uint8Array
}

/**
 * Copies a relay's embedded store and the given files into a new folder, complete when it appears. The
 * relay may be running.
 *
 * @param into Folder that is not there yet, or empty.
 * @throws RelayError `not_permitted` for a store that is copied by its own means, `file_exists`,
 * `file_unavailable`.
 */
export async function backupRelay(
  config: RelayConfig,
  into: string,
  files: readonly BackupText[],
  clock: Clock,
): Promise<BackupManifest> {
  await sodiumReady()
  if (config.data === undefined) {
    throw new RelayError('not_permitted', {
      field: 'store',
      detail: 'The data of this relay are in Redis: back them up there.',
    })
  }
  const { data } = config
  const begun = Directory.fromGenesis(await readGenesis(config.network))
  if (!begun.ok) throw new RelayError('network_file_malformed', { field: config.network })
  const created = new Date(clock()).toISOString()
  return inNewFolder(into, async (folder) => {
    const store = await copyLmdb(data, folder)
    if (store.net !== toHex(begun.value.net)) {
      throw new RelayError('network_mismatch', { field: config.network })
    }
    for (const { name, bytes } of files) await writeNew(join(folder, name), bytes)
    const names = [lmdbFile, ...files.map(({ name }) => name)]
    const described = await Promise.all(names.map((name) => describeFile(folder, name)))
    const manifest: BackupManifest = {
      v: 1,
      kind: 'relay-backup',
      created,
      network: begun.value.name,
      store: { kind: 'lmdb', ...store },
      files: described,
    }
    // A reader of the store leaves its lock file, which is nothing to keep.
    await rm(join(folder, `${lmdbFile}-lock`), { force: true })
    await writeManifest(folder, manifest)
    // What was written is read once more: a backup is worth what can be read of it.
    return checkBackup(folder)
  })
}

/**
 * Puts the store of a checked backup into a data folder that is not there yet, or empty.
 *
 * @param manifest What `checkBackup` gave.
 * @throws RelayError `backup_damaged`, `file_exists`, `file_unavailable`.
 */
export async function restoreStore(
  backup: string,
  manifest: BackupManifest,
  data: string,
): Promise<void> {
  await inNewFolder(data, async (folder) => {
    const path = join(folder, lmdbFile)
    await copyFile(join(backup, lmdbFile), path)
    const wanted = manifest.files.find(({ name }) => name === lmdbFile)
    const found = await describeFile(folder, lmdbFile)
    const facts = await readLmdbFacts(path)
    const { kind: _kind, ...store } = manifest.store
    const isSame = Object.entries(store).every(
      ([name, value]) => Reflect.get(facts, name) === value,
    )
    if (found.sha256 !== wanted?.sha256 || !isSame) {
      throw new RelayError('backup_damaged', { field: join(backup, lmdbFile) })
    }
    await rm(`${path}-lock`, { force: true })
    await syncFile(path)
  })
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

async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r+')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}
