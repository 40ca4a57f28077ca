import { readFile, stat } from 'node:fs/promises'
import { RelayError } from '@liaison/protocol'
import type { ConfigProblem } from './config.ts'
import type {
  RedisNode,
  RedisOptions,
  RedisProfile,
  RedisTls,
  RedisUser,
} from './log/redis/redis-options.ts'
import { isLoopback, parseNode } from './network-address.ts'

/** Options about the store in Redis, of their types and with their defaults. */
export interface RedisChecked {
  readonly redisProfile: RedisProfile
  readonly redisNodes: readonly string[]
  readonly redisPrimary: string
  readonly redisReplicas?: number
  readonly redisWriters: number
  readonly redisUser?: string
  readonly redisPasswordFile?: string
  readonly redisInspector?: string
  readonly redisInspectorPasswordFile?: string
  readonly redisTls: boolean
  readonly redisTlsCa?: string
  readonly redisTlsCert?: string
  readonly redisTlsKey?: string
}

/** A user whose password is still in its file. */
interface UserFile {
  readonly name: string
  readonly passwordFile: string
}

/** The store in Redis as it was configured; secrets are still in their files. */
export interface RedisStore {
  readonly profile: RedisProfile
  readonly nodes: readonly RedisNode[]
  readonly primary: string
  readonly replicas: number
  readonly writers: number
  readonly user?: UserFile
  readonly inspector?: UserFile
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string }
}

/** What does not go together among these options. */
export function redisProblems(options: Partial<RedisChecked>): ConfigProblem[] {
  const problems: ConfigProblem[] = []
  const nodes = (options.redisNodes ?? []).map(parseNode).filter((node) => node !== null)
  if (nodes.length === 0) {
    problems.push({ option: 'redisNodes', problem: 'is required with the store redis' })
  }
  if (options.redisProfile === 'single' && nodes.length > 1) {
    problems.push({ option: 'redisNodes', problem: 'has one address in the profile single' })
  }
  if (options.redisTls !== true && nodes.some(({ host }) => !isLoopback(host))) {
    problems.push({ option: 'redisNodes', problem: 'is not loopback, so redisTls is required' })
  }
  if (options.redisProfile === 'single' && (options.redisReplicas ?? 0) > 0) {
    problems.push({ option: 'redisReplicas', problem: 'must be 0 in the profile single' })
  }
  if (options.redisProfile !== 'single' && options.redisReplicas === 0) {
    const problem = `must be at least 1 in the profile ${options.redisProfile}`
    problems.push({ option: 'redisReplicas', problem })
  }
  const pairs = [
    ['redisUser', 'redisPasswordFile'],
    ['redisInspector', 'redisInspectorPasswordFile'],
    ['redisTlsCert', 'redisTlsKey'],
  ] as const
  for (const [one, other] of pairs) {
    if ((options[one] === undefined) !== (options[other] === undefined)) {
      problems.push({ option: `${one}, ${other}`, problem: 'go together' })
    }
  }
  return problems
}

/** The store that checked options describe. */
export function redisStore(options: RedisChecked): RedisStore {
  const { redisProfile, redisNodes, redisTlsCa: ca, redisTlsCert: cert, redisTlsKey: key } = options
  const user = userOf(options.redisUser, options.redisPasswordFile)
  const inspector = userOf(options.redisInspector, options.redisInspectorPasswordFile)
  return {
    profile: redisProfile,
    nodes: redisNodes.map((text) => parseNode(text) as RedisNode),
    primary: options.redisPrimary,
    replicas: redisProfile === 'single' ? 0 : (options.redisReplicas ?? 1),
    writers: options.redisWriters,
    ...(user === undefined ? {} : { user }),
    ...(inspector === undefined ? {} : { inspector }),
    ...(options.redisTls ? { tls: files({ ca, cert, key }) } : {}),
  }
}

const userOf = (
  name: string | undefined,
  passwordFile: string | undefined,
): UserFile | undefined =>
  name === undefined || passwordFile === undefined ? undefined : { name, passwordFile }

const files = (tls: {
  readonly ca: string | undefined
  readonly cert: string | undefined
  readonly key: string | undefined
}): { readonly ca?: string; readonly cert?: string; readonly key?: string } =>
  Object.fromEntries(Object.entries(tls).filter(([, path]) => path !== undefined))

/** Reads passwords and certificates. @throws RelayError `config_invalid` naming the option and why */
export async function readRedisOptions(store: RedisStore): Promise<RedisOptions> {
  const { profile, nodes, primary, replicas, writers } = store
  const [user, inspector, tls] = await Promise.all([
    readUser('redisPasswordFile', store.user),
    readUser('redisInspectorPasswordFile', store.inspector),
    readTls(store.tls),
  ])
  return {
    profile,
    nodes,
    primary,
    replicas,
    writers,
    ...(user === undefined ? {} : { user }),
    ...(inspector === undefined ? {} : { inspector }),
    ...(tls === undefined ? {} : { tls }),
  }
}

async function readUser(
  option: string,
  user: UserFile | undefined,
): Promise<RedisUser | undefined> {
  if (user === undefined) return undefined
  const password = (await secret(option, user.passwordFile)).trim()
  if (password === '') throw problem(option, 'the file is empty')
  return { name: user.name, password }
}

async function readTls(tls: RedisStore['tls']): Promise<RedisTls | undefined> {
  if (tls === undefined) return undefined
  const { ca, cert, key } = tls
  return {
    ...(ca === undefined ? {} : { ca: await text('redisTlsCa', ca) }),
    ...(cert === undefined ? {} : { cert: await text('redisTlsCert', cert) }),
    ...(key === undefined ? {} : { key: await secret('redisTlsKey', key) }),
  }
}

const problem = (option: string, detail: string): RelayError =>
  new RelayError('config_invalid', { field: option, detail: `${option}: ${detail}` })

async function text(option: string, path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => {
    throw problem(option, 'the file cannot be read')
  })
}

async function secret(option: string, path: string): Promise<string> {
  const content = await text(option, path)
  const { mode } = await stat(path)
  if ((mode & 0o077) !== 0) throw problem(option, 'the file is readable by others: chmod 600')
  return content
}
