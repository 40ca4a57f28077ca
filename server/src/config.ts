import { readFile, stat } from 'node:fs/promises'
import { fromBase64url, RelayError, type SigningKey, signingKeyFromSeed } from '@liaison/protocol'
import { Ajv2020 as Ajv, type ErrorObject } from 'ajv/dist/2020.js'
import { type RedisChecked, type RedisStore, redisProblems, redisStore } from './config-redis.ts'
import { configSchema, listOptions, type OptionName } from './config-schema.ts'
import { isLoopback, isNode } from './network-address.ts'

/** Where the relay listens. */
export interface Listen {
  readonly host: string
  /** 0 asks the system for a free port. */
  readonly port: number
}

/** Everything a relay process is told. */
export interface RelayConfig {
  /** Folder of the embedded log; absent when everything is in Redis. */
  readonly data?: string
  /** The store that several relays share; absent with the embedded log. */
  readonly redis?: RedisStore
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
  /** Threads that check signatures; absent: as many as the machine makes worth it. */
  readonly signatureThreads?: number
  /** Lets the relay listen without TLS beyond loopback: only behind a proxy that speaks TLS. */
  readonly behindTlsProxy: boolean
}

/** Options as they come from a file, the environment and flags, the later ones winning. */
export type ConfigInput = Readonly<Record<string, unknown>>

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

/** Options after the schema: of their types, with the defaults filled in. */
interface CheckedOptions extends RedisChecked {
  readonly store: 'lmdb' | 'redis'
  readonly data?: string
  readonly network: string
  readonly keys: string
  readonly host: string
  readonly port: number
  readonly operatorHost: string
  readonly operatorPort: number
  readonly tlsCert?: string
  readonly tlsKey?: string
  readonly behindTlsProxy: boolean
  readonly origins: readonly string[]
  readonly logLevel: string
  readonly signatureThreads?: number
}

// Values from the environment are text, so numbers and truth values are read from text too.
const ajv = new Ajv({ allErrors: true, coerceTypes: true, useDefaults: true, strict: true })
ajv.addFormat('origin', (text: string) => URL.canParse(text) && new URL(text).origin === text)
ajv.addFormat('node', isNode)
const isChecked = ajv.compile<CheckedOptions>(configSchema)

/** Checks options and fills in what was not said. @throws ConfigError naming every problem. */
export function readConfig(input: ConfigInput): RelayConfig {
  const options: Record<string, unknown> = { ...input }
  for (const name of listOptions) {
    const value = options[name]
    if (typeof value === 'string') options[name] = value.split(',').map((one) => one.trim())
  }
  const isFormed = isChecked(options)
  const problems = isFormed ? [] : (isChecked.errors ?? []).map(problemOf)
  problems.push(...unsafeIn(options as Partial<CheckedOptions>))
  if (!isFormed || problems.length > 0) throw new ConfigError(problems)
  const { data, network, keys, host, port, operatorHost, operatorPort, tlsCert, tlsKey } = options
  const { behindTlsProxy, logLevel } = options
  const config: RelayConfig = {
    ...(options.store === 'redis' || data === undefined ? {} : { data }),
    ...(options.store === 'redis' ? { redis: redisStore(options) } : {}),
    network,
    keys,
    listen: { host, port },
    operator: { host: operatorHost, port: operatorPort },
    origins: options.origins,
    logLevel,
    behindTlsProxy,
    ...(options.signatureThreads === undefined
      ? {}
      : { signatureThreads: options.signatureThreads }),
  }
  return tlsCert === undefined || tlsKey === undefined
    ? config
    : { ...config, tls: { cert: tlsCert, key: tlsKey } }
}

/** What does not go together; options of a wrong form are judged as far as they say something. */
function unsafeIn(options: Partial<CheckedOptions>): ConfigProblem[] {
  const { host, port, operatorHost, operatorPort, tlsCert, tlsKey, behindTlsProxy } = options
  const problems: ConfigProblem[] = []
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    problems.push({ option: 'tlsCert, tlsKey', problem: 'go together' })
  }
  const isPlain = tlsCert === undefined || tlsKey === undefined
  if (isPlain && typeof host === 'string' && !isLoopback(host) && behindTlsProxy !== true) {
    const problem = 'is not loopback, so tlsCert and tlsKey (or behindTlsProxy) are required'
    problems.push({ option: 'host', problem })
  }
  if (port !== 0 && port === operatorPort && host === operatorHost) {
    problems.push({ option: 'port, operatorPort', problem: 'must differ' })
  }
  if (options.store === 'redis') problems.push(...redisProblems(options))
  else if (options.data === undefined) problems.push({ option: 'data', problem: 'is required' })
  return problems
}

/** Says a violation of the schema in the words of somebody who edits the file. */
function problemOf({ keyword, instancePath, params, message }: ErrorObject): ConfigProblem {
  const option = instancePath.slice(1).split('/')[0] ?? ''
  switch (keyword) {
    case 'required':
      return { option: String(params['missingProperty']), problem: 'is required' }
    case 'additionalProperties':
      return { option: String(params['additionalProperty']), problem: 'unknown option' }
    case 'enum':
      return {
        option,
        problem: `must be one of ${(params['allowedValues'] as string[]).join(', ')}`,
      }
    case 'format':
      if (option === 'redisNodes') {
        return { option, problem: 'must be addresses such as 127.0.0.1:6379' }
      }
      return { option, problem: 'must be web origins such as https://example.org, no path' }
    case 'minimum':
    case 'maximum':
      return { option, problem: rangeOf(option) }
    case 'type':
      return { option, problem: params['type'] === 'integer' ? rangeOf(option) : (message ?? '') }
    case 'minLength':
      return { option, problem: 'must not be empty' }
    default:
      return { option, problem: message ?? 'is not valid' }
  }
}

/** The whole numbers that an option takes, in words. */
function rangeOf(option: string): string {
  const { minimum, maximum } = configSchema.properties[option as OptionName]
  const what = /port$/i.test(option) ? 'a port' : 'a whole number'
  return `must be ${what}, ${String(minimum)} to ${String(maximum)}`
}

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
