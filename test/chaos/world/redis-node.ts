import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { mkdir, open, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Redis } from 'ioredis'
import { freePort } from '../../support/redis-server.ts'
import { pause, watched } from './processes.ts'

const run = promisify(execFile)

/** Settings that the product demands. */
const durable = {
  appendonly: 'yes',
  appendfsync: 'always',
  'no-appendfsync-on-rewrite': 'no',
  'aof-load-truncated': 'no',
  'auto-aof-rewrite-percentage': '0',
  'maxmemory-policy': 'noeviction',
  save: '',
  daemonize: 'no',
  'repl-diskless-sync-delay': '0',
} as const

/** Compiles the library that notes what was synced; null without a C compiler. */
export async function syncedLibrary(folder: string): Promise<string | null> {
  const library = join(folder, 'synced.so')
  const source = fileURLToPath(new URL('./synced.c', import.meta.url))
  try {
    await run('cc', ['-shared', '-fPIC', '-O1', '-o', library, source, '-ldl'])
    return library
  } catch {
    return null
  }
}

/** How a server of a run is started. */
export interface RedisNodeOptions {
  readonly name: string
  /** Folder for everything of this server. */
  readonly folder: string
  readonly host?: string
  readonly port?: number
  readonly settings?: Readonly<Record<string, string>>
  /** Library that notes what was synced. */
  readonly library: string | null
  /** Keeps its settings in a file, into which a Sentinel may write. */
  readonly hasConfigFile?: boolean
  /** Network namespace to run in. */
  readonly namespace?: string
}

/** A Redis server, or a Sentinel, that faults happen to. */
export class RedisNode implements AsyncDisposable {
  readonly name: string
  readonly host: string
  readonly port: number
  readonly folder: string
  readonly #options: RedisNodeOptions
  #child: ChildProcess | null = null

  private constructor(options: RedisNodeOptions, port: number) {
    this.#options = options
    this.name = options.name
    this.host = options.host ?? '127.0.0.1'
    this.port = port
    this.folder = options.folder
  }

  /** A server that is not started yet. */
  static async prepare(options: RedisNodeOptions): Promise<RedisNode> {
    await mkdir(join(options.folder, 'data'), { recursive: true })
    await mkdir(join(options.folder, 'synced'), { recursive: true })
    return new RedisNode(options, options.port ?? (await freePort()))
  }

  get pid(): number {
    return this.#child?.pid ?? 0
  }

  get alive(): boolean {
    const child = this.#child
    return child !== null && child.exitCode === null && child.signalCode === null
  }

  get dataFolder(): string {
    return join(this.folder, 'data')
  }

  /** File that holds every write since the server began. */
  get appendOnlyFile(): string {
    return join(this.dataFolder, 'appendonlydir', 'appendonly.aof.1.incr.aof')
  }

  get logFile(): string {
    return join(this.folder, 'redis.log')
  }

  /** Starts on the data that is there. @returns whether it answers; a server that refuses its data ends */
  async start(msMax = 20_000): Promise<boolean> {
    const { settings, host = '127.0.0.1', library, namespace, hasConfigFile } = this.#options
    const all = { ...durable, port: `${this.port}`, bind: host, dir: this.dataFolder, ...settings }
    const entries = Object.entries(all)
    if (hasConfigFile !== true) {
      const args = entries.flatMap(([name, value]) => [`--${name}`, value])
      return this.#launch(['redis-server', ...args], namespace, library, msMax)
    }
    const text = entries.map(([name, value]) => `${name} ${value === '' ? '""' : value}\n`).join('')
    const file = await this.#configFile('redis.conf', text)
    return this.#launch(['redis-server', file], namespace, library, msMax)
  }

  /** A file that is written once: the server changes it itself. */
  async #configFile(name: string, text: string): Promise<string> {
    const file = join(this.folder, name)
    if ((await stat(file).catch(() => null)) === null) await writeFile(file, text)
    return file
  }

  /** Starts it as a Sentinel instead. @param config Text of its configuration, which it rewrites. */
  async startSentinel(config: string): Promise<boolean> {
    const file = await this.#configFile('sentinel.conf', config)
    const command = ['redis-server', file, '--sentinel']
    return this.#launch(command, this.#options.namespace, null, 10_000)
  }

  async #launch(
    command: readonly string[],
    namespace: string | undefined,
    library: string | null,
    msMax: number,
  ): Promise<boolean> {
    const prefix = namespace === undefined ? [] : ['ip', 'netns', 'exec', namespace]
    const [program = '', ...args] = [...prefix, ...command]
    const log = openSync(this.logFile, 'a')
    const preload =
      library === null ? {} : { LD_PRELOAD: library, LIAISON_SYNCED: join(this.folder, 'synced') }
    this.#child = watched(
      spawn(program, args, { stdio: ['ignore', log, log], env: { ...process.env, ...preload } }),
    )
    closeSync(log)
    this.#child.on('error', () => undefined)
    const end = performance.now() + msMax
    while (this.alive && performance.now() < end) {
      if ((await this.tryRun('PING')) === 'PONG') return true
      await pause(15)
    }
    return false
  }

  client(): Redis {
    const redis = new Redis({
      host: this.host,
      port: this.port,
      retryStrategy: () => null,
      maxRetriesPerRequest: 0,
      connectTimeout: 2_000,
      commandTimeout: 5_000,
      protocol: 2,
    })
    redis.on('error', () => undefined)
    return redis
  }

  /** Answer of one command, or null when there is none. */
  async tryRun(command: string, ...args: string[]): Promise<unknown> {
    const redis = this.client()
    try {
      return await redis.call(command, ...args)
    } catch {
      return null
    } finally {
      redis.disconnect()
    }
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    if (this.alive) this.#child?.kill(signal)
  }

  async kill(): Promise<void> {
    const child = this.#child
    if (child === null || !this.alive) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }

  /** Waits for the end of a server that is going down by itself. */
  async gone(msMax: number): Promise<boolean> {
    const end = performance.now() + msMax
    while (this.alive && performance.now() < end) await pause(20)
    return !this.alive
  }

  /**
   * What a power cut leaves: of each file as much as had been synced. Only for a server that is not
   * running. @returns bytes that were lost
   */
  async dropUnsynced(): Promise<number> {
    let lost = 0
    const folder = join(this.dataFolder, 'appendonlydir')
    for (const name of await readdir(folder).catch(() => [])) {
      if (!name.endsWith('.incr.aof')) continue
      const text = await readFile(join(this.folder, 'synced', name), 'utf8').catch(() => '0')
      const { size } = await stat(join(folder, name))
      const synced = Math.min(size, Number(text.trim()))
      lost += size - synced
      await truncate(join(folder, name), synced)
    }
    return lost
  }

  /** Makes syncs of the running server fail, or well again. */
  async failSyncs(fail: boolean): Promise<void> {
    const file = join(this.folder, 'synced', 'fail')
    if (fail) await writeFile(file, '')
    else await rm(file, { force: true })
  }

  /** Changes one bit of the append-only file. Only for a server that is not running. */
  async flipBit(at: number, bit: number): Promise<void> {
    const file = await open(this.appendOnlyFile, 'r+')
    try {
      const byte = Buffer.alloc(1)
      await file.read(byte, 0, 1, at)
      byte[0] = (byte[0] ?? 0) ^ (1 << bit)
      await file.write(byte, 0, 1, at)
    } finally {
      await file.close()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
  }
}
