import type { KeyFileInfo } from '@liaison/client-sdk/admin'
import {
  backupChunks,
  deviceBackupKind,
  keyFileExists,
  openLmdbStore,
  sealStream,
} from '@liaison/client-sdk/node'
import { epochMs, RelayError, sodiumReady, toBase64url } from '@liaison/protocol'
import type { Command } from 'commander'
import { type Context, type Process, paths, runs } from './context.ts'
import { exists, writeChunks } from './files.ts'
import { checkHome } from './home.ts'
import { readExistingKey, type SharedPassphrase, unlock } from './key-access.ts'
import { readNetwork } from './network-access.ts'
import { counted } from './output.ts'
import { askNewPassphrase } from './prompts.ts'

/** Adds `liaison identity backup`. */
export function addIdentityBackup(identity: Command, from: Process): void {
  const backup = identity
    .command('backup')
    .description('one file under a passphrase with the key and everything that this device has')
    .argument('<file>', 'where to write it; it is never replaced')
    .addHelpText('after', '\nExample:\n  $ liaison identity backup /media/stick/ml.backup\n')
  runs(backup, from, writeBackup)
}

async function writeBackup(context: Context, [file = '']: readonly string[]): Promise<void> {
  await sodiumReady()
  await checkHome(context)
  const path = paths.identity(context)
  const { text: keyFile, info } = await readExistingKey(path)
  if (await keyFileExists(file)) throw new RelayError('file_exists', { field: file })
  const network = (await exists(paths.network(context)))
    ? await readNetwork(paths.network(context))
    : null
  const passphrase = await passphraseFor(context, { file, path, info })
  const publicKey = toBase64url(info.publicKey)
  const name = network?.directory.name ?? null
  const created = epochMs(context.clock())
  const about = { publicKey, ...(name === null ? {} : { network: name }) }
  // Opened only when it is there: opening it makes it.
  const store = (await exists(paths.store(context)))
    ? await openLmdbStore(paths.store(context))
    : null
  let bytes: number
  try {
    const files = { keyFile, networkFile: network?.text ?? null }
    const chunks = backupChunks(files, store)
    const what = { kind: deviceBackupKind, created, about }
    // As well protected as the key file is.
    const sealed = sealStream(what, passphrase, chunks, info.cost ?? undefined)
    bytes = await writeChunks(file, sealed)
  } finally {
    await store?.[Symbol.asyncDispose]()
  }
  const made = new Date(created).toISOString()
  context.out.data({ file, bytes, created: made, network: name, publicKey }, () => [
    `Backup     ${file}, ${counted(bytes, 'byte')}`,
    `Public key ${publicKey}`,
    `Network    ${name ?? 'none yet'}`,
  ])
  context.out.say(
    info.protected
      ? 'It opens with the passphrase of the key file, and without it for nobody.'
      : 'It opens with the passphrase that you gave, and without it for nobody.',
    'It holds reports in readable form and keys of the coming weeks: keep it like the',
    'device itself, and destroy older ones when a newer one is safe.',
  )
}

/**
 * The passphrase of the key file, so that there is one to remember; a new one for a key file that has
 * none. It is tried on the key file first: a backup that nobody can open is found out too late.
 */
async function passphraseFor(
  context: Context,
  key: { readonly file: string; readonly path: string; readonly info: KeyFileInfo },
): Promise<string> {
  if (!key.info.protected) return askNewPassphrase(context, key.file)
  const shared: SharedPassphrase = { text: null }
  await unlock(context, key.path, key.info.kind, false, shared)
  return shared.text ?? ''
}
