import { type NetworkId, RelayError } from '@liaison/protocol'
import { Redis } from 'ioredis'
import { functionName, librarySource, libraryVersion } from './function-library.ts'
import { redisKeys } from './redis-keys.ts'
import { clientOptions, unavailable } from './redis-link.ts'
import { type RedisOptions, redisLimits } from './redis-options.ts'

/** What was done on the server. */
export interface Installed {
  readonly library: number
  /** What every key of the network begins with; the user of the relays may touch no other. */
  readonly prefix: string
}

/**
 * Loads the functions and sets up a network, with the rights of the operator. Doing it again changes
 * nothing.
 *
 * @throws RelayError `log_unavailable`, `store_mismatch` when another network has the same short name
 */
export async function installRedis(options: RedisOptions, net: NetworkId): Promise<Installed> {
  const redis = new Redis({
    ...clientOptions(options, 'install'),
    enableOfflineQueue: true,
    maxRetriesPerRequest: null,
    commandTimeout: redisLimits.openMsMax,
  })
  redis.on('error', () => undefined)
  const keys = redisKeys(net)
  try {
    await redis.call('FUNCTION', 'LOAD', 'REPLACE', librarySource)
    const claimed = await redis.callBuffer(
      'FCALL',
      functionName('claim'),
      1,
      keys.meta,
      Buffer.from(net),
    )
    if (Buffer.compare(claimed as Buffer, net) !== 0) {
      throw new RelayError('store_mismatch', { detail: keys.meta })
    }
  } catch (error) {
    throw error instanceof RelayError ? error : unavailable(error)
  } finally {
    redis.disconnect()
  }
  return { library: libraryVersion, prefix: keys.prefix }
}
