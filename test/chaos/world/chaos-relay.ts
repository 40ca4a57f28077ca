import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type SigningKey, toBase64url } from '@liaison/protocol'
import type { ConfigInput, RedisOptions } from '@liaison/server'
import type { TestNetwork } from '../../support/network.ts'
import { Wires } from '../faults/tcp-proxy.ts'
import type { Mutant } from './mutants.ts'
import { ChaosProcess } from './processes.ts'
import type { RelayOrder } from './relay-child.ts'

/** How the relays of a world are run. */
export interface RelaySetting {
  readonly network: TestNetwork
  readonly program: string
  readonly folder: string
  readonly history: string
  readonly world: string
  readonly watch: readonly number[]
  readonly mutant: Mutant | null
}

const seedOf = (key: SigningKey): string => toBase64url(key.secretKey.slice(0, 32))

/** One relay, with an address that outlives its processes, and the wires that lead to it. */
export class ChaosRelay implements AsyncDisposable {
  readonly number: number
  readonly name: string
  /** Wires between clients and this relay. */
  readonly wires: Wires
  readonly logFile: string
  /** Where it finds its store, if not where its configuration says. */
  readonly #redis: RedisOptions | null
  readonly #setting: RelaySetting
  readonly #redisNode: string
  #process: ChaosProcess | null = null
  #port: number | null = null
  #operatorUrl = ''

  constructor(
    setting: RelaySetting,
    number: number,
    redisNode: string,
    redis: RedisOptions | null,
  ) {
    this.#setting = setting
    this.number = number
    this.name = `relay-${number}`
    this.logFile = join(setting.folder, `${this.name}.log`)
    this.#redisNode = redisNode
    this.#redis = redis
    this.wires = new Wires(() => this.#port)
  }

  get pid(): number {
    return this.#process?.pid ?? 0
  }

  /** Whether clients may be sent to it. */
  get open(): boolean {
    return this.#port !== null
  }

  async #config(): Promise<ConfigInput> {
    const { network, folder } = this.#setting
    const home = join(folder, this.name)
    await mkdir(home, { recursive: true })
    const keys = join(home, 'keys.json')
    const networkFile = join(home, 'network.json')
    const { logKeys } = network
    await writeFile(
      keys,
      JSON.stringify({
        v: 1,
        number: this.number,
        relay: seedOf(network.relayKeyOf(this.number)),
        dirLog: seedOf(logKeys.dir),
        auditLog: seedOf(logKeys.audit),
      }),
    )
    await chmod(keys, 0o600)
    const genesis = toBase64url(network.directory.entry(0) as Uint8Array)
    await writeFile(networkFile, JSON.stringify({ v: 1, genesis }))
    return {
      network: networkFile,
      keys,
      port: 0,
      operatorPort: 0,
      logLevel: 'info',
      store: 'redis',
      redisNodes: [this.#redisNode],
    }
  }

  /** Starts a process; again after it could not reach its store, as a supervisor does. */
  async start(tries = 20): Promise<void> {
    const { program, history, world, watch, mutant } = this.#setting
    const config = await this.#config()
    const start = { config, redis: this.#redis, mutant, history, world, proc: this.name, watch }
    for (let left = tries; ; left--) {
      const child = new ChaosProcess(program, this.logFile)
      this.#process = child
      try {
        const order: RelayOrder = { start }
        const { url, operatorUrl } = await child.ask<{ url: string; operatorUrl: string }>(order)
        this.#operatorUrl = operatorUrl
        this.#port = Number(new URL(url).port)
        void child.ended.then(() => {
          if (this.#process === child) this.#port = null
        })
        return
      } catch (error) {
        await child.kill()
        if (left <= 1) throw error
      }
    }
  }

  async kill(): Promise<void> {
    this.#port = null
    await this.#process?.kill()
  }

  /** Asks it to end as an operator would, and waits for that. */
  async stop(): Promise<void> {
    this.#process?.signal('SIGTERM')
    await this.#process?.ended
    this.#port = null
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#process?.signal(signal)
  }

  /** Sets its clock this far off, ms. */
  async setClock(clockMs: number): Promise<void> {
    await this.#process?.ask({ clockMs } satisfies RelayOrder)
  }

  /** What it is waiting for by its own word; null when it does not answer. */
  async readiness(path: 'readyz' | 'livez' = 'readyz'): Promise<number | null> {
    if (this.#port === null) return null
    const signal = AbortSignal.timeout(2_000)
    const answer = await fetch(`${this.#operatorUrl}/${path}`, { signal }).catch(() => null)
    await answer?.arrayBuffer().catch(() => undefined)
    return answer?.status ?? null
  }

  async ready(): Promise<boolean> {
    return (await this.readiness()) === 200
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
    this.wires.reset()
  }
}
