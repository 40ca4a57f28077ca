import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createSecureContext } from 'node:tls'
import { type Clock, isRelayError, sodiumReady, systemClock } from '@liaison/protocol'
import {
  ConfigError,
  type ConfigProblem,
  type RelayConfig,
  readGenesis,
  readRelayKeys,
} from './config.ts'
import { readRedisOptions } from './config-redis.ts'
import type { RedisTls } from './log/redis/redis-options.ts'

/**
 * What is wrong with the files that a configuration names: missing, readable by others, not what they
 * should be, a key that is not the certificate's, a certificate whose time is over.
 */
export async function fileProblems(
  config: RelayConfig,
  clock: Clock = systemClock,
): Promise<ConfigProblem[]> {
  await sodiumReady()
  const { redis, tls } = config
  const found = await Promise.all([
    problemsOf('network', () => readGenesis(config.network)),
    problemsOf('keys', () => readRelayKeys(config.keys)),
    tls === undefined ? [] : certificateProblems('tlsCert, tlsKey', () => read(tls), clock),
    redis === undefined ? [] : redisFileProblems(redis, clock),
  ])
  return found.flat()
}

async function redisFileProblems(
  store: NonNullable<RelayConfig['redis']>,
  clock: Clock,
): Promise<ConfigProblem[]> {
  let tls: RedisTls | undefined
  const problems = await problemsOf('redisNodes', async () => {
    tls = (await readRedisOptions(store)).tls
  })
  const given = tls
  if (given === undefined) return problems
  return certificateProblems('redisTlsCert, redisTlsKey', async () => given, clock)
}

async function read({ cert, key }: { cert: string; key: string }): Promise<RedisTls> {
  return { cert: await readFile(cert, 'utf8'), key: await readFile(key, 'utf8') }
}

/** @param option Named when the error does not name one. */
async function problemsOf(option: string, check: () => Promise<unknown>): Promise<ConfigProblem[]> {
  try {
    await check()
    return []
  } catch (error) {
    if (error instanceof ConfigError) return [...error.problems]
    if (!isRelayError(error)) throw error
    const { field = option, detail = error.message } = error
    // The detail names the option too, for whoever sees it alone.
    return [{ option: field, problem: detail.replace(`${field}: `, '') }]
  }
}

async function certificateProblems(
  option: string,
  load: () => Promise<RedisTls>,
  clock: Clock,
): Promise<ConfigProblem[]> {
  try {
    const { ca, cert, key } = await load()
    createSecureContext({
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
    })
    const over = [ca, cert].some(
      (pem) => pem !== undefined && Date.parse(new X509Certificate(pem).validTo) < clock(),
    )
    return over ? [{ option, problem: 'the time of a certificate is over' }] : []
  } catch (error) {
    const text = error instanceof Error ? error.message : 'cannot be used'
    return [{ option, problem: text }]
  }
}
