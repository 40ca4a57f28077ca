import {
  type AclUser,
  inspectorAclLine,
  installRedis,
  networkIdOfGenesis,
  type RelayConfig,
  readGenesis,
  readRedisOptions,
  redisInstallation,
  relayAclLine,
} from '@liaison/server'
import type { Context, Options } from './context.ts'
import { usage } from './failure.ts'
import { writeTextFile } from './files.ts'
import { checkedConfig, gather } from './relay-serve.ts'

type RedisStore = NonNullable<RelayConfig['redis']>
type NamedUser = NonNullable<RedisStore['user']>

/** The user of a relay whose configuration does not name one yet. */
const nameless = { name: 'liaison-relay', password: null } as const

/** Loads the functions, sets up the network, and says which rights a relay needs. */
export async function initRedis(context: Context, options: Options): Promise<void> {
  // Nothing of the relay itself is needed: its keys may be on another machine.
  const input = { keys: 'not-needed', ...(await gather(options)), store: 'redis' }
  const { redis, network } = checkedConfig(context, input)
  if (redis === undefined) throw new TypeError('the store is redis')
  const net = networkIdOfGenesis(await readGenesis(network))
  const { library, prefix } = redisInstallation(net)
  const loaded = !options.flag('offline')
  if (loaded) await installRedis(await operatorOptions(redis, options), net)

  const { user, inspector } = redis
  const acl = [relayAclLine(user === undefined ? nameless : await readUser(redis, user), net)]
  if (inspector !== undefined) acl.push(inspectorAclLine(await readUser(redis, inspector)))
  const file = options.text('printAcl')
  if (file !== undefined) {
    await writeTextFile(file, `${acl.join('\n')}\n`, { secret: true, replace: true })
    if (file === '-') return
  }
  const nodes = redis.nodes.map(({ host, port }) => `${host}:${port}`)
  context.out.data({ loaded, nodes, library, prefix, acl, file: file ?? null }, () => [
    `Server    ${nodes.join(', ')}${loaded ? '' : ' (not asked)'}`,
    `Library   version ${library}${loaded ? ', loaded' : ''}`,
    `Keys      ${prefix}*`,
    ...(file === undefined ? ['Lines of the ACL file:', ...acl] : [`Users     ${file}`]),
  ])
}

/** The same server with the rights of the operator. */
async function operatorOptions(redis: RedisStore, options: Options) {
  const { user: _relay, inspector: _inspector, ...server } = redis
  const [name, passwordFile] = [options.text('user'), options.text('passwordFile')]
  if ((name === undefined) !== (passwordFile === undefined)) {
    throw usage('--user and --password-file go together.', 'password-file')
  }
  return readRedisOptions(
    name === undefined || passwordFile === undefined
      ? server
      : { ...server, user: { name, passwordFile } },
  )
}

/** A user with the password out of its file. */
async function readUser(redis: RedisStore, user: NamedUser): Promise<AclUser> {
  const { tls: _tls, inspector: _inspector, user: _user, ...server } = redis
  return (await readRedisOptions({ ...server, user })).user ?? { ...user, password: null }
}
