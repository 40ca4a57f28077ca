import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import type { NetworkId } from '@liaison/protocol'
import { installRedis, type RedisOptions } from '@liaison/server'
import { Redis } from 'ioredis'
import { type TempFolder, tempFolder } from './temp-folder.ts'

/** Settings that the profile `single` demands, and no waiting for snapshots. */
const durable = {
  appendonly: 'yes',
  appendfsync: 'always',
  'no-appendfsync-on-rewrite': 'no',
  'aof-load-truncated': 'no',
  'maxmemory-policy': 'noeviction',
  save: '',
  'enable-debug-command': 'no',
} as const

/** What a test wants differently. */
export interface RedisServerOptions {
  /** Settings over the durable ones. */
  readonly settings?: Readonly<Record<string, string>>
  /** Folder of the data; default: one of its own that is removed. */
  readonly folder?: TempFolder
}

/** A port of this machine that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** A real Redis server of a test, on loopback, under one address for all its lives. */
export class RedisServer implements AsyncDisposable {
  readonly port: number
  readonly folder: TempFolder
  readonly #ownFolder: boolean
  readonly #settings: Readonly<Record<string, string>>
  #process: ChildProcess | null = null

  private constructor(port: number, folder: TempFolder, options: RedisServerOptions) {
    this.port = port
    this.folder = folder
    this.#ownFolder = options.folder === undefined
    this.#settings = { ...durable, ...options.settings }
  }

  /** Starts the server and waits until it answers. */
  static async start(options: RedisServerOptions = {}): Promise<RedisServer> {
    const server = new RedisServer(
      await freePort(),
      options.folder ?? (await tempFolder()),
      options,
    )
    try {
      await server.restart()
      return server
    } catch (error) {
      await server[Symbol.asyncDispose]()
      throw error
    }
  }

  /** How a relay reaches it. */
  get options(): RedisOptions {
    return {
      profile: 'single',
      nodes: [{ host: '127.0.0.1', port: this.port }],
      replicas: 0,
    }
  }

  /** File that holds every write since the server began. */
  get appendOnlyFile(): string {
    return join(this.folder.path, 'appendonlydir', 'appendonly.aof.1.incr.aof')
  }

  /** Process id while it runs. */
  get pid(): number | undefined {
    return this.#process?.pid
  }

  /** Loads the functions and sets up a network. */
  async install(net: NetworkId): Promise<void> {
    await installRedis(this.options, net)
  }

  /** Starts the server on the data that it had. */
  async restart(): Promise<void> {
    const settings = Object.entries({
      ...this.#settings,
      port: String(this.port),
      bind: '127.0.0.1',
      dir: this.folder.path,
      daemonize: 'no',
    }).flatMap(([name, value]) => [`--${name}`, value])
    const child = spawn('redis-server', settings, { stdio: ['ignore', 'pipe', 'inherit'] })
    this.#process = child
    const onExit = (): void => void child.kill('SIGKILL')
    process.once('exit', onExit)
    child.once('exit', () => process.off('exit', onExit))
    let said = ''
    child.stdout?.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-4096)
    })
    const failed = new Promise<never>((_, reject) => {
      child.once('error', reject)
      child.once('exit', (code) => reject(new Error(`redis-server ended with ${code}: ${said}`)))
    })
    await Promise.race([this.#answering(), failed])
    failed.catch(() => undefined)
  }

  async #answering(): Promise<void> {
    for (let tries = 0; tries < 500; tries++) {
      const redis = this.client()
      redis.on('error', () => undefined)
      try {
        await redis.ping()
        return
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 20))
      } finally {
        redis.disconnect()
      }
    }
    throw new Error('redis-server does not answer')
  }

  /** A plain client for looking and tampering. */
  client(): Redis {
    return new Redis({
      host: '127.0.0.1',
      port: this.port,
      retryStrategy: () => null,
      maxRetriesPerRequest: 0,
      protocol: 2,
    })
  }

  /** Runs one command with a client of its own. */
  async run(command: string, ...args: (string | Buffer | number)[]): Promise<unknown> {
    const redis = this.client()
    try {
      return await redis.callBuffer(
        command,
        args.map((a) => (typeof a === 'number' ? `${a}` : a)),
      )
    } finally {
      redis.disconnect()
    }
  }

  /** Stops it in good order, as an operator would. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM')
  }

  /** Ends it at once. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  /** Holds it still, or lets it go on. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#process?.kill(signal)
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process
    this.#process = null
    if (child === null || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill(signal)
    if (signal === 'SIGKILL') child.kill('SIGCONT')
    await ended
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
    if (this.#ownFolder) await this.folder[Symbol.asyncDispose]()
  }
}
