import { readFile, stat } from 'node:fs/promises'
import { fromBase64url, RelayError, type SigningKey, signingKeyFromSeed } from '@liaison/protocol'

/** Where the relay listens. */
export interface Listen {
  readonly host: string
  /** 0 asks the system for a free port. */
  readonly port: number
}

/** Everything a relay process is told. */
export interface RelayConfig {
  /** Folder of the embedded log. */
  readonly data: string
  /** Network file with the genesis entry. */
  readonly network: string
  /** Key file of this relay, readable by its user only. */
  readonly keys: string
  readonly listen: Listen
  /** The operator's door; loopback unless the operator says otherwise. */
  readonly operator: Listen
  readonly tls?: { readonly cert: string; readonly key: string }
  readonly origins: readonly string[]
  readonly logLevel: string
  /** Lets the relay listen without TLS beyond loopback: only behind a proxy that speaks TLS. */
  readonly behindTlsProxy: boolean
}

/** Options as they come from a file, the environment and flags, the later ones winning. */
export type ConfigInput = Readonly<Record<string, unknown>>

const levels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']

/** Names of all options. */
export const configOptions: readonly string[] = [
  'data',
  'network',
  'keys',
  'host',
  'port',
  'operatorHost',
  'operatorPort',
  'tlsCert',
  'tlsKey',
  'origins',
  'logLevel',
  'behindTlsProxy',
]
const known = new Set(configOptions)

/** A problem with one option. */
export interface ConfigProblem {
  readonly option: string
  readonly problem: string
}

/** Thrown with everything that is wrong at once, so that one correction is enough. */
export class ConfigError extends RelayError {
  readonly problems: readonly ConfigProblem[]

  constructor(problems: readonly ConfigProblem[]) {
    const field = problems.map((p) => p.option).join(', ')
    super('config_invalid', { field })
    this.problems = problems
  }
}

/** Checks options and fills in what was not said. @throws ConfigError naming every problem. */
export function readConfig(input: ConfigInput): RelayConfig {
  const problems: ConfigProblem[] = []
  const bad = (option: string, problem: string): void => void problems.push({ option, problem })
  for (const option of Object.keys(input)) if (!known.has(option)) bad(option, 'unknown option')

  const text = (option: string, fallback?: string): string => {
    const value = input[option] ?? fallback
    if (typeof value === 'string' && value.length > 0) return value
    bad(option, value === undefined ? 'is required' : 'must be text')
    return ''
  }
  const port = (option: string, fallback: number): number => {
    const value = Number(input[option] ?? fallback)
    if (Number.isInteger(value) && value >= 0 && value <= 65_535) return value
    bad(option, 'must be a port, 0 to 65535')
    return 0
  }
  const host = text('host', '127.0.0.1')
  const config = {
    data: text('data'),
    network: text('network'),
    keys: text('keys'),
    listen: { host, port: port('port', 8443) },
    operator: { host: text('operatorHost', '127.0.0.1'), port: port('operatorPort', 9464) },
    origins: listOf(input['origins'], bad),
    logLevel: text('logLevel', 'info'),
    behindTlsProxy: input['behindTlsProxy'] === true || input['behindTlsProxy'] === 'true',
  }
  if (!levels.includes(config.logLevel)) bad('logLevel', `must be one of ${levels.join(', ')}`)
  const [cert, key] = [input['tlsCert'], input['tlsKey']]
  if ((cert === undefined) !== (key === undefined)) bad('tlsCert, tlsKey', 'go together')
  const tls = typeof cert === 'string' && typeof key === 'string' ? { cert, key } : undefined
  if (tls === undefined && !isLoopback(host) && !config.behindTlsProxy) {
    bad('host', 'is not loopback, so tlsCert and tlsKey (or behindTlsProxy) are required')
  }
  if (problems.length > 0) throw new ConfigError(problems)
  return tls === undefined ? config : { ...config, tls }
}

function listOf(value: unknown, bad: (option: string, problem: string) => void): string[] {
  if (value === undefined) return []
  const items = typeof value === 'string' ? value.split(',').map((s) => s.trim()) : value
  if (Array.isArray(items) && items.every((s) => typeof s === 'string' && URL.canParse(s))) {
    return items
  }
  bad('origins', 'must be a list of web origins')
  return []
}

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || host.startsWith('127.')

/** Keys of one relay process. */
export interface RelayKeys {
  /** Number of the relay in the directory. */
  readonly number: number
  /** Signs challenges and receipts. */
  readonly relay: SigningKey
  /** Sign the checkpoints of the two logs. */
  readonly dirLog: SigningKey
  readonly auditLog: SigningKey
}

/** The relay's key file: seeds in base64url. Made by `liaison admin genesis`. */
interface RelayKeyFile {
  readonly v: 1
  readonly number: number
  readonly relay: string
  readonly dirLog: string
  readonly auditLog: string
}

/** Reads the relay's key file; refuses one that others on the machine can read. */
export async function readRelayKeys(path: string): Promise<RelayKeys> {
  const problem = (text: string): ConfigError =>
    new ConfigError([{ option: 'keys', problem: text }])
  const info = await stat(path).catch(() => null)
  if (info === null) throw problem('the file cannot be read')
  if ((info.mode & 0o077) !== 0) throw problem('others can read the file: chmod 600')
  const file = parseJson<Partial<RelayKeyFile>>(await readFile(path, 'utf8'))
  const key = (text: unknown): SigningKey => {
    const seed = typeof text === 'string' ? fromBase64url(text) : null
    if (seed === null || seed.length !== 32) throw problem('is not a relay key file')
    return signingKeyFromSeed(seed)
  }
  if (file === null || file.v !== 1 || !Number.isInteger(file.number)) {
    throw problem('is not a relay key file')
  }
  return {
    number: file.number as number,
    relay: key(file.relay),
    dirLog: key(file.dirLog),
    auditLog: key(file.auditLog),
  }
}

/** Reads the genesis entry out of a network file. */
export async function readGenesis(path: string): Promise<Uint8Array> {
  const problem = (text: string): ConfigError =>
    new ConfigError([{ option: 'network', problem: text }])
  const text = await readFile(path, 'utf8').catch(() => null)
  if (text === null) throw problem('the file cannot be read')
  const file = parseJson<{ v?: unknown; genesis?: unknown }>(text)
  const bytes = typeof file?.genesis === 'string' ? fromBase64url(file.genesis) : null
  if (file?.v !== 1 || bytes === null) throw problem('is not a network file')
  return bytes
}

function parseJson<T>(text: string): T | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as T) : null
  } catch {
    return null
  }
}
