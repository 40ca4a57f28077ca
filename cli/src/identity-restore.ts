import { createReadStream } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { openKeyFile, readKeyFileInfo } from '@liaison/client-sdk/admin'
import {
  type DeviceBackup,
  deviceBackupKind,
  openLmdbStore,
  type Restored,
  readBackupChunk,
  readSealedFile,
  type SealedFile,
  settleRestored,
  writeKeyFile,
} from '@liaison/client-sdk/node'
import { equal, RelayError, randomBytes, sodiumReady, toBase64url, toHex } from '@liaison/protocol'
import type { Command } from 'commander'
import { type Context, makeHome, type Options, type Process, paths, runs } from './context.ts'
import { exists, writeTextFile } from './files.ts'
import { checkHome } from './home.ts'
import { type NetworkAtHand, readNetwork } from './network-access.ts'
import { counted, moment } from './output.ts'
import { askAgain, askPassphrase } from './prompts.ts'
import { unavailable } from './unavailable.ts'

/** Adds `liaison identity restore`. */
export function addIdentityRestore(identity: Command, from: Process): void {
  const restore = identity
    .command('restore')
    .description('put a backup into the home folder, and make it safe to go on from')
    .argument('<file>', 'made by liaison identity backup')
    .option('--force', 'an identity that is there is moved aside; nothing is ever deleted')
    .addHelpText(
      'after',
      '\nExample:\n  $ liaison identity restore /media/stick/ml.backup --home new-machine\n',
    )
  runs(restore, from, restoreBackup)
}

async function restoreBackup(
  context: Context,
  [file = '']: readonly string[],
  options: Options,
): Promise<void> {
  await sodiumReady()
  await checkHome(context)
  await checkFree(context, options.flag('force'))
  await makeHome(context)
  // Everything is put together and verified beside its place first: a backup that turns out to be
  // damaged, or of another network, changes nothing.
  const staging = join(context.home, `.restore-${toHex(randomBytes(6))}`)
  await mkdir(staging, { mode: 0o700 })
  try {
    const read = await readInto(context, file, join(staging, 'store'))
    const network = await networkOf(context, read.files, staging)
    const restored = await settle(context, read, network, join(staging, 'store'))
    const aside = await moveAside(context)
    await put(context, read, network, join(staging, 'store'))
    tell(context, { file, read, network, restored, aside })
  } finally {
    await rm(staging, { recursive: true, force: true })
  }
}

/** @throws RelayError when there is an identity or a store already, unless they may be moved aside. */
async function checkFree(context: Context, force: boolean): Promise<void> {
  const used = async (path: string): Promise<boolean> => !force && (await exists(path))
  if (await used(paths.identity(context))) {
    throw new RelayError('key_file_exists', {
      field: paths.identity(context),
      detail: 'Restore into another --home, or move it aside with --force.',
    })
  }
  if (await used(paths.store(context))) {
    throw new RelayError('file_exists', {
      field: paths.store(context),
      detail: 'It holds what a device has sent and received: move it aside with --force.',
    })
  }
}

interface ReadBackup {
  readonly sealed: SealedFile
  readonly files: DeviceBackup
  readonly passphrase: string
  readonly rows: number
}

/** Reads a backup to its verified end, rows into a new store. Asks again for a mistyped passphrase. */
async function readInto(context: Context, file: string, folder: string): Promise<ReadBackup> {
  return askAgain(
    context,
    () => askPassphrase(context, file),
    async (passphrase) => {
      const sealed = await readSealedFile(readParts(file), deviceBackupKind).catch(named(file))
      await using store = await openLmdbStore(folder)
      let files: DeviceBackup | null = null
      let rows = 0
      try {
        for await (const chunk of sealed.open(passphrase)) {
          const part = readBackupChunk(chunk)
          if (part.kind === 'files') files = part.files
          else {
            await store.commit(part.changes)
            rows += part.changes.length
          }
        }
      } catch (error) {
        return named(file)(error)
      }
      if (files === null) throw new RelayError('backup_damaged', { field: file })
      return { sealed, files, passphrase, rows }
    },
  )
}

async function* readParts(file: string): AsyncGenerator<Uint8Array> {
  try {
    for await (const part of createReadStream(file)) yield new Uint8Array(part as Buffer)
  } catch (error) {
    throw error instanceof RelayError ? error : unavailable(file, error)
  }
}

