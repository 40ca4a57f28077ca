import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Network } from '@liaison/client-sdk'
import {
  type AdminSession,
  connectAsAdministrator,
  type Identity,
  type StatementFile,
  signStatementFile,
} from '@liaison/client-sdk/admin'
import { nodeWebSocket, openLmdbStore } from '@liaison/client-sdk/node'
import {
  type Administrator,
  type Directory,
  decodeStatement,
  equal,
  fromBase64url,
  isRelayError,
  operationOf,
  RelayError,
  sodiumReady,
  toHex,
} from '@liaison/protocol'
import type { Command } from 'commander'
import { type Context, type Options, paths, timeLimit } from './context.ts'
import { Interrupted, usage } from './failure.ts'
import { unlock } from './key-access.ts'
import { makeFolder, networkOf, relayUrlOf } from './network-access.ts'

/** Longest wait for a relay, seconds. */
const connectSeconds = 30

/** Adds the options that administrators' commands share. */
export const deskOptions = (command: Command): Command =>
  command
    .option(
      '--identity <file>',
      "an administrator's key file; may be repeated on a machine that has several",
      (value: string, all: readonly string[] = []) => [...all, value],
    )
    .option('--pilot <folder>', 'network file and keys of a folder that `genesis --quick` made')
    .option('--network <file>', 'network file; that of the home folder when absent')
    .option('--relay <url>', 'another relay than that of the network file')

/** The network file that a command names, or undefined for that of the home folder. */
export function networkPathOf(options: Options): string | undefined {
  const pilot = options.text('pilot')
  return options.text('network') ?? (pilot === undefined ? undefined : join(pilot, 'network.json'))
}

/** The options that name the same keys again, for a command that is typed next. */
export function deskWords(options: Options): string {
  const pilot = options.text('pilot')
  if (pilot !== undefined) return `--pilot ${pilot}`
  const network = options.text('network')
  const keys = options.list('identity').map((file) => ` --identity ${file}`)
  return `${network === undefined ? '' : `--network ${network}`}${keys.join('')}`.trim()
}

/** Where an administrator works: keys, the directory, and the connection if there is one. */
export interface Desk extends AsyncDisposable {
  readonly network: Network
  readonly relays: readonly string[]
  readonly directory: Directory
  readonly session: AdminSession | null
  readonly keys: readonly Identity[]
}

/**
 * Key files that were named, opened.
 *
 * @param example Of the network.
 * @param enough How many keys of a pilot's folder are needed.
 */
export async function openKeys(
  context: Context,
  options: Options,
  example: boolean,
  enough: number,
): Promise<Identity[]> {
  const named = options.list('identity')
  const pilot = options.text('pilot')
  const files =
    named.length > 0 || pilot === undefined ? named : (await pilotKeys(pilot)).slice(0, enough)
  if (files.length === 0) {
    throw usage("Name an administrator's key file with --identity FILE.", 'identity')
  }
  const keys: Identity[] = []
  const shared = { text: null }
  for (const file of files) {
    // A pilot's keys were made together, under one passphrase.
    const passphrase = named.length > 0 ? undefined : shared
    keys.push(await unlock(context, file, 'administrator', example, passphrase))
  }
  return keys
}

/** Key files of a pilot's administrators, in the order of their numbers. */
async function pilotKeys(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((cause: unknown) => {
    throw new RelayError('file_unavailable', { field: folder, cause })
  })
  const numbered = names.flatMap((name) => {
    const number = /^admin-(\d+)-.*\.json$/.exec(name)?.[1]
    return number === undefined ? [] : [[Number(number), join(folder, name)] as const]
  })
  if (numbered.length === 0) {
    throw usage(`There are no keys of administrators in ${folder}.`, 'pilot')
  }
  return numbered.sort(([a], [b]) => a - b).map(([, file]) => file)
}

