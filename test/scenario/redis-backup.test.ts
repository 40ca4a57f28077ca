/** The drill with Redis: copied while relays work, restored on another server, and everybody goes on. */
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { kidOf, sodiumReady, systemClock, toHex } from '@liaison/protocol'
import { openLmdbLog, openRedisLog, type RelayLog } from '@liaison/server'
import t from 'tap'
import { redisKeys } from '../../server/src/log/redis/redis-keys.ts'
import { errorIn, liaison } from '../support/cli.ts'
import { localNetwork } from '../support/local-network.ts'
import { RedisServer } from '../support/redis-server.ts'
import { startTestRelay } from '../support/relay.ts'
import { eventually, makeReport, openDevice, shown } from '../support/sdk.ts'
import { type TempFolder, tempFolder } from '../support/temp-folder.ts'

await sodiumReady()

// Commands are processes, and the machine may be busy.
t.setTimeout(240_000)

const plain = ['--json', '--no-input']

const optionsOf = (folder: TempFolder, redis: RedisServer): string[] => [
  ...['--store', 'redis', '--redis-nodes', `127.0.0.1:${redis.port}`],
  ...['--network', join(folder.path, 'network.json')],
  ...['--keys', join(folder.path, 'relay-keys-1.json')],
]

/** Hashes of all leaves of a log: everything that was ever decided, in its order. */
const leavesOf = async (log: RelayLog, to: number): Promise<string[]> =>
  (await log.readLeaves(0, to)).map(toHex)

t.test('copied while reports arrive, restored on a fresh server', async (t) => {
  const network = localNetwork(2)
  const { net } = network.directory
  await using redis = await RedisServer.start()
  await using folder = await tempFolder()
  const dest = join(folder.path, 'backup')
  const confirmed: string[] = []
  let before = 0
  const device = (label: string, url: string) =>
    openDevice({ network, url, folder }, network.deviceOf(label), { clock: systemClock })
  {
    await using one = await startTestRelay(network, { redis, folder, clock: systemClock })
    const second = { redis, folder, number: 2, keepData: true, clock: systemClock }
    await using two = await startTestRelay(network, second)
    await using sender = await device('BF', one.url)
    await using reader = await device('FLU', two.url)
    const publish = async (): Promise<void> => {
      const sent = await sender.submit(makeReport(network, 'BF'), { topic: 'terrorism' })
      await sent.accepted(AbortSignal.timeout(20_000))
      confirmed.push(sent.id)
    }
    for (let i = 0; i < 12; i++) await publish()
    await eventually('received', async () => (await shown(reader)).length === confirmed.length)
    before = confirmed.length
    let copying = true
    const made = liaison([...plain, 'relay', 'backup', dest, ...optionsOf(folder, redis)]).finally(
      () => {
        copying = false
      },
    )
    while (copying) await publish()
    const backup = await made
    t.equal(backup.code, 0, backup.stderr)
    t.match(backup.json(), [{ network: 'test.example', store: { kind: 'records' } }])
    t.ok(confirmed.length > before, 'reports went on arriving meanwhile')
  }
  const { store } = JSON.parse(await readFile(join(dest, 'manifest.json'), 'utf8'))
  t.same((await readdir(dest)).sort(), [
    ...['log.records', 'manifest.json', 'network.json', 'relay.json'],
  ])

  await using fresh = await RedisServer.start()
  const restore = (...more: string[]) =>
    liaison([...plain, 'relay', 'restore', dest, '--redis', ...more])
  const early = await restore(...optionsOf(folder, fresh))
  t.equal(early.code, 3, 'the operator has not set the network up')
  await fresh.install(net)
  const records = join(dest, 'log.records')
  const good = await readFile(records)
  const bad = Buffer.from(good)
  bad[bad.length >> 1] = (bad[bad.length >> 1] ?? 0) ^ 1
  await writeFile(records, bad)
  const refused = await restore(...optionsOf(folder, fresh))
  t.equal(refused.code, 9)
  t.match(errorIn(refused), { code: 'backup_damaged', field: records })
  await writeFile(records, good)
  const restored = await restore(...optionsOf(folder, fresh))
  t.equal(restored.code, 0, restored.stderr)
  t.match(restored.json(), [{ redis: true, keys: 'not-asked', store }])
  const twice = await restore(...optionsOf(folder, fresh))
  t.equal(twice.code, 2)
  t.match(errorIn(twice), { code: 'file_exists' })
  {
    await using from = await openRedisLog({ redis: redis.options, net })
    await using to = await openRedisLog({ redis: fresh.options, net })
    t.equal(to.leafCount(), store.leaves)
    t.same(await leavesOf(to, store.leaves), await leavesOf(from, store.leaves), 'every decision')
    const [top] = [network.topic('terrorism')]
    t.same(await to.readTopic(top, 0, 5), await from.readTopic(top, 0, 5))
    t.same(await to.readSlots(top, 1), await from.readSlots(top, 1))
  }

  // The same backup in one folder: back to a single relay on its own disk.
  const data = join(folder.path, 'single', 'data')
  const single = await liaison([...plain, 'relay', 'restore', dest, '--data', data])
  t.equal(single.code, 0, single.stderr)
  {
    await using log = await openLmdbLog({ folder: data, net })
    await using to = await openRedisLog({ redis: fresh.options, net })
    t.same(await leavesOf(log, store.leaves), await leavesOf(to, store.leaves))
  }

  await using relay = await startTestRelay(network, {
    ...{ redis: fresh, folder, keepData: true, clock: systemClock },
  })
  await using newcomer = await device('ML', relay.url)
  await using ahead = await device('FLU', relay.url)
  await using again = await device('BF', relay.url)
  const idsOf = async (session: typeof ahead): Promise<string[]> =>
    (await shown(session)).flatMap((d) => (d.kind === 'report' ? [d.report.meta.id] : [d.kind]))
  await eventually('what was confirmed', async () => (await idsOf(newcomer)).length >= before)
  const there = await idsOf(newcomer)
  t.same(there.slice(0, before), confirmed.slice(0, before), 'all that was confirmed, in order')
  const sent = await again.submit(makeReport(network, 'BF'), { topic: 'terrorism' })
  await sent.accepted(AbortSignal.timeout(30_000))
  await eventually('the next report', async () => (await idsOf(newcomer)).includes(sent.id))
  await eventually('also where more was seen', async () => (await idsOf(ahead)).includes(sent.id))
  const all = await idsOf(ahead)
  t.equal(new Set(all).size, all.length, 'nothing is shown twice')
})

