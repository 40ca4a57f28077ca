/** Stores that a relay under test keeps its log in. */
import { readFile } from 'node:fs/promises'
import type { NetworkId } from '@liaison/protocol'
import { openLmdbLog, openRedisLog, type RelayLog } from '@liaison/server'
import { RedisServer } from '../../test/support/redis-server.ts'

/** Names of the two bodies of the log. */
export type StoreName = 'lmdb' | 'redis'

/** Both, in the order in which they are measured. */
export const storeNames: readonly StoreName[] = ['lmdb', 'redis']

/** A Redis server of its own for the store of that name, or none. */
export const serverFor = async (store: StoreName): Promise<RedisServer | undefined> =>
  store === 'redis' ? RedisServer.start() : undefined

/** Opens the log of a relay that is not running. */
export function openLog(
  net: NetworkId,
  data: string,
  server: RedisServer | undefined,
): Promise<RelayLog> {
  return server === undefined
    ? openLmdbLog({ folder: data, net })
    : openRedisLog({ redis: server.options, net })
}

/** CPU time that a process has used, µs; from the process table, in ticks of 10 ms. */
export async function cpuOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10_000
}
