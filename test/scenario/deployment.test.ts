/** The containers' files as plain processes: the same settings, users, certificates and environment. */
import { chmod, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { sodiumReady, systemClock } from '@liaison/protocol'
import {
  configFromEnvironment,
  openRedisLog,
  type RedisOptions,
  type RunningRelay,
  readConfig,
  readRedisOptions,
  startRelay,
} from '@liaison/server'
import { Redis } from 'ioredis'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { WebSocket } from 'ws'
import type { OpenWebSocket } from '../../client-sdk/src/session/transport.ts'
import { Deployment, runProgram } from '../support/deployment.ts'
import { localNetwork } from '../support/local-network.ts'
import type { TestNetwork } from '../support/network.ts'
import { prepareRelay, seedLog } from '../support/relay.ts'
import { eventually, makeReport, openDevice, shown } from '../support/sdk.ts'
import { type TempFolder, tempFolder } from '../support/temp-folder.ts'

await sodiumReady()

// Several servers and certificates, and the machine may be busy.
t.setTimeout(240_000)

/** Network file, keys, certificates, passwords, as an operator has them before the first start. */
async function prepared(
  network: TestNetwork,
  folder: TempFolder,
  ...files: readonly string[]
): Promise<Deployment> {
  for (const number of [1, 2]) {
    const { network: file, keys } = await prepareRelay(network, folder, { keepData: true, number })
    await folder.write('deploy/network.json', await readFile(String(file)))
    await rename(String(keys), join(folder.path, `deploy/relay-${number}-keys.json`))
    await chmod(join(folder.path, `deploy/relay-${number}-keys.json`), 0o600)
  }
  return Deployment.prepare(folder, ...files)
}

/** Runs the service that sets the network up, as its container would. */
const setUp = (deployment: Deployment): Promise<string> =>
  runProgram(
    process.execPath,
    [
      ...['--conditions=@liaison/source', '--import=./scripts/ts.mjs'],
      'server/src/init-redis-main.ts',
    ],
    deployment.environment('setup'),
  )

const configOf = (deployment: Deployment, relay: string) =>
  readConfig({
    ...configFromEnvironment(deployment.environment(relay)),
    // Every container has these for itself; here they would meet.
    ...{ host: '127.0.0.1', port: 0, operatorPort: 0, logLevel: 'silent' },
  })

async function storeOf(deployment: Deployment, relay: string): Promise<RedisOptions> {
  const { redis } = configOf(deployment, relay)
  if (redis === undefined) throw new Error('not on Redis')
  return readRedisOptions(redis)
}

const start = (deployment: Deployment, relay: string): Promise<RunningRelay> =>
  startRelay(configOf(deployment, relay), { logger: pino({ level: 'silent' }) })

/** A report from one member at the first relay reaches another one at the second. */
async function exchange(t: Test, network: TestNetwork, folder: TempFolder, relays: RunningRelay[]) {
  const ca = await readFile(join(folder.path, 'deploy/tls/ca.pem'))
  const webSocket: OpenWebSocket = (url, protocol) =>
    new WebSocket(url, protocol, { ca }) as unknown as ReturnType<OpenWebSocket>
  const device = (label: string, relay: RunningRelay | undefined) =>
    openDevice({ network, url: relay?.url ?? '', folder }, network.deviceOf(label), {
      clock: systemClock,
      webSocket,
    })
  await using sender = await device('BF', relays[0])
  await using reader = await device('ML', relays[1])
  const sent = await sender.submit(makeReport(network, 'BF'), { topic: 'terrorism' })
  await sent.accepted(AbortSignal.timeout(20_000))
  await eventually('delivered', async () => (await shown(reader)).length === 1)
  t.match((await shown(reader))[0], { kind: 'report', report: { meta: { id: sent.id } } })
}

/** A server of the store, and how to come to it. */
interface Target {
  readonly port: number
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string } | undefined
  readonly username?: string
  readonly password?: string
}

/** Connects and says one command; the error that came of it. */
async function errorOf(
  options: Target,
  command: string = 'PING',
  ...args: readonly string[]
): Promise<string> {
  const { tls, ...where } = options
  const redis = new Redis({
    host: '127.0.0.1',
    protocol: 2,
    disableClientInfo: true,
    enableReadyCheck: false,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
    commandTimeout: 5_000,
    ...where,
    ...(tls === undefined ? {} : { tls }),
  })
  let first = ''
  redis.on('error', (error: Error) => {
    first ||= error.message
  })
  try {
    await redis.call(command, [...args])
    return 'no error'
  } catch (error) {
    return first || (error instanceof Error ? error.message : String(error))
  } finally {
    redis.disconnect()
  }
}

