import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { RelayError } from '@liaison/protocol'

/** Name of the manifest in a backup. */
export const manifestName = 'manifest.json'

/** One file of a backup. */
export interface BackupFile {
  readonly name: string
  readonly bytes: number
  /** SHA-256 of its bytes, hex. */
  readonly sha256: string
}

/** What the copied store holds; a restored one is compared with it. */
export interface StoreFacts {
  /** Network id, hex. */
  readonly net: string
  /** Number of directory entries and of audit leaves. */
  readonly directory: number
  readonly leaves: number
}

/** What a backup of a relay says about itself. Hashes find damage; they do not prove who made it. */
export interface BackupManifest {
  readonly v: 1
  readonly kind: 'relay-backup'
  /** When the copy was begun, ISO 8601: everything confirmed before is in it. */
  readonly created: string
  readonly network: string
  /** `lmdb`: the file of the embedded store. `records`: the log step by step, from Redis. */
  readonly store: { readonly kind: 'lmdb' | 'records' } & StoreFacts
  readonly files: readonly BackupFile[]
}

const damaged = (field: string, detail: string): RelayError =>
  new RelayError('backup_damaged', { field, detail })

/** Hashes a file of a backup. */
export async function describeFile(folder: string, name: string): Promise<BackupFile> {
  const hash = createHash('sha256')
  let bytes = 0
  for await (const part of createReadStream(join(folder, name))) {
    hash.update(part as Buffer)
    bytes += (part as Buffer).length
  }
  return { name, bytes, sha256: hash.digest('hex') }
}

const digestOf = (manifest: BackupManifest): string =>
  createHash('sha256').update(JSON.stringify(manifest)).digest('hex')

/** Writes the manifest, last of all files. */
export async function writeManifest(folder: string, manifest: BackupManifest): Promise<void> {
  const file = await open(join(folder, manifestName), 'wx', 0o600)
  try {
    const text = JSON.stringify({ ...manifest, sha256: digestOf(manifest) }, null, 2)
    await file.writeFile(`${text}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
}

/**
 * Reads the manifest of a backup and compares every file with it.
 *
 * @throws RelayError `backup_damaged` naming the file that is missing or altered.
 */
export async function checkBackup(folder: string): Promise<BackupManifest> {
  const manifest = await readManifest(folder)
  for (const file of manifest.files) {
    const found = await describeFile(folder, file.name).catch(() => null)
    if (found === null) throw damaged(join(folder, file.name), 'it is missing or cannot be read')
    if (found.bytes !== file.bytes || found.sha256 !== file.sha256) {
      throw damaged(join(folder, file.name), 'it is not the file that the manifest names')
    }
  }
  return manifest
}

async function readManifest(folder: string): Promise<BackupManifest> {
  const path = join(folder, manifestName)
  const text = await readFile(path, 'utf8').catch(() => null)
  if (text === null) throw damaged(path, 'it is missing: this is no backup of a relay')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw damaged(path, 'it is not JSON')
  }
  const { sha256, ...rest } = (value ?? {}) as Partial<BackupManifest & { sha256: string }>
  const manifest = rest as BackupManifest
  if (sha256 !== digestOf(manifest)) throw damaged(path, 'it was altered')
  const isKnown = ['lmdb', 'records'].includes(manifest.store?.kind)
  if (manifest.v !== 1 || manifest.kind !== 'relay-backup' || !isKnown) {
    throw damaged(path, 'this release cannot read it')
  }
  for (const { name } of manifest.files) {
    if (name !== basename(name) || name.startsWith('.')) throw damaged(path, 'a name leads outside')
  }
  return manifest
}