/** Adds the name of the file to what is wrong with it. */
const named =
  (file: string) =>
  (error: unknown): never => {
    if (!(error instanceof RelayError) || error.field !== undefined) throw error
    const { code, detail } = error
    const more = detail === undefined ? {} : { detail }
    throw new RelayError(code, { field: file, ...more, cause: error })
  }

/** The network of the backup, which must be that of the home folder when one is there. */
async function networkOf(
  context: Context,
  { networkFile }: DeviceBackup,
  staging: string,
): Promise<NetworkAtHand | null> {
  const path = paths.network(context)
  const here = (await exists(path)) ? await readNetwork(path) : null
  if (networkFile === null) return here
  const copy = join(staging, 'network.json')
  await writeTextFile(copy, networkFile)
  const there = await readNetwork(copy)
  if (here !== null && !equal(here.network.genesis, there.network.genesis)) {
    throw new RelayError('network_mismatch', {
      field: path,
      detail: `The backup is of ${there.directory.name}: restore it into another --home.`,
    })
  }
  return there
}

async function settle(
  context: Context,
  { files, passphrase, rows }: ReadBackup,
  network: NetworkAtHand | null,
  folder: string,
): Promise<Restored> {
  const { protected: isProtected } = readKeyFileInfo(files.keyFile)
  const allowUnprotected = network?.directory.example === true
  const identity = await openKeyFile(files.keyFile, isProtected ? passphrase : null, {
    allowUnprotected,
  })
  if (network === null || rows === 0) return { held: [], repeated: 0 }
  await using store = await openLmdbStore(folder)
  return await settleRestored(store, identity, network.directory.genesisT, context.clock())
}

/** Moves what is in the home folder into a folder of its own. @returns that folder, or null. */
async function moveAside(context: Context): Promise<string | null> {
  const there: string[] = []
  for (const path of [paths.identity(context), paths.store(context)]) {
    if (await exists(path)) there.push(path)
  }
  if (there.length === 0) return null
  // Not while another program uses it.
  if (there.includes(paths.store(context))) {
    await (await openLmdbStore(paths.store(context)))[Symbol.asyncDispose]()
  }
  const stamp = new Date(context.clock()).toISOString().replace(/[-:]|\.\d+/g, '')
  const aside = join(context.home, `replaced-${stamp}-${toHex(randomBytes(2))}`)
  await mkdir(aside, { mode: 0o700 })
  for (const path of there) await rename(path, join(aside, path.slice(context.home.length + 1)))
  return aside
}

/** The key file comes last: before it is there, the home folder is that of no device. */
async function put(
  context: Context,
  { files, rows }: ReadBackup,
  network: NetworkAtHand | null,
  store: string,
): Promise<void> {
  if (rows > 0) await rename(store, paths.store(context))
  const path = paths.network(context)
  if (network !== null && !(await exists(path))) await writeTextFile(path, network.text)
  await writeKeyFile(paths.identity(context), files.keyFile)
}

function tell(
  context: Context,
  told: {
    readonly file: string
    readonly read: ReadBackup
    readonly network: NetworkAtHand | null
    readonly restored: Restored
    readonly aside: string | null
  },
): void {
  const { file, read, network, restored, aside } = told
  const { created } = read.sealed.info
  const publicKey = toBase64url(readKeyFileInfo(read.files.keyFile).publicKey)
  const name = network?.directory.name ?? null
  const { held, repeated } = restored
  context.out.data(
    {
      file,
      created: new Date(created).toISOString(),
      network: name,
      publicKey,
      rows: read.rows,
      held,
      repeated,
      replaced: aside,
    },
    () => [
      `Restored   ${paths.identity(context)}`,
      `Backup     of ${moment(created)}`,
      `Public key ${publicKey}`,
      `Network    ${name ?? 'none yet'}`,
      ...(aside === null ? [] : [`Moved      what was there, to ${aside}`]),
    ],
  )
  context.out.say(
    'What this device sent after the backup is not known here. Its numbering begins anew, and',
    'readers are told so. Never start the old device, or another copy of it, again.',
  )
  if (held.length > 0) {
    context.out.warn(
      `${counted(held.length, 'report')} waited when the backup was made and may have been sent since:`,
      `  ${context.next('outbox list')}`,
    )
  }
  if (network === null) return
  context.out.say(
    'Next: make new keys for the coming weeks; those in the backup may be in other hands:',
    `  ${context.next('identity rotate')}`,
  )
}
