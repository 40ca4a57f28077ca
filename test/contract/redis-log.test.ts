import { readFile, writeFile } from 'node:fs/promises'
import { type NetworkId, sodiumReady } from '@liaison/protocol'
import { type LogListener, openRedisLog } from '@liaison/server'
import t from 'tap'
import { TcpProxy, Wires } from '../chaos/faults/tcp-proxy.ts'
import { RedisServer } from '../support/redis-server.ts'
import { rejectsWithCode } from '../support/rejects-with-code.ts'
import { contractNet, type LogStore, relayLogContract, request } from './relay-log.ts'

t.before(() => sodiumReady())

const shared = await RedisServer.start()
t.teardown(() => shared[Symbol.asyncDispose]())

async function redisStore(): Promise<LogStore> {
  await shared.run('FLUSHALL')
  await shared.install(contractNet)
  return {
    open: (net: NetworkId = contractNet, listener?: LogListener) =>
      openRedisLog({
        redis: shared.options,
        net,
        ...(listener === undefined ? {} : { listener }),
      }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

relayLogContract('log in Redis', redisStore)

/** Waits until something is so; the test's own time limit is the only other end. */
async function until(is: () => boolean): Promise<void> {
  while (!is()) await new Promise((resolve) => setTimeout(resolve, 5))
}

t.test('what one relay appends, another one reads and hears of', async (t) => {
  const store = await redisStore()
  const heard: string[] = []
  await using one = await store.open()
  await using other = await store.open(contractNet, {
    topicGrew: (topic) => heard.push(`topic ${topic}`),
    acksGrew: (member) => heard.push(`acks ${member}`),
    directoryGrew: () => heard.push('directory'),
  })
  const leaf = { v: 1, t: 1, e: 'directory', cur: 0 } as const
  await one.appendDirectory(0, new Uint8Array([1]), leaf)
  await one.accept(request('a', 0, { fence: 1 }))
  await one.appendAck([4], new Uint8Array([2]), new Uint8Array(64), { v: 1, t: 1, e: 'ack', by: 1 })
  await until(() => heard.includes('acks 4'))
  t.same(heard, ['directory', 'topic 3', 'acks 4'])
  t.equal(other.leafCount(), 3)
  t.equal((await other.readTopic(3, 0, 10)).length, 1)
  t.equal((await other.readDirectory(0, 10)).length, 1)
  const again = await other.accept(request('a', 0, { fence: 0 }))
  t.match(again, { kind: 'duplicate', place: { cursor: 1 } }, 'and answers for it')
  t.match(await other.accept(request('a', 1, { fence: 0 })), { kind: 'fence', size: 1 })
  t.match(await other.accept(request('a', 1, { fence: 1 })), { place: { cursor: 2 } })
})

t.test('after a crash of the server, what was acknowledged is there', async (t) => {
  await using server = await RedisServer.start()
  await server.install(contractNet)
  await using log = await openRedisLog({ redis: server.options, net: contractNet })
  for (let seq = 0; seq < 20; seq++) await log.accept(request('a', seq))
  t.equal(log.writable(), true)
  await server.kill()
  await rejectsWithCode(t, log.accept(request('a', 20)), 'log_unavailable')
  await until(() => !log.writable())
  t.equal(log.failure(), null, 'it waits for the server')
  await server.restart()
  await until(() => log.writable())
  t.match(await log.accept(request('a', 19)), { kind: 'duplicate', place: { cursor: 20 } })
  const outcome = await log.accept(request('a', 20))
  t.match(outcome.kind, /accepted|duplicate/)
  t.match(outcome, { place: { cursor: 21 } })
})

t.test(
  'a server that holds still costs an unknown outcome, and the same bytes settle it',
  async (t) => {
    await using server = await RedisServer.start()
    await server.install(contractNet)
    await using log = await openRedisLog({ redis: server.options, net: contractNet })
    await log.accept(request('a', 0))
    server.signal('SIGSTOP')
    await rejectsWithCode(t, log.accept(request('a', 1)), 'log_unavailable')
    server.signal('SIGCONT')
    await until(() => log.writable())
    t.match(await log.accept(request('a', 1)), { place: { cursor: 2 } })
    t.equal((await log.readTopic(3, 0, 10)).length, 2)
  },
)

t.test('a connection that comes back slowly does not take news for a loss', async (t) => {
  await redisStore()
  const fast = new Wires(() => shared.port)
  const slow = new Wires(() => shared.port)
  slow.slow(200, null)
  let wires = fast
  await using door = await TcpProxy.listen(() => wires)
  const nodes = [{ host: '127.0.0.1', port: door.port }]
  await using log = await openRedisLog({ redis: { ...shared.options, nodes }, net: contractNet })
  wires = slow
  const list = String(await shared.run('CLIENT', 'LIST'))
  const id = /^id=(\d+) .*name=liaison-reader/m.exec(list)?.[1]
  t.ok(id, 'the connection that is cut')
  await shared.run('CLIENT', 'KILL', 'ID', id ?? '')
  // Its greeting is answered before some of these are appended, and arrives behind them.
  const reads = async (): Promise<boolean> =>
    /name=liaison-reader .*cmd=xread/.test(String(await shared.run('CLIENT', 'LIST')))
  for (let seq = 0; !(await reads()) && log.failure() === null; seq++) {
    await log.accept(request('a', seq))
  }
  t.equal(log.failure(), null)
  t.equal(log.writable(), true)
})

t.test('a store that went back in time is not served', async (t) => {
  const store = await redisStore()
  await using log = await store.open()
  await log.accept(request('a', 0))
  await shared.run('FLUSHALL')
  await shared.install(contractNet)
  await shared.run('CLIENT', 'KILL', 'TYPE', 'normal')
  await until(() => log.failure() !== null)
  t.equal(log.failure()?.code, 'log_corrupt')
  await rejectsWithCode(t, log.accept(request('b', 0)), 'log_corrupt')
})

t.test('a byte that changed in the file of the server is named and never served', async (t) => {
  await using server = await RedisServer.start()
  await server.install(contractNet)
  {
    await using log = await openRedisLog({ redis: server.options, net: contractNet })
    for (let seq = 0; seq < 3; seq++) await log.accept(request('a', seq))
  }
  await server.stop()
  const file = await readFile(server.appendOnlyFile)
  const payload = Buffer.from(request('a', 1).envelope.payload)
  const at = file.indexOf(payload)
  t.ok(at > 0, 'the payload is in the file')
  file[at + 100] = (file[at + 100] ?? 0) ^ 1
  await writeFile(server.appendOnlyFile, file)
  await server.restart()
  await using log = await openRedisLog({ redis: server.options, net: contractNet })
  t.equal((await log.readTopic(3, 0, 1)).length, 1, 'what lies before it is served')
  const damaged = await log.readTopic(3, 1, 1).catch((error: unknown) => error)
  t.match(damaged, { code: 'log_corrupt', detail: /topic:3 at 2-0/ })
  t.equal((await log.readTopic(3, 2, 1)).length, 1, 'and what lies behind it')
})
