import {
  fromBase64url,
  RelayError,
  randomBytes,
  signingKeyFromSeed,
  toBase64url,
} from '@liaison/protocol'

/** The keys of a new relay: the text of its key file, and what the plan of a network names. */
export interface RelayKeySet {
  /** Secret: the relay's key file. */
  readonly text: string
  readonly publicKeys: {
    readonly relay: Uint8Array
    readonly dirLog: Uint8Array
    readonly auditLog: Uint8Array
  }
}

/** Seeds of the two logs of a network, base64url as in a key file. */
export interface LogSeeds {
  readonly dirLog: string
  readonly auditLog: string
}

const newSeed = (): string => toBase64url(randomBytes(32))

/**
 * Makes the keys of a relay.
 *
 * @param number Its number in the directory.
 * @param logs Of the network's first relay: all relays of a network sign the same two logs. New ones when absent.
 */
export function newRelayKeys(
  number: number = 1,
  logs: LogSeeds = { dirLog: newSeed(), auditLog: newSeed() },
): RelayKeySet {
  const seeds = { relay: newSeed(), dirLog: logs.dirLog, auditLog: logs.auditLog }
  const publicOf = (seed: string): Uint8Array =>
    signingKeyFromSeed(seedOf(seed) ?? new Uint8Array(32)).publicKey
  return {
    text: `${JSON.stringify({ v: 1, number, ...seeds }, null, 2)}\n`,
    publicKeys: {
      relay: publicOf(seeds.relay),
      dirLog: publicOf(seeds.dirLog),
      auditLog: publicOf(seeds.auditLog),
    },
  }
}

function seedOf(text: unknown): Uint8Array | null {
  const bytes = typeof text === 'string' ? fromBase64url(text) : null
  return bytes?.length === 32 ? bytes : null
}

/** Reads the keys of the logs out of a relay's key file. @throws RelayError `usage_invalid` */
export function logSeedsOf(text: string, path: string): LogSeeds {
  try {
    const { dirLog, auditLog } = JSON.parse(text) as Partial<LogSeeds>
    if (seedOf(dirLog) !== null && seedOf(auditLog) !== null)
      return { dirLog, auditLog } as LogSeeds
  } catch {
    // Told below, without quoting what may be a secret.
  }
  throw new RelayError('usage_invalid', { field: path, detail: 'It is no key file of a relay.' })
}
