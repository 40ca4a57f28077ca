import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readSealedFile, sealStream } from '@liaison/client-sdk/node'
import { epochMs, sodiumReady } from '@liaison/protocol'
import {
  type BackupText,
  backupRelay,
  checkBackup,
  inNewFolder,
  readRedisOptions,
  restoreIntoRedis,
  restoreStore,
  writeNew,
} from '@liaison/server'
import type { Context, Options } from './context.ts'
import { usage } from './failure.ts'
import { readBytes } from './files.ts'
import { counted, moment } from './output.ts'
import { askAgain, askNewPassphrase, askPassphrase } from './prompts.ts'
import { checkedConfig, configOf, gather } from './relay-serve.ts'

const names = { network: 'network.json', config: 'relay.json', keys: 'relay-keys.json' } as const
const sealedKeys = 'relay-keys.sealed'
const keysKind = 'relay-keys'

const textBytes = (value: unknown): Uint8Array =>
  new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`)

/** Copies a relay's log, network file and configuration, and on request its keys, into a folder. */
export async function backUpRelay(
  context: Context,
  folder: string,
  options: Options,
): Promise<void> {
  await sodiumReady()
  const config = await configOf(context, options)
  const withKeys = options.flag('withKeys')
  // As the files will stand to each other in the folder that restore makes.
  const paths = {
    ...(config.redis === undefined ? { data: 'data' } : {}),
    ...{ network: names.network, keys: names.keys },
  }
  const files: BackupText[] = [
    { name: names.network, bytes: await readBytes(config.network) },
    { name: names.config, bytes: textBytes({ ...(await gather(options)), ...paths }) },
  ]
  if (withKeys) {
    const passphrase = await askNewPassphrase(context, 'the keys of the relay')
    const bytes = await sealKeys(await readBytes(config.keys), passphrase, context)
    files.push({ name: sealedKeys, bytes })
  }
  const made = await backupRelay(config, folder, files, context.clock)
  const { created, network, store } = made
  const bytes = made.files.reduce((sum, file) => sum + file.bytes, 0)
  const keys = withKeys ? 'sealed' : 'left-out'
  context.out.data({ folder, created, network, store, bytes, keys, files: made.files }, () => [
    `Backup     ${folder}, ${counted(bytes, 'byte')}`,
    `Network    ${network}`,
    `As of      ${moment(Date.parse(created))}`,
    `Holds      ${counted(store.directory, 'directory entry', 'directory entries')}, ${counted(store.leaves, 'audit leaf', 'audit leaves')}`,
    `Keys       ${withKeys ? 'in it, under the passphrase' : 'NOT in it'}`,
  ])
  if (withKeys) return
  context.out.say(
    `The keys of the relay are not in it: without ${config.keys} nothing can be started`,
    'from it. Keep a copy of that file in another safe place, or add --with-keys.',
  )
}

async function sealKeys(
  keys: Uint8Array,
  passphrase: string,
  context: Context,
): Promise<Uint8Array> {
  const info = { kind: keysKind, created: epochMs(context.clock()), about: {} }
  return gathered(sealStream(info, passphrase, from(keys)))
}

async function* from(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

async function gathered(parts: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const out: Uint8Array[] = []
  for await (const part of parts) out.push(part)
  return new Uint8Array(Buffer.concat(out))
}

/** Checks a backup and puts its log into a folder or into Redis, and on request the rest beside it. */
export async function restoreRelay(
  context: Context,
  folder: string,
  options: Options,
): Promise<void> {
  await sodiumReady()
  const [out, data, redis] = [options.text('out'), options.text('data'), options.flag('redis')]
  if (data === undefined ? out === undefined && !redis : out !== undefined || redis) {
    throw usage('Choose --out FOLDER, --data FOLDER, --redis, or --redis with --out.', 'out')
  }
  const manifest = await checkBackup(folder)
  if (manifest.store.kind === 'records' && data === undefined && !redis) {
    throw usage(
      'This backup comes from Redis: choose --redis or --data FOLDER for its log.',
      'redis',
    )
  }
  const target = redis ? await redisOf(context, options, folder) : null
  const hasKeys = manifest.files.some(({ name }) => name === sealedKeys)
  if (data !== undefined) await restoreStore(folder, manifest, data)
  if (out !== undefined) {
    const keys = hasKeys ? await openKeys(context, join(folder, sealedKeys)) : null
    await inNewFolder(out, async (place) => {
      if (target === null) await restoreStore(folder, manifest, join(place, 'data'))
      for (const name of [names.network, names.config]) {
        await writeNew(join(place, name), await readFile(join(folder, name)))
      }
      if (keys !== null) await writeNew(join(place, names.keys), keys)
    })
  }
  // Last, because it cannot be taken back.
  if (target !== null) await restoreIntoRedis(folder, manifest, target)
  const { created, network, store } = manifest
  const keys = out === undefined ? 'not-asked' : hasKeys ? 'restored' : 'left-out'
  const place = out ?? data ?? null
  context.out.data({ folder: place, redis, created, network, store, keys }, () => [
    ...(place === null ? [] : [`Restored   ${place}`]),
    ...(redis ? ['Restored   into Redis'] : []),
    `Network    ${network}`,
    `As of      ${moment(Date.parse(created))}`,
  ])
  context.out.say(
    'Whatever the relay confirmed after that moment it has forgotten: tell the administrators',
    'before you start it, and never start the old one beside it.',
    ...(keys === 'left-out'
      ? [`The keys are not in this backup: put yours at ${join(out ?? '', names.keys)}, chmod 600.`]
      : []),
    ...(out === undefined
      ? []
      : [
          ...(redis ? [`Look whether ${names.config} names the new server.`] : []),
          ...['Next:', `  liaison relay serve --config ${join(out, names.config)}`],
        ]),
  )
}

/** The server that the options name; the network file may be the one of the backup. */
async function redisOf(
  context: Context,
  options: Options,
  folder: string,
): Promise<Awaited<ReturnType<typeof readRedisOptions>>> {
  const rest = { network: join(folder, names.network), keys: 'not-needed' }
  const { redis } = checkedConfig(context, { ...rest, ...(await gather(options)), store: 'redis' })
  if (redis === undefined) throw new TypeError('the store is redis')
  return readRedisOptions(redis)
}

async function openKeys(context: Context, path: string): Promise<Uint8Array> {
  const bytes = await readBytes(path)
  return askAgain(
    context,
    () => askPassphrase(context, path),
    async (passphrase) => gathered((await readSealedFile(from(bytes), keysKind)).open(passphrase)),
  )
}
