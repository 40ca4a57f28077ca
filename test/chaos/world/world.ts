import { mkdir } from 'node:fs/promises'
import { epochMs, kidOf, type Leaf, sodiumReady } from '@liaison/protocol'
import { installRedis, openRedisLog, type RedisOptions } from '@liaison/server'
import { redisKeys } from '../../../server/src/log/redis/redis-keys.ts'
import type { TestDevice, TestNetwork } from '../../support/network.ts'
import type { SeededRandom } from '../../support/seeded-random.ts'
import { TcpProxy, type Wires } from '../faults/tcp-proxy.ts'
import { HistoryWriter } from '../history.ts'
import { Administrator } from '../workload/administrator.ts'
import { RawPublisher } from '../workload/raw-publisher.ts'
import { Watcher } from '../workload/watcher.ts'
import { ChaosRelay } from './chaos-relay.ts'
import { DeviceHost } from './device-host.ts'
import type { Mutant } from './mutants.ts'
import {
  canaryOf,
  chaosNetwork,
  type NetworkSpec,
  NonsenseMaker,
  ReportMaker,
  topicName,
} from './network.ts'
import { pause, until } from './processes.ts'
import type { Store } from './store.ts'

/** Number of relays of every world. */
export const relayCount = 3

/** What a world is made of. */
export interface WorldOptions {
  readonly name: string
  readonly folder: string
  readonly history: string
  readonly runName: string
  readonly store: Store
  readonly programs: { readonly relay: string; readonly device: string }
  readonly mutant: Mutant | null
  /** Fewer clients and less patience: for a short run that shows one defect. */
  readonly isSmall: boolean
}

/** How long a world may take to come to itself after a fault, ms. */
const recoverMsMax = 30_000
/** ... when it has a defect, and the run only has to notice. */
const recoverSmallMsMax = 5_000

/** A network with its relays, its store and its clients, all alive and working. */
export class World implements AsyncDisposable {
  readonly options: WorldOptions
  readonly network: TestNetwork
  readonly topic: number
  readonly store: Store
  readonly writer: HistoryWriter
  readonly canary: string
  readonly relays: ChaosRelay[] = []
  readonly hosts: DeviceHost[] = []
  readonly publishers: RawPublisher[] = []
  readonly watchers: Watcher[] = []
  readonly admin: Administrator
  /** Sends well-sealed reports that are no reports, while it is not idle. */
  poisoner: RawPublisher | null = null
  /** Devices that are suspended and let in again; those that are out at the moment. */
  readonly victims: Watcher[] = []
  readonly out = new Set<Watcher>()
  /** Devices that must have everything in the end. */
  readonly readers: number[] = []
  readonly #spec: NetworkSpec
  readonly #doors: TcpProxy[] = []
  #front: TcpProxy | null = null
  #next = 0

  private constructor(options: WorldOptions) {
    this.options = options
    this.store = options.store
    const seed = `chaos ${options.runName} ${options.name}`
    // Old enough for all the statements that the network begins with, one second each.
    this.#spec = { seed, genesisT: Date.now() - 600_000, relays: relayCount }
    this.network = chaosNetwork(this.#spec)
    this.topic = this.network.topic(topicName)
    this.canary = canaryOf(`${options.runName}-${options.name}`)
    this.writer = new HistoryWriter(options.history, options.name, 'harness')
    this.admin = new Administrator(this.network, this.writer)
  }

  /** Starts everything; it is all at work when this resolves. */
  static async start(options: WorldOptions): Promise<World> {
    await sodiumReady()
    await mkdir(options.folder, { recursive: true })
    const world = new World(options)
    try {
      await world.#begin()
      return world
    } catch (error) {
      await world[Symbol.asyncDispose]()
      throw error
    }
  }

  async #begin(): Promise<void> {
    await this.#seed()
    const { folder, history, name, programs, mutant } = this.options
    const victims = [0, 1, 2].map((nth) => this.network.deviceOf('TD', nth))
    const watch = victims.map(({ num }) => num)
    const setting = { network: this.network, program: programs.relay, folder, history }
    for (let number = 1; number <= relayCount; number++) {
      const wire = await this.store.wireFor(number)
      this.relays.push(
        new ChaosRelay({ ...setting, world: name, watch, mutant }, number, wire.node, wire.redis),
      )
    }
    await Promise.all(this.relays.map((relay) => relay.start()))
    this.#front = await TcpProxy.listen(() => this.#choose())
    for (const relay of this.relays) this.#doors.push(await TcpProxy.listen(() => relay.wires))
    await this.#beginClients(victims)
  }

