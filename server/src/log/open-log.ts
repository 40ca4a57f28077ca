import type { NetworkId } from '@liaison/protocol'
import type { RelayConfig } from '../config.ts'
import { readRedisOptions } from '../config-redis.ts'
import { openLmdbLog } from './lmdb-log.ts'
import { openRedisLog } from './redis-log.ts'
import type { LogListener, RelayLog } from './relay-log.ts'

/** What is needed to open the log of a network, whatever keeps it. */
export interface OpenLogOptions {
  readonly config: RelayConfig
  readonly net: NetworkId
  readonly listener: LogListener
}

/** Opens the log that the configuration names. @throws RelayError */
export async function openLog({ config, net, listener }: OpenLogOptions): Promise<RelayLog> {
  if (config.redis !== undefined) {
    return openRedisLog({ redis: await readRedisOptions(config.redis), net, listener })
  }
  return openLmdbLog({ folder: config.data ?? '', net, listener })
}
