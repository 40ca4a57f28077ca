import type { Socket } from 'node:net'
import { RelayError, randomBytes } from '@liaison/protocol'
import { type RedisOptions as IoRedisOptions, Redis } from 'ioredis'
import { functionName, libraryVersion } from './function-library.ts'
import { type RedisOptions, type RedisUser, redisLimits } from './redis-options.ts'

/** Options of the client library; replies keep their own shape. */
type ClientOptions = Omit<IoRedisOptions, 'replyMapping'>

/** One command: its name and arguments. */
export type Command = readonly [string, ...(string | number | Uint8Array)[]]

/** Called on every new connection before it is used; a rejection makes the link try again later. */
export type OnConnected = (link: Greeting) => Promise<void>

/** What a new connection lets its owner ask. */
export interface Greeting {
  run(...commands: Command[]): Promise<unknown[]>
}

/**
 * One connection to the present primary. Nothing is queued while there is none and nothing is ever sent
 * twice by itself: a command fails at once, or was sent and its outcome is unknown.
 */
export class RedisLink implements AsyncDisposable {
  readonly #redis: Redis
  readonly #onConnected: OnConnected
  readonly #monotonic: () => number
  #usable = false
  #generation = 0
  #since = 0
  #server = ''
  #greetTimer: NodeJS.Timeout | undefined
  #closed = false
  #lastFailure: unknown = null

