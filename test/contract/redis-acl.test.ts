/** The whole contract with the rights of a relay's user, no more; and what it may not do. */
import { type NetworkId, sodiumReady } from '@liaison/protocol'
import {
  inspectorAclLine,
  inspectorCommands,
  type LogListener,
  openRedisLog,
  type RedisOptions,
  relayAclLine,
  relayCommands,
  relayListCommands,
} from '@liaison/server'
import { Redis } from 'ioredis'
import t from 'tap'
import { redisBlobHashes } from '../../server/src/log/redis/blob-hashes.ts'
import { RedisServer } from '../support/redis-server.ts'
import { contractNet, type LogStore, relayLogContract } from './relay-log.ts'

t.before(() => sodiumReady())

const server = await RedisServer.start()
t.teardown(() => server[Symbol.asyncDispose]())

const user = { name: 'relay-1', password: 'a long password of the relay' }
const inspector = { name: 'inspector', password: 'a long password of the inspector' }
const options: RedisOptions = { ...server.options, user, inspector }

/** What every key of a network begins with. */
const redisPrefix = (net: NetworkId): string =>
  /~(\S+)\*/.exec(relayAclLine(user, net))?.[1] ?? 'none'

/** Sets a user as the line of an ACL file says. */
const setUser = (line: string): Promise<unknown> =>
  server.run('ACL', 'SETUSER', ...line.split(' ').slice(1))

async function restrictedStore(): Promise<LogStore> {
  await server.run('FLUSHALL')
  await server.install(contractNet)
  await setUser(relayAclLine(user, contractNet))
  await setUser(inspectorAclLine(inspector))
  return {
    open: (net: NetworkId = contractNet, listener?: LogListener) =>
      openRedisLog({ redis: options, net, ...(listener === undefined ? {} : { listener }) }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

relayLogContract('log in Redis, with the rights of a relay', restrictedStore)

t.test('no command was missing, and none is granted that nothing needs', async (t) => {
  {
    // Leases and backups are not part of the contract that all logs share.
    const store = await restrictedStore()
    await using log = await store.open()
    await log.leases?.renew('one', 0)
    await log.leases?.holders()
    await log.leases?.leave('one')
    t.same(await redisBlobHashes(options, contractNet), [])
  }
  const log = (await server.run('ACL', 'LOG', '100')) as readonly (readonly unknown[])[]
  const denied = log.map((entry) => entry.map(String).join(' '))
  // One test of the contract opens the log of another network, on which this user has no rights.
  const own = redisPrefix(contractNet)
  t.same(
    denied.filter((text) => !text.includes('reason key') || text.includes(own)),
    [],
    'nothing was denied',
  )
  const used = new Set(
    String(await server.run('INFO', 'commandstats'))
      .split('\n')
      .map((line) => /^cmdstat_([^:]+):calls=([1-9])/.exec(line)?.[1]),
  )
  // Only with replicas is there anything to wait for.
  const all = [...relayCommands, ...relayListCommands, ...inspectorCommands]
  const granted = all.filter((name) => name !== 'wait')
  t.same(
    granted.filter((name) => !used.has(name)),
    [],
    'everything that is granted was used',
  )
})

t.test('the user of a relay can do nothing else', async (t) => {
  await restrictedStore()
  const relay = new Redis({
    port: server.port,
    username: user.name,
    password: user.password,
    maxRetriesPerRequest: 0,
    protocol: 2,
    disableClientInfo: true,
    enableReadyCheck: false,
  })
  const own = redisPrefix(contractNet)
  try {
    const refused: readonly (readonly [string, ...string[]])[] = [
      ['FLUSHALL'],
      ['FLUSHDB'],
      ['CONFIG', 'SET', 'appendfsync', 'no'],
      ['CONFIG', 'GET', 'appendfsync'],
      ['KEYS', '*'],
      ['SCAN', '0'],
      ['DEL', `${own}leaves`],
      ['HDEL', `${own}numbers`, 'leaves'],
      ['HDEL', `${own}blobs`, 'x'],
      ['UNLINK', `${own}leaves`],
      ['XTRIM', `${own}leaves`, 'MAXLEN', '0'],
      ['XDEL', `${own}leaves`, '1-0'],
      ['RENAME', `${own}leaves`, `${own}other`],
      ['EXPIRE', `${own}leaves`, '1'],
      ['EVAL', 'return 1', '0'],
      ['SCRIPT', 'FLUSH'],
      ['FUNCTION', 'LOAD', 'REPLACE', '#!lua name=x'],
      ['FUNCTION', 'FLUSH'],
      ['FUNCTION', 'LIST'],
      ['ACL', 'SETUSER', user.name, 'allcommands'],
      ['MODULE', 'LIST'],
      ['SHUTDOWN'],
      ['REPLICAOF', 'NO', 'ONE'],
      ['CLIENT', 'KILL', 'TYPE', 'normal'],
      ['MONITOR'],
      ['SUBSCRIBE', 'x'],
      ['INFO'],
      ['HGET', '{liaison:00000000000000000000000000000000}:meta', 'net'],
      ['XRANGE', 'other', '-', '+'],
      ['FCALL', 'liaison_v1_touch', '1', '{liaison:00000000000000000000000000000000}:numbers'],
    ]
    for (const [command, ...args] of refused) {
      await t.rejects(relay.call(command, args), /NOPERM/, [command, ...args].join(' '))
    }
    t.equal(await relay.call('HEXISTS', `${own}meta`, 'net'), 1, 'its own network it can read')
    t.equal(await relay.call('HDEL', `${own}relays`, 'gone'), 0, 'and forget a relay that is gone')
  } finally {
    relay.disconnect()
  }
})

t.test('a user that the server refuses is named at once', async (t) => {
  await restrictedStore()
  const open = (changes: Partial<RedisOptions>) =>
    openRedisLog({ redis: { ...options, ...changes }, net: contractNet })
  const wrong = { ...user, password: 'another one' }
  await t.rejects(open({ user: wrong }), { code: 'config_invalid', field: /redisPasswordFile/ })
  const { inspector: _left, ...alone } = options
  await t.rejects(openRedisLog({ redis: alone, net: contractNet }), {
    code: 'config_invalid',
    detail: /CONFIG GET and INFO/,
  })
  await setUser(`user ${user.name} -hget`)
  await t.rejects(open({}), { code: 'store_mismatch', field: 'redisUser', detail: /NOPERM/ })
})
