import { execFile } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { RedisOptions } from '@liaison/server'
import { TcpProxy, Wires } from '../faults/tcp-proxy.ts'
import { RedisNode } from './redis-node.ts'

/** How one relay reaches the store. */
export interface StoreWire {
  /** Address for its configuration. */
  readonly node: string
  /** Instead of what the configuration says. */
  readonly redis: RedisOptions | null
}

/** What keeps the log of a world. */
export interface Store extends AsyncDisposable {
  /** The server that takes writes. */
  readonly node: RedisNode
  /** How the harness itself opens the log. */
  options(): RedisOptions
  /** The server that takes writes, without anything in between. */
  primary(): RedisOptions
  wireFor(relay: number): Promise<StoreWire>
  /** Wires between a relay and the store; null where there are none to cut. */
  wiresOf(relay: number): Wires | null
  readonly nodes: readonly RedisNode[]
  /** After the last fault: finds out who takes writes now. */
  settle(): Promise<void>
}

/** One server that syncs before it answers. */
export class SingleStore implements Store {
  readonly node: RedisNode
  readonly nodes: readonly RedisNode[]
  readonly #wires = new Map<number, Wires>()
  readonly #proxies: TcpProxy[] = []

  private constructor(node: RedisNode) {
    this.node = node
    this.nodes = [node]
  }

  /** @param library Library that notes what was synced. @param diskMiB Size of a disk of its own. */
  static async start(
    folder: string,
    library: string | null,
    diskMiB: number | null,
  ): Promise<SingleStore> {
    await mkdir(folder, { recursive: true })
    const node = await RedisNode.prepare({ name: 'redis', folder: join(folder, 'redis'), library })
    if (diskMiB !== null) {
      const options = ['-t', 'tmpfs', '-o', `size=${diskMiB}m`, 'tmpfs', node.dataFolder]
      await promisify(execFile)('mount', options)
    }
    if (!(await node.start())) throw new Error('redis-server does not start')
    return new SingleStore(node)
  }

  options(): RedisOptions {
    return this.primary()
  }

  primary(): RedisOptions {
    const { host, port } = this.node
    return { profile: 'single', nodes: [{ host, port }], replicas: 0 }
  }

  async wireFor(relay: number): Promise<StoreWire> {
    const wires = new Wires(() => this.node.port)
    const proxy = await TcpProxy.listen(() => wires)
    this.#wires.set(relay, wires)
    this.#proxies.push(proxy)
    const { port } = proxy
    const nodes = [{ host: '127.0.0.1', port }]
    return { node: `127.0.0.1:${port}`, redis: { profile: 'single', nodes, replicas: 0 } }
  }

  wiresOf(relay: number): Wires | null {
    return this.#wires.get(relay) ?? null
  }

  settle(): Promise<void> {
    return Promise.resolve()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const proxy of this.#proxies) await proxy[Symbol.asyncDispose]()
    await this.node[Symbol.asyncDispose]()
  }
}
