import { type NetworkId, RelayError } from '@liaison/protocol'
import type { Redis } from 'ioredis'
import { functionName, librarySource, libraryVersion } from './function-library.ts'
import { withConnection } from './one-connection.ts'
import { redisKeys } from './redis-keys.ts'
import { type RedisOptions, redisLimits } from './redis-options.ts'
import { checkReplicas, waitFor } from './redis-writer.ts'

/** Pause before another try while replicas are missing. */
const replicaPauseMs = 250

/** What is set up on a server. */
export interface Installed {
  readonly library: number
  /** What every key of the network begins with; the user of the relays may touch no other. */
  readonly prefix: string
}

/** What {@link installRedis} sets up for a network. */
export const redisInstallation = (net: NetworkId): Installed => ({
  library: libraryVersion,
  prefix: redisKeys(net).prefix,
})

/**
 * Loads the functions and sets up a network, with the rights of the operator. Doing it again changes
 * nothing.
 *
 * @throws RelayError `log_unavailable`; `config_invalid` when the server refuses the user;
 *   `store_mismatch` when another network has the same short name
 */
export async function installRedis(options: RedisOptions, net: NetworkId): Promise<Installed> {
  const { meta } = redisKeys(net)
  await withConnection(options, 'install', (redis) => load(redis, options, meta, net))
  return redisInstallation(net)
}

async function load(
  redis: Redis,
  options: RedisOptions,
  meta: string,
  net: NetworkId,
): Promise<void> {
  try {
    await loadLibrary(redis)
    const claim = [functionName('claim'), '1', meta, Buffer.from(net)]
    const claimed = await redis.callBuffer('FCALL', claim)
    if (Buffer.compare(claimed as Buffer, net) !== 0) {
      throw new RelayError('store_mismatch', { detail: meta })
    }
    // A failover right after this must not bring a server that lacks it.
    const [wait, ...rest] = waitFor(options.replicas)
    if (options.replicas > 0) {
      checkReplicas(await redis.call(wait, rest.map(String)), options.replicas)
    }
  } catch (error) {
    const text = error instanceof Error ? error.message : ''
    if (!text.startsWith('NOPERM')) throw error
    throw new RelayError('config_invalid', {
      field: 'user',
      detail: `${text}: it takes the operator's rights`,
      cause: error,
    })
  }
}

/** Replicas that have just been started are waited for: without them a primary takes no writes. */
async function loadLibrary(redis: Redis): Promise<void> {
  for (let waited = 0; ; waited += replicaPauseMs) {
    try {
      await redis.call('FUNCTION', 'LOAD', 'REPLACE', librarySource)
      return
    } catch (error) {
      const text = error instanceof Error ? error.message : ''
      if (!text.startsWith('NOREPLICAS') || waited > redisLimits.openMsMax) throw error
    }
    await new Promise((resolve) => setTimeout(resolve, replicaPauseMs))
  }
}
