import { stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { type NetworkId, sodiumReady } from '@liaison/protocol'
import { type LogListener, openLmdbLog } from '@liaison/server'
import { open } from 'lmdb'
import t from 'tap'
import { rejectsWithCode } from '../support/rejects-with-code.ts'
import { tempFolder } from '../support/temp-folder.ts'
import { contractNet, type LogStore, relayLogContract, request } from './relay-log.ts'

t.before(() => sodiumReady())

async function lmdbStore(): Promise<LogStore> {
  const folder = await tempFolder()
  return {
    open: (net: NetworkId = contractNet, listener?: LogListener) =>
      openLmdbLog({
        folder: folder.path,
        net,
        ...(listener === undefined ? {} : { listener }),
      }),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  }
}

relayLogContract('embedded log', lmdbStore)

t.test('a data folder of another format is refused', async (t) => {
  await using folder = await tempFolder()
  await (await openLmdbLog({ folder: folder.path, net: contractNet }))[Symbol.asyncDispose]()
  const root = open({ path: join(folder.path, 'relay.mdb'), noSubdir: true, maxDbs: 16 })
  await root.openDB({ name: 'meta' }).put('format', 99)
  await root.close()
  const again = openLmdbLog({ folder: folder.path, net: contractNet })
  await rejectsWithCode(t, again, 'store_mismatch')
})

t.test('a write that fails half way leaves nothing, and the log refuses to go on', async (t) => {
  await using folder = await tempFolder()
  const options = { folder: folder.path, net: contractNet }
  {
    await using log = await openLmdbLog(options)
    t.equal((await log.accept(request('a', 0))).kind, 'accepted')
    // A key that LMDB cannot take makes the step throw after most of its writes.
    const failing = request('a', 1, { core: new Uint8Array(5000) })
    const [failed, behind] = await Promise.allSettled([
      log.accept(failing),
      log.accept(request('b', 0)),
    ])
    t.match(failed, { status: 'rejected', reason: { code: 'log_unavailable' } })
    t.match(behind, { status: 'rejected', reason: { code: 'log_unavailable' } })
    await rejectsWithCode(t, log.accept(request('b', 0)), 'log_unavailable')
    await rejectsWithCode(t, log.appendLeaf({ v: 1, t: 1, e: 'fault' }), 'log_unavailable')
    t.equal(log.topicHead(3), 1, 'reads go on, up to what was acknowledged')
    t.equal((await log.readTopic(3, 0, 500)).length, 1)
  }
  await using log = await openLmdbLog(options)
  t.equal(log.topicHead(3), 1, 'opened again, there is no half of the failed one')
  t.equal(log.leafCount(), 1)
  t.match(await log.accept(request('a', 1)), { kind: 'accepted', place: { cursor: 2 } })
})

t.test('the data file is opened so that only flushed data survives a restore', async (t) => {
  await using folder = await tempFolder()
  const root = open({
    path: join(folder.path, 'relay.mdb'),
    noSubdir: true,
    ...({ safeRestore: true } as object),
  })
  t.equal(Reflect.get(root, 'safeRestore'), true, 'the option is known to this release of lmdb')
  t.equal(Reflect.get(root, 'overlappingSync'), true, 'and means something in this mode')
  await root.close()
})

t.test('two relays never write to one folder', async (t) => {
  await using folder = await tempFolder()
  const options = { folder: folder.path, net: contractNet }
  await using log = await openLmdbLog(options)
  t.match(await log.accept(request('a', 0)), { kind: 'accepted' })
  await rejectsWithCode(t, openLmdbLog(options), 'config_invalid')
  t.match(await log.accept(request('a', 1)), { kind: 'accepted' }, 'the first goes on')
  // As from another container, where the process of the first cannot be seen.
  const root = open({ path: join(folder.path, 'relay.mdb'), noSubdir: true, maxDbs: 16 })
  const meta = root.openDB<object, string>({ name: 'meta' })
  await meta.put('owner', { ...meta.get('owner'), host: 'elsewhere' })
  await root.close()
  await using second = await openLmdbLog(options)
  await rejectsWithCode(t, log.accept(request('a', 2)), 'log_unavailable')
  t.match(log.failure()?.cause, { message: /taken the data folder over/ })
  t.match(await second.accept(request('a', 2)), { kind: 'accepted', place: { cursor: 3 } })
})

t.test('a folder that a dead process left behind is free', async (t) => {
  await using folder = await tempFolder()
  const options = { folder: folder.path, net: contractNet }
  await (await openLmdbLog(options))[Symbol.asyncDispose]()
  const root = open({ path: join(folder.path, 'relay.mdb'), noSubdir: true, maxDbs: 16 })
  const { dev, ino } = await stat(join(folder.path, 'relay.mdb'))
  const file = `${dev}:${ino}`
  const left = { name: 'x', host: hostname(), pid: process.pid, file, started: '1' }
  await root.openDB<object, string>({ name: 'meta' }).put('owner', left)
  await root.close()
  await using log = await openLmdbLog(options)
  t.match(await log.accept(request('a', 0)), { kind: 'accepted' }, 'its number is in use again')
})
