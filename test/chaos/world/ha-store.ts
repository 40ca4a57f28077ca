import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { RedisOptions } from '@liaison/server'
import type { Wires } from '../faults/tcp-proxy.ts'
import type { Networks } from './networks.ts'
import { until } from './processes.ts'
import { RedisNode } from './redis-node.ts'
import type { Store, StoreWire } from './store.ts'

/** Name of the primary among the Sentinels. */
const primaryName = 'liaison'
const nodeCount = 3
/** How long the Sentinels must miss the primary, and how long a failover may take, ms. */
const downAfterMs = 1_500
const failoverMsMax = 6_000
/** Longest wait for servers to find together again, ms. */
const healthyMsMax = 40_000

/** How safe the world is meant to be; `unsafe` is for the run that must lose something. */
export type HaSafety = 'safe' | 'unsafe'

/** A primary with two replicas, and a Sentinel beside each. */
export class HaStore implements Store {
  readonly nodes: readonly RedisNode[]
  readonly networks: Networks | null
  readonly #sentinels: readonly RedisNode[]
  readonly #safety: HaSafety
  #primary: RedisNode

  private constructor(
    nodes: readonly RedisNode[],
    sentinels: readonly RedisNode[],
    networks: Networks | null,
    safety: HaSafety,
  ) {
    this.nodes = nodes
    this.#sentinels = sentinels
    this.networks = networks
    this.#safety = safety
    this.#primary = nodes[0] as RedisNode
  }

  /** @param networks Where each pair of server and Sentinel gets a network of its own; null: loopback. */
  static async start(
    folder: string,
    library: string | null,
    networks: Networks | null,
    safety: HaSafety = 'safe',
  ): Promise<HaStore> {
    await mkdir(folder, { recursive: true })
    const make = async (name: string, at: number): Promise<RedisNode> =>
      RedisNode.prepare({
        name,
        folder: join(folder, name),
        library,
        hasConfigFile: true,
        settings: {
          'min-replicas-to-write': safety === 'safe' ? '1' : '0',
          'min-replicas-max-lag': '2',
          'protected-mode': 'no',
        },
        ...(networks === null ? {} : { host: networks.host(at), namespace: networks.name(at) }),
      })
    const indices = Array.from({ length: nodeCount }, (_, at) => at)
    const nodes = await Promise.all(indices.map((at) => make(`redis-${at + 1}`, at)))
    const sentinels = await Promise.all(indices.map((at) => make(`sentinel-${at + 1}`, at)))
    const store = new HaStore(nodes, sentinels, networks, safety)
    try {
      await store.#begin()
      return store
    } catch (error) {
      await store[Symbol.asyncDispose]()
      throw error
    }
  }

  async #begin(): Promise<void> {
    const [first, ...others] = this.nodes as [RedisNode, ...RedisNode[]]
    for (const node of this.nodes) {
      if (!(await node.start())) throw new Error(`${node.name} does not start`)
    }
    for (const node of others) await node.tryRun('REPLICAOF', first.host, `${first.port}`)
    for (const sentinel of this.#sentinels) {
      const config = [
        `port ${sentinel.port}`,
        `bind ${sentinel.host}`,
        `dir ${sentinel.dataFolder}`,
        'protected-mode no',
        `sentinel monitor ${primaryName} ${first.host} ${first.port} 2`,
        `sentinel down-after-milliseconds ${primaryName} ${downAfterMs}`,
        `sentinel failover-timeout ${primaryName} ${failoverMsMax}`,
        `sentinel parallel-syncs ${primaryName} 2`,
        '',
      ]
      if (!(await sentinel.startSentinel(config.join('\n')))) throw new Error('no Sentinel')
    }
    await until('the Sentinels know each other', () => this.#isComplete(), healthyMsMax)
    await this.healthy()
  }

  async #isComplete(): Promise<boolean> {
    const said = await Promise.all(
      this.#sentinels.map((one) => one.tryRun('SENTINEL', 'MASTER', primaryName)),
    )
    return said.every((flat) => {
      if (!Array.isArray(flat)) return false
      const value = (name: string): number => Number(flat[flat.indexOf(name) + 1])
      return value('num-other-sentinels') === 2 && value('num-slaves') === 2
    })
  }

  /** The primary as it was last found. */
  get node(): RedisNode {
    return this.#primary
  }

  /** The primary that most Sentinels name. */
  async findPrimary(): Promise<RedisNode> {
    const votes = new Map<string, number>()
    for (const one of this.#sentinels) {
      const said = await one.tryRun('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', primaryName)
      const address = Array.isArray(said) ? said.join(':') : ''
      votes.set(address, (votes.get(address) ?? 0) + 1)
    }
    const [address = ''] = [...votes].sort((a, b) => b[1] - a[1])[0] ?? []
    const node = this.nodes.find(({ host, port }) => address === `${host}:${port}`)
    this.#primary = node ?? this.#primary
    return this.#primary
  }

  /** Waits until another server is the primary, by the word of most Sentinels and its own. */
  async failedOver(from: RedisNode): Promise<void> {
    await until(
      'another server is the primary',
      async () => {
        const now = await this.findPrimary()
        return now !== from && (await roleOf(now)) === 'master'
      },
      healthyMsMax,
    )
  }

  /** Waits until the primary has both replicas, and everybody agrees who it is. */
  async healthy(): Promise<void> {
    await until(
      'the primary has its replicas',
      async () => {
        const primary = await this.findPrimary()
        const role = await primary.tryRun('ROLE')
        if (!Array.isArray(role) || role[0] !== 'master') return false
        const others = this.nodes.filter((node) => node !== primary)
        const roles = await Promise.all(others.map(linkOf))
        return roles.every((link) => link === 'connected') && role[2].length === others.length
      },
      healthyMsMax,
    )
  }

  /** Starts a server again as a replica of the primary, as an operator would: Sentinel takes ten seconds for that. */
  async takeBack(node: RedisNode): Promise<void> {
    if (!(await node.start())) throw new Error(`${node.name} does not start again`)
    const { host, port } = await this.findPrimary()
    await node.tryRun('REPLICAOF', host, `${port}`)
  }

  async settle(): Promise<void> {
    await this.healthy()
  }

  options(): RedisOptions {
    return {
      profile: 'ha',
      nodes: this.#sentinels.map(({ host, port }) => ({ host, port })),
      primary: primaryName,
      replicas: this.#safety === 'safe' ? 1 : 0,
    }
  }

  primary(): RedisOptions {
    return this.options()
  }

  async wireFor(): Promise<StoreWire> {
    // The configuration wants TLS beyond loopback; the harness gives the addresses by another way.
    return { node: '127.0.0.1:1', redis: this.options() }
  }

  wiresOf(): Wires | null {
    return null
  }

  /** Makes the present primary hand over, as an operator would. */
  async handOver(): Promise<void> {
    await this.#sentinels[0]?.tryRun('SENTINEL', 'FAILOVER', primaryName)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const one of [...this.#sentinels, ...this.nodes]) await one[Symbol.asyncDispose]()
    await this.networks?.[Symbol.asyncDispose]()
  }
}

async function roleOf(node: RedisNode): Promise<unknown> {
  const role = await node.tryRun('ROLE')
  return Array.isArray(role) ? role[0] : null
}

/** State of the link of a replica to its primary. */
async function linkOf(node: RedisNode): Promise<unknown> {
  const role = await node.tryRun('ROLE')
  return Array.isArray(role) && role[0] === 'slave' ? role[3] : null
}
