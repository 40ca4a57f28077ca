import { RelayError } from '@liaison/protocol'
import { Redis } from 'ioredis'
import { clientOptions, refusedUser, unavailable } from './redis-link.ts'
import { type RedisOptions, redisLimits } from './redis-options.ts'

/**
 * Does something over one connection of its own, such as a check at start. A user that the server
 * refuses ends it at once; a server that is not there yet is waited for.
 *
 * @throws RelayError `config_invalid` or `store_mismatch` naming the refused user; `log_unavailable`
 */
export async function withConnection<T>(
  options: RedisOptions,
  name: string,
  use: (redis: Redis) => Promise<T>,
): Promise<T> {
  const redis = new Redis({
    ...clientOptions(options, name),
    // Waits for the first connection; there is nothing else to do yet.
    enableOfflineQueue: true,
    maxRetriesPerRequest: null,
    commandTimeout: redisLimits.openMsMax,
  })
  let last: unknown = null
  const refused = new Promise<never>((_, reject) => {
    redis.on('error', (error) => {
      last = error
      const refusal = refusedUser(error)
      if (refusal !== null) reject(refusal)
    })
  })
  try {
    return await Promise.race([use(redis), refused])
  } catch (error) {
    if (error instanceof RelayError) throw error
    throw refusedUser(error) ?? unavailable(last ?? error)
  } finally {
    redis.disconnect()
  }
}
