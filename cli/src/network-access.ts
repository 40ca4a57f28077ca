import { mkdir } from 'node:fs/promises'
import { type Network, type NetworkFile, parseNetworkFile } from '@liaison/client-sdk'
import { Directory, RelayError, sodiumReady, toBase64url } from '@liaison/protocol'
import { type Context, makeHome, paths } from './context.ts'
import { readTextFile, writeTextFile } from './files.ts'

/** A network file: its text, for keeping, and what it says. */
export interface NetworkAtHand {
  readonly text: string
  readonly network: Network
  /** The directory with all entries that the file brings. */
  readonly directory: Directory
}

/**
 * Reads a network file with everything in it.
 *
 * @throws RelayError `file_unavailable`, `network_file_malformed`.
 */
export async function readNetwork(path: string): Promise<NetworkAtHand> {
  const text = await readTextFile(path)
  // Signatures of the genesis are verified while it is read.
  await sodiumReady()
  const network = parseNetworkFile(text)
  const directory = replayOf(network)
  return { text, network, directory }
}

/** The directory as far as a network file brings it. @throws RelayError `network_file_malformed`. */
export function replayOf(network: Network): Directory {
  const replayed = Directory.replay([network.genesis, ...network.entries])
  if (replayed.ok) return replayed.value
  throw new RelayError('network_file_malformed', {
    field: `/directory/${replayed.error.index - 1}`,
    detail: replayed.error.code,
  })
}

/** The network of this command: the file that was named, else the one of the home folder. */
export async function networkOf(
  context: Context,
  path: string | undefined,
): Promise<NetworkAtHand> {
  if (path !== undefined) return readNetwork(path)
  try {
    return await readNetwork(paths.network(context))
  } catch (error) {
    if (error instanceof RelayError && error.code === 'file_unavailable') {
      throw new RelayError('network_file_malformed', {
        field: paths.network(context),
        detail: 'This home has no network file yet: name one with --network FILE.',
      })
    }
    throw error
  }
}

/** Keeps a network file in the home folder. @throws RelayError `network_mismatch` when it is another network's. */
export async function keepNetwork(context: Context, at: NetworkAtHand): Promise<void> {
  await makeHome(context)
  const path = paths.network(context)
  const known = await readNetwork(path).catch((error: unknown) => {
    if (error instanceof RelayError && error.code === 'file_unavailable') return null
    throw error
  })
  if (known !== null && known.directory.name !== at.directory.name) {
    throw new RelayError('network_mismatch', { field: path })
  }
  if (known !== null && Buffer.compare(known.network.genesis, at.network.genesis) !== 0) {
    throw new RelayError('network_mismatch', { field: path })
  }
  // A file for this very device is worth more than a general one that came later.
  if (known?.network.device != null && at.network.device === null) return
  await writeTextFile(path, at.text, { replace: true })
}

/** A network file for anybody: the whole directory, no device. */
export function formatWholeNetwork(directory: Directory, relays: readonly string[]): string {
  const entries = Array.from({ length: directory.size }, (_unused, i) =>
    toBase64url(directory.entry(i) ?? new Uint8Array()),
  )
  const [genesis = '', ...rest] = entries
  const file: NetworkFile = { v: 1, name: directory.name, genesis, relays, directory: rest }
  return `${JSON.stringify(file, null, 2)}\n`
}

/** Address of the relay: as told, else the first of the network file. */
export function relayUrlOf(network: Network, told: string | undefined): string {
  const url = told ?? network.relays[0]
  if (url === undefined) {
    throw new RelayError('network_file_malformed', {
      field: '/relays',
      detail: 'The network file names no relay: add --relay URL.',
    })
  }
  if (!URL.canParse(url) || !/^wss?:$/.test(new URL(url).protocol)) {
    throw new RelayError('config_invalid', {
      field: 'relay',
      detail: 'It is no ws:// or wss:// address.',
    })
  }
  return url
}

/** Makes a folder, its parents too, for its owner only. */
export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw new RelayError('file_unavailable', { field: path, cause })
  }
}
