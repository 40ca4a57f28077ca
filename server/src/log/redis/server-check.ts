import { RelayError } from '@liaison/protocol'
import type { Redis } from 'ioredis'
import { withConnection } from './one-connection.ts'
import type { RedisOptions } from './redis-options.ts'

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
  const asInspector = user === undefined ? options : { ...options, user }
  const problems = await withConnection(asInspector, 'inspector', (redis) =>
    problemsOf(redis, options).catch((error: unknown) => {
      throw withoutRight(error) ?? error
    }),
  )
  if (problems.length > 0) {
    throw new RelayError('config_invalid', {
      field: 'redisNodes',
      detail: `the server does not keep what profile ${options.profile} promises: ${problems.join('; ')}`,
    })
  }
}

function withoutRight(error: unknown): RelayError | null {
  const text = error instanceof Error ? error.message : ''
  if (!text.startsWith('NOPERM')) return null
  return new RelayError('config_invalid', {
    field: 'redisUser, redisInspector',
    detail: `${text}: CONFIG GET and INFO are needed once, at start`,
    cause: error,
  })
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
