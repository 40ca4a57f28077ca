import { RelayError } from '@liaison/protocol'
import { Redis } from 'ioredis'
import { clientOptions, unavailable } from './redis-link.ts'
import { type RedisOptions, redisLimits } from './redis-options.ts'

/** Settings without which the profile would promise more than the server keeps. */
const demanded: readonly (readonly [name: string, value: string, why: string])[] = [
  ['appendonly', 'yes', 'otherwise nothing is kept on disk'],
  ['appendfsync', 'always', 'otherwise acknowledged reports are lost with the power'],
  ['no-appendfsync-on-rewrite', 'no', 'otherwise the disk is not waited for during a rewrite'],
  ['maxmemory-policy', 'noeviction', 'otherwise reports are thrown away when memory is full'],
]

/**
 * Refuses a server whose settings do not keep what the profile promises.
 *
 * @throws RelayError `config_invalid` naming every setting; `log_unavailable` when it does not answer.
 */
export async function checkServer(options: RedisOptions): Promise<void> {
  const user = options.inspector ?? options.user
  const redis = new Redis({
    ...clientOptions(user === undefined ? options : { ...options, user }, 'inspector'),
    // Waits for the first connection; the relay has nothing else to do yet.
    enableOfflineQueue: true,
    maxRetriesPerRequest: null,
    commandTimeout: redisLimits.openMsMax,
  })
  let last: unknown = null
  redis.on('error', (error) => {
    last = error
  })
  try {
    const problems = await problemsOf(redis, options).catch((error: unknown) => {
      throw problemOf(error, last)
    })
    if (problems.length > 0) {
      throw new RelayError('config_invalid', {
        field: 'redisNodes',
        detail: `the server does not keep what profile ${options.profile} promises: ${problems.join('; ')}`,
      })
    }
  } finally {
    redis.disconnect()
  }
}

function problemOf(error: unknown, last: unknown): RelayError {
  const text = error instanceof Error ? error.message : ''
  if (/^(NOPERM|NOAUTH|WRONGPASS)/.test(text)) {
    return new RelayError('config_invalid', {
      field: 'redisUser, redisInspector',
      detail: `${text}: CONFIG GET and INFO are needed once, at start`,
      cause: error,
    })
  }
  return unavailable(last ?? error)
}

async function problemsOf(redis: Redis, options: RedisOptions): Promise<string[]> {
  const problems: string[] = []
  for (const [name, value, why] of demanded) {
    const [, actual] = (await redis.call('CONFIG', 'GET', name)) as [string, string?]
    if (actual !== value) problems.push(`${name} is ${actual ?? 'unknown'}, not ${value}: ${why}`)
  }
  const info = parseInfo(String(await redis.call('INFO', 'replication')))
  if (info.get('role') !== 'master') problems.push('it is not a primary')
  if (options.replicas > 0) {
    const replicas = Number(info.get('connected_slaves') ?? 0)
    if (replicas < options.replicas) {
      problems.push(`${replicas} replicas are connected, not ${options.replicas}`)
    }
    const [, minimum] = (await redis.call('CONFIG', 'GET', 'min-replicas-to-write')) as string[]
    if (Number(minimum) < 1) {
      problems.push('min-replicas-to-write is 0: a primary that is cut off would take writes')
    }
  }
  return problems
}

function parseInfo(text: string): Map<string, string> {
  const lines = text.split('\r\n').filter((line) => line.includes(':'))
  return new Map(lines.map((line) => line.split(/:(.*)/s).slice(0, 2) as [string, string]))
}