  constructor(options: RedisOptions, name: string, monotonic: () => number, greet: OnConnected) {
    this.#onConnected = greet
    this.#monotonic = monotonic
    this.#redis = new Redis(clientOptions(options, name))
    this.#redis.on('error', (error) => {
      this.#lastFailure = refusalIn(error) ?? error
    })
    this.#redis.on('ready', () => void this.#greet())
    // A server that stands still accepts connections and answers nothing, not even to a password.
    this.#redis.on('connect', () => {
      clearTimeout(this.#greetTimer)
      this.#greetTimer = setTimeout(() => {
        if (!this.#usable) this.renew(new Error('the server does not answer'))
      }, redisLimits.openMsMax)
      this.#greetTimer.unref()
    })
    this.#redis.on('close', () => {
      clearTimeout(this.#greetTimer)
      this.#usable = false
    })
    // The client gives up when it is interrupted while it asks a Sentinel; this connection never does.
    this.#redis.on('end', () => {
      if (!this.#closed) setTimeout(() => this.#connect(), redisLimits.reconnectMsMin)
    })
  }

  /** Whether commands may be sent now. */
  get usable(): boolean {
    return this.#usable
  }

  /** Which server the present connection goes to; one that comes back at its address is the same. */
  get server(): string {
    return this.#server
  }

  /** When the present connection came into use, on the monotonic clock, ms. */
  get since(): number {
    return this.#since
  }

  /** Changes with every new connection. */
  get generation(): number {
    return this.#generation
  }

  /** How long the present connection has been in use, ms; 0 without one. */
  get upMs(): number {
    return this.#usable ? this.#monotonic() - this.#since : 0
  }

  /** Why the last connection did not work out. */
  get lastFailure(): unknown {
    return this.#lastFailure
  }

  /** Begins to connect; resolves when commands may be sent. @throws RelayError `log_unavailable` */
  async open(msMax: number): Promise<void> {
    this.#connect()
    const until = this.#monotonic() + msMax
    while (!this.#usable) {
      if (this.#lastFailure instanceof RelayError && isFinal(this.#lastFailure)) {
        throw this.#lastFailure
      }
      if (this.#monotonic() > until || this.#closed) throw unavailable(this.#lastFailure)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }

  #connect(): void {
    if (!this.#closed) this.#redis.connect().catch(() => undefined)
  }

  /** Makes a new connection: to another server after a failover, or past one that does not answer. */
  renew(reason: unknown): void {
    this.#lastFailure = reason
    this.#usable = false
    if (!this.#closed) this.#redis.disconnect(true)
  }

  /**
   * Sends commands in one write and waits for all answers; each is a value or the error that the server
   * gave. All go over the same connection to the same server, or fail together.
   *
   * @throws RelayError `log_unavailable`: not sent, or sent and the outcome unknown.
   */
  async run(
    commands: readonly Command[],
    msMax: number = redisLimits.answerMsMax,
  ): Promise<unknown[]> {
    if (!this.#usable) throw unavailable(this.#lastFailure)
    return this.#send(commands, msMax)
  }

  async #send(commands: readonly Command[], msMax: number): Promise<unknown[]> {
    const pipeline = this.#redis.pipeline()
    for (const [name, ...args] of commands) {
      pipeline.callBuffer(name, args.map(argument))
    }
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer within ${msMax} ms`)), msMax)
    })
    try {
      const answers = await Promise.race([pipeline.exec(), late])
      if (answers === null) throw new Error('the connection was closed')
      return answers.map(([error, value]) => this.#judged(error, value))
    } catch (error) {
      this.renew(error)
      throw unavailable(error)
    } finally {
      clearTimeout(timer)
    }
  }

  /** An error of the connection fails everything; one that the server gave belongs to its command. */
  #judged(error: Error | null, value: unknown): unknown {
    if (error === null) return value
    if (error.name !== 'ReplyError') throw error
    // The server is no longer the primary, or not of this slot: look for the one that is.
    if (/^(READONLY|MOVED|MASTERDOWN|CLUSTERDOWN|UNBLOCKED)/.test(error.message)) throw error
    return error
  }

  async #greet(): Promise<void> {
    const greeting: Greeting = {
      run: (...commands) => this.#send(commands, redisLimits.answerMsMax),
    }
    try {
      await checkPrimary(greeting)
      await this.#onConnected(greeting)
      this.#generation++
      this.#since = this.#monotonic()
      this.#server = addressOf(this.#redis)
      this.#usable = this.#redis.status === 'ready'
    } catch (error) {
      const reason =
        error instanceof RelayError && error.code === 'log_unavailable' ? error.cause : error
      this.renew(refusalIn(reason) ?? reason)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    this.#usable = false
    clearTimeout(this.#greetTimer)
    this.#redis.disconnect()
  }
}

/** Errors that another try would only repeat. */
const isFinal = (error: RelayError): boolean =>
  error.code === 'config_invalid' || error.code === 'store_mismatch' || error.code === 'log_corrupt'

/** Codes of Node for a certificate that is not to be trusted. */
const untrusted =
  /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT\w*|CERT_\w+|ERR_TLS_CERT_ALTNAME_INVALID)$/

/**
 * What another try would only repeat: the server refused the user (its password, or a right), or its
 * certificate is not to be trusted. Null for other errors.
 */
export function refusalIn(error: unknown): RelayError | null {
  const text = error instanceof Error ? error.message : ''
  if (/^(WRONGPASS|NOAUTH)/.test(text)) {
    return new RelayError('config_invalid', { field: 'redisUser, redisPasswordFile', detail: text })
  }
  if (error instanceof Error && 'code' in error && untrusted.test(String(error.code))) {
    return new RelayError('config_invalid', { field: 'redisTlsCa', detail: text, cause: error })
  }
  if (!text.startsWith('NOPERM')) return null
  const detail = `${text}: the lines that \`liaison relay init-redis\` prints give the rights`
  return new RelayError('store_mismatch', { field: 'redisUser', detail, cause: error })
}

/** What the caller hears when the outcome is not known. */
export const unavailable = (cause: unknown): RelayError =>
  new RelayError('log_unavailable', { cause })

/** What a reply of a function says, or its error as one of ours. */
export function replyOf(answer: unknown): unknown {
  if (!(answer instanceof Error)) return answer
  const { message } = answer
  if (message.includes('LIAISONCORRUPT')) {
    throw new RelayError('log_corrupt', {
      detail: message.replace(/^.*LIAISONCORRUPT /, '').trim(),
    })
  }
  throw unavailable(answer)
}

const argument = (value: string | number | Uint8Array): string | Buffer =>
  typeof value === 'object'
    ? Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    : String(value)

async function checkPrimary(link: Greeting): Promise<void> {
  const [role, version] = await link.run(['ROLE'], ['FCALL_RO', functionName('version'), 0])
  if (role instanceof Error) throw role
  if (String((role as readonly unknown[])[0]) !== 'master') throw new Error('not the primary')
  if (version instanceof Error) {
    if (!/function not found/i.test(version.message)) throw version
    throw new RelayError('config_invalid', {
      field: 'redisNodes',
      detail: `function library ${libraryVersion} is not loaded: run \`liaison relay init-redis\``,
    })
  }
}

/** Settings of the client library that keep its promises in line with ours. */
export function clientOptions(options: RedisOptions, name: string): ClientOptions {
  const tls = options.tls === undefined ? {} : { tls: { ...options.tls, minVersion: 'TLSv1.2' } }
  const common: ClientOptions = {
    lazyConnect: true,
    // Nothing waits in a queue that nobody sees, and nothing is sent again without our knowledge.
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    // Replies of the two protocol versions differ in shape.
    protocol: 2,
    // The user of a relay has no right to INFO; readiness is judged by our own first commands.
    enableReadyCheck: false,
    disableClientInfo: true,
    connectTimeout: redisLimits.connectMsMax,
    connectionName: `liaison-${name}`,
    retryStrategy: (times) => reconnectMs(times),
    ...credentials(options.user),
    ...(tls as object),
  }
  if (options.profile === 'ha') {
    return {
      ...common,
      sentinels: options.nodes.map(({ host, port }) => ({ host, port })),
      name: options.primary ?? 'liaison',
      updateSentinels: false,
      sentinelRetryStrategy: (times) => reconnectMs(times),
      sentinelCommandTimeout: redisLimits.connectMsMax,
      ...(options.tls === undefined
        ? {}
        : { sentinelTLS: { ...options.tls }, enableTLSForSentinelMode: true }),
    }
  }
  const [node] = options.nodes
  return { ...common, ...node }
}

const credentials = (user: RedisUser | undefined) =>
  user === undefined ? {} : { username: user.name, password: user.password }

function reconnectMs(times: number): number {
  const { reconnectMsMin, reconnectMsMax } = redisLimits
  const ceiling = Math.min(reconnectMsMax, reconnectMsMin * 2 ** Math.min(times, 10))
  // Half of it by chance, so that the relays of a network do not all come back at once.
  const chance = new DataView(randomBytes(4).buffer).getUint32(0) / 2 ** 32
  return Math.ceil((ceiling / 2) * (1 + chance))
}

/** Address of the server at the other end. The client's own types hide its socket. */
function addressOf(redis: Redis): string {
  const { remoteAddress = '', remotePort = 0 } =
    (redis as unknown as { readonly stream?: Partial<Socket> }).stream ?? {}
  return `${remoteAddress}:${remotePort}`
}
