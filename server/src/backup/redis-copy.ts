import { type NetworkId, toHex } from '@liaison/protocol'
import { redisBlobHashes } from '../log/redis/blob-hashes.ts'
import type { RedisOptions } from '../log/redis/redis-options.ts'
import { openRedisLog } from '../log/redis-log.ts'
import { type LogRecord, writeRecords } from './log-record.ts'
import type { StoreFacts } from './manifest.ts'
import { readLog } from './read-log.ts'

/**
 * Copies the log of a network out of Redis as it stands at one moment, with the rights of a relay.
 * Everything that was confirmed before the call is in the copy.
 *
 * @param path New file of records.
 */
export async function copyRedis(
  options: RedisOptions,
  net: NetworkId,
  path: string,
): Promise<StoreFacts> {
  await using log = await openRedisLog({ redis: options, net })
  const leaves = log.leafCount()
  const blobs = await redisBlobHashes(options, net)
  let directory = 0
  async function* counted(): AsyncGenerator<LogRecord> {
    for await (const record of readLog(log, { net, leaves, blobs })) {
      if (record.kind === 'entry') directory++
      yield record
    }
  }
  await writeRecords(path, counted())
  return { net: toHex(net), directory, leaves }
}
