import { chmod } from 'node:fs/promises'
import { join } from 'node:path'
import { type Clock, kidOf, type SigningKey, sodiumReady, toBase64url } from '@liaison/protocol'
import {
  type ConfigInput,
  type Overrides,
  openLmdbLog,
  openRedisLog,
  type RelayLog,
  type RunningRelay,
  readConfig,
  startRelay,
} from '@liaison/server'
import { pino } from 'pino'
import { makeSealingNetwork } from './epoch-keys.ts'
import type { NetworkOptions, TestDevice, TestNetwork } from './network.ts'
import { RawClient, type RawOptions } from './raw-client.ts'
import type { RedisServer } from './redis-server.ts'
import { type TempFolder, tempFolder } from './temp-folder.ts'

/** What a test wants differently. */
export interface RelayOptions extends Overrides {
  /** Folder that outlives the relay; default: one of its own that is removed. */
  readonly folder?: TempFolder
  /** Options for `readConfig`, over the defaults. */
  readonly config?: ConfigInput
  /** The log holds this network already. */
  readonly keepData?: boolean
  /** Keeps everything in this server, which other relays may share; else in the folder. */
  readonly redis?: RedisServer
  /** Number of the relay in the directory; default 1. */
  readonly number?: number
}

const seedOf = (key: SigningKey): string => toBase64url(key.secretKey.slice(0, 32))

/** Writes network file, key file and a log that holds the whole directory of a test network. */
export async function prepareRelay(
  network: TestNetwork,
  folder: TempFolder,
  { keepData = false, redis, number = 1 }: Pick<RelayOptions, 'keepData' | 'redis' | 'number'> = {},
): Promise<ConfigInput> {
  await sodiumReady()
  const genesis = network.directory.entry(0) as Uint8Array
  const keys = await folder.write(
    `relay-keys-${number}.json`,
    JSON.stringify({
      v: 1,
      number,
      relay: seedOf(network.relayKeyOf(number)),
      dirLog: seedOf(network.logKeys.dir),
      auditLog: seedOf(network.logKeys.audit),
    }),
  )
  await chmod(keys, 0o600)
  const networkFile = await folder.write(
    'network.json',
    JSON.stringify({ v: 1, genesis: toBase64url(genesis) }),
  )
  const common = { network: networkFile, keys, port: 0, operatorPort: 0, logLevel: 'silent' }
  if (redis !== undefined) {
    if (!keepData) await seedRedis(network, redis)
    return { ...common, store: 'redis', redisNodes: [`127.0.0.1:${redis.port}`] }
  }
  const data = join(folder.path, 'data')
  if (!keepData)
    await seedLog(network, await openLmdbLog({ folder: data, net: network.directory.net }))
  return { ...common, data }
}

async function seedRedis(network: TestNetwork, server: RedisServer): Promise<void> {
  const { net } = network.directory
  await server.install(net)
  await seedLog(network, await openRedisLog({ redis: server.options, net }))
}

/** Puts the directory and the public keys of a network into a new log, and closes it. */
export async function seedLog(network: TestNetwork, opened: RelayLog): Promise<void> {
  await using log = opened
  let at = 0
  for (const entry of network.entries()) {
    await log.appendDirectory(at, entry, { v: 1, t: network.now, e: 'directory', cur: at })
    at++
  }
  const keys = [...network.devices.values()].flatMap((device) => [...device.epochKeys.values()])
  await Promise.all(keys.map((key) => log.putBlob(kidOf(key), key)))
}

/** A relay of a test network, in this process, on a port of its own. */
export class TestRelay implements AsyncDisposable {
  readonly network: TestNetwork
  readonly running: RunningRelay
  readonly folder: TempFolder
  readonly #ownFolder: boolean
  readonly #clients: RawClient[] = []

  constructor(network: TestNetwork, running: RunningRelay, folder: TempFolder, ownFolder: boolean) {
    this.network = network
    this.running = running
    this.folder = folder
    this.#ownFolder = ownFolder
  }

  get url(): string {
    return this.running.url
  }

  /** An authenticated client of a device; it is closed with the relay. */
  async client(device: TestDevice, options: RawOptions = {}): Promise<RawClient> {
    return this.#kept(await RawClient.as(this.url, this.network, device, {}, options))
  }

  /** An authenticated administrator. */
  async administrator(adm: number, options: RawOptions = {}): Promise<RawClient> {
    const key = this.network.adminKeys.get(adm)
    if (key === undefined) throw new Error(`no administrator ${adm}`)
    return this.#kept(await RawClient.as(this.url, this.network, { adm, key }, {}, options))
  }

  #kept(client: RawClient): RawClient {
    this.#clients.push(client)
    return client
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) await client[Symbol.asyncDispose]()
    await this.running.stop()
    if (this.#ownFolder) await this.folder[Symbol.asyncDispose]()
  }
}

/** Starts the real relay for a test network; its clock is the network's unless another is given. */
export async function startTestRelay(
  network: TestNetwork,
  options: RelayOptions = {},
): Promise<TestRelay> {
  const { folder: given, config = {}, keepData, redis, number, ...overrides } = options
  const folder = given ?? (await tempFolder())
  const input = await prepareRelay(network, folder, {
    ...(keepData === undefined ? {} : { keepData }),
    ...(redis === undefined ? {} : { redis }),
    ...(number === undefined ? {} : { number }),
  })
  const clock: Clock = () => network.now
  const running = await startRelay(readConfig({ ...input, ...config }), {
    clock,
    logger: pino({ level: 'silent' }),
    // A test that keeps this process busy must not look like a busy relay.
    load: () => ({ loopDelayMs: 0, heapUsedPercent: 0 }),
    ...overrides,
  })
  return new TestRelay(network, running, folder, given === undefined)
}

/** A small network with real keys and its relay: what most scenarios begin with. */
export async function startScenario(
  options: NetworkOptions = {},
  relay: RelayOptions = {},
): Promise<TestRelay> {
  await sodiumReady()
  return startTestRelay(makeSealingNetwork(options), relay)
}
