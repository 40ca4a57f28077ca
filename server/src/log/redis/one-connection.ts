import { RelayError } from '@liaison/protocol'
import { Redis } from 'ioredis'
import { clientOptions, refusalIn, unavailable } from './redis-link.ts'
import { type RedisOptions, redisLimits } from './redis-options.ts'

/**
 * Does something over one connection of its own, such as a check at start. What another try would only
 * repeat ends it at once; a server that is not there yet is waited for.
 *
 * @throws RelayError `config_invalid` or `store_mismatch` for a refused user, `config_invalid` for a
 *   certificate that is not to be trusted; `log_unavailable`
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
      const refusal = refusalIn(error)
      if (refusal !== null) reject(refusal)
    })
  })
  try {
    return await Promise.race([use(redis), refused])
  } catch (error) {
    if (error instanceof RelayError) throw error
    throw refusalIn(error) ?? unavailable(last ?? error)
  } finally {
    redis.disconnect()
  }
}
