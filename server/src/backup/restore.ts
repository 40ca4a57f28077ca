import { copyFile, mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fromHex, type NetworkId, RelayError } from '@liaison/protocol'
import { openLmdbLog } from '../log/lmdb-log.ts'
import type { RedisOptions } from '../log/redis/redis-options.ts'
import { openRedisLog } from '../log/redis-log.ts'
import type { RelayLog } from '../log/relay-log.ts'
import { lmdbFile, readLmdbBlobHashes, readLmdbFacts } from './lmdb-copy.ts'
import { type LogRecord, readRecords, recordsFile } from './log-record.ts'
import { type BackupManifest, describeFile } from './manifest.ts'
import { readLog } from './read-log.ts'
import { inNewFolder } from './relay-backup.ts'
import { replayLog } from './replay-log.ts'

/**
 * Puts the log of a checked backup into a data folder that is not there yet, or empty.
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
    if (manifest.store.kind === 'lmdb') return copyBack(backup, manifest, folder)
    const net = netOf(manifest)
    await using log = await openLmdbLog({ folder, net })
    await fill(log, net, manifest, readRecords(join(backup, recordsFile)))
  })
}

/**
 * Puts the log of a checked backup, of either kind, into Redis, where the network was set up and is
 * still empty. No relay may run on it before this resolves.
 *
 * @throws RelayError `file_exists` when the network holds something there; `backup_damaged`;
 *   `log_unavailable`, after which it holds a part; what hinders a relay from starting.
 */
export async function restoreIntoRedis(
  backup: string,
  manifest: BackupManifest,
  options: RedisOptions,
): Promise<void> {
  const net = netOf(manifest)
  // Over one connection everything arrives in its order.
  await using log = await openRedisLog({ redis: { ...options, writers: 1 }, net })
  if (manifest.store.kind === 'records') {
    // Awaited here: the log is closed when this scope ends.
    return await fill(log, net, manifest, readRecords(join(backup, recordsFile)))
  }
  // Opening a store writes to it, so a copy of the copy is opened.
  const folder = await mkdtemp(join(tmpdir(), 'liaison-restore-'))
  try {
    await copyFile(join(backup, lmdbFile), join(folder, lmdbFile))
    const blobs = await readLmdbBlobHashes(join(folder, lmdbFile))
    await using source = await openLmdbLog({ folder, net })
    await fill(log, net, manifest, readLog(source, { net, leaves: source.leafCount(), blobs }))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function netOf({ store }: BackupManifest): NetworkId {
  const bytes = fromHex(store.net)
  if (bytes?.length !== 32)
    throw new RelayError('backup_damaged', { detail: 'no network is named' })
  return bytes as NetworkId
}

async function fill(
  log: RelayLog,
  net: NetworkId,
  { store }: BackupManifest,
  records: AsyncIterable<LogRecord>,
): Promise<void> {
  const { leaves, directory } = await replayLog(log, net, records)
  if (leaves === store.leaves && directory === store.directory) return
  throw new RelayError('backup_damaged', { detail: 'it does not hold what its manifest says' })
}

async function copyBack(backup: string, manifest: BackupManifest, folder: string): Promise<void> {
  const path = join(folder, lmdbFile)
  await copyFile(join(backup, lmdbFile), path)
  const wanted = manifest.files.find(({ name }) => name === lmdbFile)
  const found = await describeFile(folder, lmdbFile)
  const facts = await readLmdbFacts(path)
  const { kind: _kind, ...store } = manifest.store
  const isSame = Object.entries(store).every(([name, value]) => Reflect.get(facts, name) === value)
  if (found.sha256 !== wanted?.sha256 || !isSame) {
    throw new RelayError('backup_damaged', { field: join(backup, lmdbFile) })
  }
  await rm(`${path}-lock`, { force: true })
  await syncFile(path)
}

async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r+')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}
