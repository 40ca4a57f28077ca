import { Directory, fromBase64url, RelayError, toBase64url } from '@liaison/protocol'

/**
 * The file by which a network is known: its genesis, where its relays are, and, for a device that
 * was just enrolled, its number and the directory so far. Public, but it must come from a trusted
 * hand: people compare the fingerprint of the genesis before they use it.
 */
export interface NetworkFile {
  readonly v: 1
  readonly name: string
  /** Genesis entry, base64url. */
  readonly genesis: string
  /** WebSocket addresses of the relays. */
  readonly relays: readonly string[]
  /** Number of the device that the file was made for. */
  readonly device?: number
  /** Directory entries after the genesis, base64url. */
  readonly directory?: readonly string[]
}

/** A network file that was read and whose genesis verifies. */
export interface Network {
  readonly name: string
  readonly genesis: Uint8Array
  readonly relays: readonly string[]
  readonly device: number | null
  /** Entries after the genesis; not yet verified. */
  readonly entries: readonly Uint8Array[]
  /** The directory at the genesis; others grow it from here. */
  readonly directory: Directory
}

/**
 * Reads a network file. `sodiumReady()` must have been awaited: the genesis is verified here.
 *
 * @throws RelayError `network_file_malformed` with the field at fault.
 */
export function parseNetworkFile(text: string): Network {
  const bad = (field: string): RelayError => new RelayError('network_file_malformed', { field })
  let file: Partial<NetworkFile>
  try {
    file = JSON.parse(text) as Partial<NetworkFile>
  } catch {
    throw bad('/')
  }
  if (typeof file !== 'object' || file === null || file.v !== 1) throw bad('/v')
  const genesis = typeof file.genesis === 'string' ? fromBase64url(file.genesis) : null
  if (genesis === null) throw bad('/genesis')
  const begun = Directory.fromGenesis(genesis)
  if (!begun.ok) throw bad('/genesis')
  const { relays = [], device, directory = [] } = file
  const relaysOk = Array.isArray(relays) && relays.every(isSocketUrl)
  if (!relaysOk) throw bad('/relays')
  if (device !== undefined && !(Number.isSafeInteger(device) && device > 0)) throw bad('/device')
  const entries = Array.isArray(directory) ? directory.map(entryOf) : [null]
  if (entries.some((entry) => entry === null)) throw bad('/directory')
  return {
    name: begun.value.name,
    genesis,
    relays,
    device: device ?? null,
    entries: entries.filter((entry) => entry !== null),
    directory: begun.value,
  }
}

const isSocketUrl = (text: unknown): boolean =>
  typeof text === 'string' && URL.canParse(text) && /^wss?:$/.test(new URL(text).protocol)

const entryOf = (text: unknown): Uint8Array | null =>
  typeof text === 'string' ? fromBase64url(text) : null

/** Writes a network file. @param device Adds what a newly enrolled device needs to begin. */
export function formatNetworkFile(
  directory: Directory,
  relays: readonly string[],
  device?: number,
): string {
  const entries = Array.from({ length: directory.size }, (_, i) =>
    toBase64url(directory.entry(i) ?? new Uint8Array()),
  )
  const [genesis = '', ...rest] = entries
  const file: NetworkFile = {
    v: 1,
    name: directory.name,
    genesis,
    relays,
    ...(device === undefined ? {} : { device, directory: rest }),
  }
  return `${JSON.stringify(file, null, 2)}\n`
}