t.test('from one relay on its disk to several on Redis', async (t) => {
  const network = localNetwork(1)
  const { net } = network.directory
  const bf = network.member('BF')
  await using folder = await tempFolder()
  const dest = join(folder.path, 'backup')
  let expected: string[] = []
  let acknowledged = ''
  {
    await using relay = await startTestRelay(network, { folder, clock: systemClock })
    const at = { network, url: relay.url, folder }
    await using sender = await openDevice(at, network.deviceOf('BF'), { clock: systemClock })
    await using reader = await openDevice(at, network.deviceOf('FLU'), { clock: systemClock })
    const sent = await sender.submit(makeReport(network, 'BF'), { topic: 'terrorism' })
    await sent.accepted(AbortSignal.timeout(20_000))
    await eventually('received', async () => (await shown(reader)).length === 1)
    const { log } = relay.running.relay.source
    await eventually('acknowledged', async () => log.ackHead(bf) > 0)
    acknowledged = toHex((await log.readAcks(bf, 0, 1))[0]?.ack ?? new Uint8Array())
    const data = ['--data', join(folder.path, 'data')]
    const files = ['--network', join(folder.path, 'network.json'), '--keys', 'not-needed']
    const made = await liaison([...plain, 'relay', 'backup', dest, ...data, ...files])
    t.equal(made.code, 0, made.stderr)
    const { store } = made.json()[0] as { readonly store: { readonly leaves: number } }
    expected = await leavesOf(log, store.leaves)
  }
  await using redis = await RedisServer.start()
  await redis.install(net)
  const place = join(folder.path, 'out')
  const moved = ['relay', 'restore', dest, '--redis', '--out', place]
  const result = await liaison([...plain, ...moved, '--redis-nodes', `127.0.0.1:${redis.port}`])
  t.equal(result.code, 0, result.stderr)
  t.same((await readdir(place)).sort(), ['network.json', 'relay.json'])
  await using log = await openRedisLog({ redis: redis.options, net })
  t.same(await leavesOf(log, expected.length), expected)
  t.equal(toHex((await log.readAcks(bf, 0, 1))[0]?.ack ?? new Uint8Array()), acknowledged)
  for (const key of network.deviceOf('BF').epochKeys.values()) {
    t.same(await log.getBlob(kidOf(key)), key, 'the key of a week')
  }
  t.equal((await liaison([...plain, ...moved.slice(0, 3)])).code, 2, 'to where?')

  // A record that is gone: named, and no backup that looks whole.
  await redis.run('XDEL', redisKeys(net).leaves, '5-0')
  const next = join(folder.path, 'next')
  const files = ['--network', join(folder.path, 'network.json'), '--keys', 'not-needed']
  const where = ['--store', 'redis', '--redis-nodes', `127.0.0.1:${redis.port}`, ...files]
  const damaged = await liaison([...plain, 'relay', 'backup', next, ...where])
  t.equal(damaged.code, 3)
  t.match(errorIn(damaged), { code: 'log_corrupt', detail: /:leaves/ })
  t.notOk((await readdir(folder.path)).some((name) => name.startsWith('next')))
})
