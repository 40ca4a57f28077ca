import type { NetworkId } from '@liaison/protocol'
import { withConnection } from './one-connection.ts'
import { redisKeys } from './redis-keys.ts'
import type { RedisOptions } from './redis-options.ts'

/** Names of all public documents of a network. @throws RelayError `log_unavailable` */
export function redisBlobHashes(options: RedisOptions, net: NetworkId): Promise<Uint8Array[]> {
  return withConnection(options, 'blobs', async (redis) => {
    const names = (await redis.callBuffer('HKEYS', [redisKeys(net).blobs])) as Buffer[]
    return names.map((name) => new Uint8Array(name))
  })
}
