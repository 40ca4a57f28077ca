import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { NetworkId } from '@liaison/protocol'
import {
  installRedis,
  openLmdbLog,
  openRedisLog,
  type RedisOptions,
  type RelayLog,
  redisInstallation,
} from '@liaison/server'
import { Redis } from 'ioredis'

/** Where the relay of the demonstration keeps everything. */
export interface DemoStore {
  readonly kind: 'lmdb' | 'redis'
  /** As a person would name the place. */
  readonly place: string
  /** Options of the relay about it. */
  readonly relayOptions: Readonly<Record<string, unknown>>
  /** Before the first start. */
  prepare(net: NetworkId): Promise<void>
  /** Puts everything that it holds of the network into files of the folder, as it is stored. */
  gather(net: NetworkId, folder: string): Promise<void>
  /** The log, while no relay runs. */
  open(net: NetworkId): Promise<RelayLog>
  /** Leaves nothing of the network behind. */
  remove(net: NetworkId): Promise<void>
}

const nothing = (): Promise<void> => Promise.resolve()

/** The embedded store, in a folder of the demonstration. */
export const embeddedStore = (folder: string): DemoStore => ({
  kind: 'lmdb',
  place: folder,
  relayOptions: { data: folder },
  prepare: nothing,
  gather: nothing,
  open: (net) => openLmdbLog({ folder, net }),
  remove: nothing,
})

/** Entries of a stream, or keys, asked for at once. */
const pageMax = 500

/**
 * A server that somebody else started and that is left running.
 *
 * @param url `redis://HOST:PORT`, on loopback, or `rediss://HOST:PORT`; no password, which has no place in
 *   a command line.
 * @throws Error for another address
 */
export function redisStore(url: string): DemoStore {
  const address = URL.canParse(url) ? new URL(url) : null
  const tls = address?.protocol === 'rediss:'
  if (address === null || (!tls && address.protocol !== 'redis:') || address.hostname === '') {
    throw new Error('--redis: an address is needed, such as redis://127.0.0.1:6379')
  }
  if (address.password !== '' || address.username !== '') {
    throw new Error('--redis: no user or password; use a server that is there for this alone')
  }
  const node = { host: address.hostname, port: Number(address.port || 6379) }
  const options: RedisOptions = {
    profile: 'single',
    nodes: [node],
    replicas: 0,
    ...(tls ? { tls: {} } : {}),
  }
  const connect = (): Redis =>
    new Redis({ ...node, ...(tls ? { tls: {} } : {}), protocol: 2, maxRetriesPerRequest: 3 })
  return {
    kind: 'redis',
    place: `the Redis server at ${node.host}:${node.port}, which was running before`,
    relayOptions: {
      store: 'redis',
      redisNodes: [`${node.host}:${node.port}`],
      redisTls: tls,
    },
    async prepare(net) {
      await installRedis(options, net)
    },
    gather: (net, folder) => withKeys(connect(), net, (redis, key) => dump(redis, key, folder)),
    open: (net) => openRedisLog({ redis: options, net }),
    remove: (net) => withKeys(connect(), net, async (redis, key) => void (await redis.unlink(key))),
  }
}

/** Does something with every key of a network. */
async function withKeys(
  redis: Redis,
  net: NetworkId,
  use: (redis: Redis, key: string) => Promise<void>,
): Promise<void> {
  const { prefix } = redisInstallation(net)
  try {
    const keys = new Set<string>()
    let cursor = '0'
    do {
      const [next, found] = await redis.scan(cursor, 'MATCH', `${prefix}*`, 'COUNT', pageMax)
      for (const key of found) keys.add(key)
      cursor = next
    } while (cursor !== '0')
    for (const key of keys) await use(redis, key)
  } finally {
    redis.disconnect()
  }
}

/** The bytes that a key holds, one value after the other. */
async function dump(redis: Redis, key: string, folder: string): Promise<void> {
  const parts: Uint8Array[] = []
  if ((await redis.type(key)) === 'stream') {
    for (let from = '-'; ; ) {
      const count = ['COUNT', String(pageMax)]
      const entries = (await redis.callBuffer('XRANGE', [
        key,
        from,
        '+',
        ...count,
      ])) as StreamEntry[]
      for (const [id, fields] of entries) parts.push(id, ...fields)
      const last = entries.at(-1)
      if (last === undefined) break
      from = `(${last[0].toString()}`
    }
  } else {
    parts.push(...((await redis.callBuffer('HGETALL', [key])) as Buffer[]))
  }
  await writeFile(join(folder, encodeURIComponent(key)), Buffer.concat(parts))
}

type StreamEntry = readonly [Buffer, readonly Buffer[]]