  async #beginClients(victims: readonly TestDevice[]): Promise<void> {
    const { folder, history, name, programs, isSmall } = this.options
    const device = { program: programs.device, network: this.#spec, url: this.url, folder, history }
    const common = { ...device, world: name, canary: this.canary }
    const [everyMs, batch] = isSmall ? [60, 2] : [200, 3]
    this.hosts.push(
      new DeviceHost(common, 'devices-a', [
        { member: 'BF', nth: 0, everyMs: isSmall ? 100 : 300 },
        { member: 'NE', nth: 0, everyMs: null },
      ]),
    )
    if (!isSmall) {
      this.hosts.push(
        new DeviceHost(common, 'devices-b', [
          { member: 'ML', nth: 0, everyMs: 300 },
          { member: 'FLU', nth: 0, everyMs: null },
        ]),
      )
    }
    for (const member of ['BF', 'ML']) {
      const maker = new ReportMaker(member, this.canary)
      const options = { url: this.url, writer: this.writer, maker, everyMs, batch }
      const publisher = new RawPublisher(this.network, this.network.deviceOf(member, 1), options)
      this.publishers.push(publisher)
      publisher.begin()
    }
    const nonsense = new NonsenseMaker('SN', this.canary)
    const sending = { url: this.url, writer: this.writer, maker: nonsense, everyMs: 200, batch: 2 }
    this.poisoner = new RawPublisher(this.network, this.network.deviceOf('SN'), sending)
    this.poisoner.idle = true
    this.poisoner.begin()
    const watching = { writer: this.writer, topic: this.topic }
    for (const [at, one] of victims.entries()) {
      // Each at a relay of its own, so that a fault can meet the relay of one of them.
      const url = this.urlOf(this.relays[at % relayCount] as ChaosRelay)
      this.victims.push(new Watcher(this.network, one, { ...watching, url }))
    }
    const unit = this.network.deviceOf('FLU', 1)
    this.watchers.push(new Watcher(this.network, unit, { ...watching, url: this.url }))
    for (const watcher of [...this.victims, ...this.watchers]) watcher.begin()
    const numbers = await Promise.all(this.hosts.map((host) => host.start()))
    this.readers.push(...numbers.flat(), unit.num)
    await this.acknowledging('the first reports')
  }

  /** Puts the network into the store, as its founding would have. */
  async #seed(): Promise<void> {
    const { network } = this
    const { net } = network.directory
    const redis: RedisOptions = this.store.options()
    await installRedis(this.store.primary(), net)
    await using log = await openRedisLog({ redis, net })
    for (const [at, entry] of network.entries().entries()) {
      const leaf: Leaf = { v: 1, t: epochMs(network.now), e: 'directory', cur: at }
      await log.appendDirectory(at, entry, leaf)
    }
    const keys = [...network.devices.values()].flatMap((one) => [...one.epochKeys.values()])
    await Promise.all(keys.map((key) => log.putBlob(kidOf(key), key)))
  }

  /** Address behind which any relay may stand. */
  get url(): string {
    return `ws://127.0.0.1:${this.#front?.port}/relay`
  }

  /** Address of one relay. */
  urlOf(relay: ChaosRelay): string {
    return `ws://127.0.0.1:${this.#doors[relay.number - 1]?.port}/relay`
  }

  /** The relays in turn, those that are open. */
  #choose(): Wires | null {
    for (let tries = 0; tries < relayCount; tries++) {
      const relay = this.relays[this.#next++ % relayCount]
      if (relay?.open === true) return relay.wires
    }
    return null
  }

  /** A relay by chance. */
  anyRelay(random: SeededRandom): ChaosRelay {
    return this.relays[random.integer(relayCount)] as ChaosRelay
  }

  /** Reports that the publishers without the SDK had acknowledged so far. */
  get acknowledged(): number {
    return this.publishers.reduce((sum, one) => sum + one.acknowledged, 0)
  }

  /** Waits until each publisher had something acknowledged from now on. */
  async acknowledging(what: string, msMax = 30_000): Promise<void> {
    const before = this.publishers.map((one) => one.acknowledged)
    await until(
      `reports are acknowledged again after ${what}`,
      () => this.publishers.every((one, i) => one.acknowledged > (before[i] ?? 0)),
      msMax,
    )
  }

  /** Name of the hash with the sizes of the log. */
  get numbersKey(): string {
    return redisKeys(this.network.directory.net).numbers
  }

  /** Lets it work undisturbed for a moment. */
  async calm(ms: number): Promise<void> {
    await pause(ms)
    await this.acknowledging('a calm moment')
  }

  /** Starts relays that have ended, and lets the world come to itself after a fault. */
  async recover(what: string): Promise<void> {
    await Promise.all(this.relays.filter((relay) => !relay.open).map((relay) => relay.start()))
    await this.acknowledging(what, this.options.isSmall ? recoverSmallMsMax : recoverMsMax)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const host of this.hosts) await host.kill()
    for (const publisher of this.publishers) await publisher.finish(0)
    await this.poisoner?.finish(0)
    for (const watcher of [...this.watchers, ...this.victims]) await watcher.end()
    for (const relay of this.relays) await relay[Symbol.asyncDispose]()
    for (const door of this.#doors) await door[Symbol.asyncDispose]()
    await this.#front?.[Symbol.asyncDispose]()
    await this.store[Symbol.asyncDispose]()
  }
}