t.test('two relays on one server, as docker-compose.yml has them', async (t) => {
  const network = localNetwork(2)
  await using folder = await tempFolder()
  await using deployment = await prepared(network, folder, 'docker-compose.yml')
  await deployment.startServer('redis')
  const port = deployment.port('redis')
  t.match(JSON.parse(await setUp(deployment)), { library: 1 })
  t.match(JSON.parse(await setUp(deployment)), { library: 1 }, 'once more changes nothing')
  const store = await storeOf(deployment, 'relay-1')
  const { net } = network.directory
  await seedLog(network, await openRedisLog({ redis: store, net }))
  {
    await using one = await start(deployment, 'relay-1')
    await using two = await start(deployment, 'relay-2')
    t.match(one.url, /^wss:/)
    await exchange(t, network, folder, [one, two])
  }

  const { tls, user } = store
  const relay = {
    port,
    tls: { ...tls },
    username: user?.name ?? '',
    password: user?.password ?? '',
  }
  const { username: _name, password: _password, ...nobody } = relay
  t.equal(await errorOf(relay, 'ROLE'), 'no error', 'what follows is refused for what it is')
  await t.test('the relay can do its work and nothing else', async (t) => {
    const prefix = /~(\S+)\*/.exec(
      await readFile(deployment.secret('redis', 'users.acl'), 'utf8'),
    )?.[1]
    const refused: readonly (readonly [string, ...string[]])[] = [
      ['FLUSHALL'],
      ['CONFIG', 'SET', 'appendfsync', 'no'],
      ['KEYS', '*'],
      ['DEL', `${prefix}leaves`],
      ['EVAL', 'return 1', '0'],
      ['FUNCTION', 'LOAD', 'REPLACE', '#!lua name=x'],
      ['ACL', 'LIST'],
      ['HGET', '{liaison:00000000000000000000000000000000}:meta', 'net'],
    ]
    for (const [command, ...args] of refused) {
      t.match(await errorOf(relay, command, ...args), /NOPERM/, command)
    }
  })
  await t.test('nobody comes in another way', async (t) => {
    t.match(await errorOf({ ...relay, tls: undefined }), /closed|reset|ECONN/i, 'plain text')
    t.match(await errorOf(nobody), /NOAUTH/, 'without a user')
    const { cert: _cert, key: _key, ...onlyCa } = { ...tls }
    t.match(await errorOf({ ...relay, tls: onlyCa }), /certificate|closed|alert/i, 'no certificate')
    const wrong = { ...relay, password: 'wrong' }
    t.match(await errorOf(wrong), /WRONGPASS/, 'another password')
    t.match(await errorOf({ ...relay, username: 'default', password: '' }), /WRONGPASS|NOAUTH/)
    await runProgram('sh', ['deploy/make-certificates.sh', join(folder.path, 'other')])
    const read = (name: string): Promise<string> =>
      readFile(join(folder.path, 'other', name), 'utf8')
    const other = {
      ca: await read('ca.pem'),
      cert: await read('relay-1.store.pem'),
      key: await read('relay-1.store.key'),
    }
    const stranger = { ...relay, tls: { ...tls, cert: other.cert, key: other.key } }
    t.match(await errorOf(stranger), /unknown ca|alert|closed/i, 'a certificate of somebody else')
    const misled = openRedisLog({ redis: { ...store, tls: { ...tls, ca: other.ca } }, net })
    const named = { code: 'config_invalid', field: 'redisTlsCa' }
    await t.rejects(misled, named, 'and no relay believes another server')
  })
})

t.test('with replicas and Sentinels, as docker-compose.sentinel.yml has them', async (t) => {
  const network = localNetwork(2)
  await using folder = await tempFolder()
  const files = ['docker-compose.yml', 'docker-compose.sentinel.yml']
  await using deployment = await prepared(network, folder, ...files)
  for (const name of ['redis', 'redis-2', 'redis-3']) await deployment.startServer(name)
  for (const n of [1, 2, 3]) await deployment.startServer(`sentinel-${n}`)
  await setUp(deployment)
  const store = await storeOf(deployment, 'relay-1')
  t.match(store, { profile: 'ha', replicas: 1 })
  await seedLog(network, await openRedisLog({ redis: store, net: network.directory.net }))
  await using one = await start(deployment, 'relay-1')
  await using two = await start(deployment, 'relay-2')
  await exchange(t, network, folder, [one, two])

  const { tls, user } = store
  const sentinel = { port: deployment.port('sentinel-1'), tls: { ...tls } }
  const ask = ['get-master-addr-by-name', 'liaison']
  t.equal(await errorOf(sentinel, 'SENTINEL', ...ask), 'no error')
  for (const words of [
    ['failover', 'liaison'],
    ['remove', 'liaison'],
    ['set', 'liaison', 'quorum', '1'],
  ]) {
    t.match(await errorOf(sentinel, 'SENTINEL', ...words), /NOPERM/, words.join(' '))
  }
  t.match(await errorOf(sentinel, 'SHUTDOWN'), /NOPERM/)
  const replica = { port: deployment.port('redis-2'), tls: { ...tls } }
  const relay = { username: user?.name ?? '', password: user?.password ?? '' }
  t.equal(await errorOf({ ...replica, ...relay }, 'ROLE'), 'no error', 'the same users there')
})