/**
 * Opens keys and network and connects to the relay.
 *
 * @param link `must` fails without a relay; `try` goes on with what the network file brings; `no`
 * does not connect.
 */
export async function openDesk(
  context: Context,
  options: Options,
  link: 'must' | 'try' | 'no',
): Promise<Desk> {
  await sodiumReady()
  const { network, directory } = await networkOf(context, networkPathOf(options))
  const { m, r } = directory.admins()
  const keys = await openKeys(context, options, directory.example, Math.max(m, r))
  const relay = options.text('relay')
  const relays =
    relay === undefined ? network.relays : [relay, ...network.relays.filter((r) => r !== relay)]
  const alone: Desk = {
    network,
    relays,
    directory,
    session: null,
    keys,
    [Symbol.asyncDispose]: async () => undefined,
  }
  if (link === 'no') return alone
  try {
    return await connected(context, alone, relayUrlOf(network, relay))
  } catch (error) {
    if (context.signal.aborted) throw new Interrupted()
    const unreached =
      isRelayError(error) && ['offline', 'timeout', 'cancelled'].includes(error.code)
    if (!unreached) throw error
    if (link === 'must')
      throw new RelayError('offline', { detail: 'The relay was not reached; nothing was changed.' })
    context.out.warn(
      'liaison: the relay was not reached; going on with the directory of the network file.',
    )
    return alone
  }
}

async function connected(context: Context, desk: Desk, url: string): Promise<Desk> {
  const { network, directory, keys } = desk
  const [first] = keys
  if (first === undefined) throw usage('No key file is open.', 'identity')
  const folder = join(paths.directories(context), toHex(directory.net).slice(0, 16))
  await makeFolder(folder)
  // The directory is public, so it is kept as it is; a relay that later shows less is found out.
  const store = await openLmdbStore(folder)
  // Lifted once connected: people may take minutes to compare 40 digits before they sign.
  const limit = timeLimit(context.signal, connectSeconds)
  try {
    const session = await connectAsAdministrator({
      url,
      network,
      identity: first,
      admin: adminNumber(directory, first),
      store,
      webSocket: nodeWebSocket,
      signal: limit.signal,
    })
    return {
      ...desk,
      directory: session.directory,
      session,
      [Symbol.asyncDispose]: async () => {
        session.close()
        await store[Symbol.asyncDispose]()
      },
    }
  } catch (error) {
    await store[Symbol.asyncDispose]()
    throw error
  } finally {
    limit.lift()
  }
}

/** Number of the administrator with this key. @throws RelayError `signer_unknown`. */
function adminNumber(directory: Directory, identity: Identity): number {
  return numberIn([...directory.admins().admins.values()], identity)
}

function numberIn(admins: readonly Administrator[], identity: Identity): number {
  const found = admins.find((admin) => equal(admin.key, identity.signingKey.publicKey))
  if (found !== undefined) return found.num
  throw new RelayError('signer_unknown', {
    detail:
      'The key file is not one of an administrator of this network, as far as the network file says.',
  })
}

/** Adds the signature of each key. @param directory null for a genesis. */
export function signWith(
  file: StatementFile,
  directory: Directory | null,
  keys: readonly Identity[],
): StatementFile {
  const admins = [
    ...(directory === null ? [] : directory.admins().admins.values()),
    ...newAdministrators(file),
  ]
  return keys.reduce(
    (signed, key) => signStatementFile(signed, directory, numberIn(admins, key), key.signingKey),
    file,
  )
}

/** Those whom a genesis or quorum statement would install. */
function newAdministrators(file: StatementFile): readonly Administrator[] {
  const decoded = decodeStatement(fromBase64url(file.stmt) ?? new Uint8Array())
  const operation = decoded.ok ? operationOf(decoded.value) : 'entry_malformed'
  if (typeof operation === 'string') return []
  return operation.op === 'genesis' || operation.op === 'quorum' ? operation.body.admins : []
}
