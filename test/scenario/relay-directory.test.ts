import type { Socket } from 'node:net'
import { decodeLeaf, kidOf, type Leaf, weekOf } from '@liaison/protocol'
import type { RelayLog } from '@liaison/server'
import t from 'tap'
import { Composer } from '../support/composer.ts'
import { epochPair } from '../support/epoch-keys.ts'
import { RawClient } from '../support/raw-client.ts'
import { startScenario } from '../support/relay.ts'

async function leavesFrom(log: RelayLog, from: number): Promise<Leaf[]> {
  const leaves = await log.readLeaves(from, log.leafCount())
  return leaves.map((bytes) => {
    const leaf = decodeLeaf(bytes)
    if (!leaf.ok) throw new Error(leaf.error)
    return leaf.value
  })
}

/** Bytes that this process, in which the relay runs, has written to the socket of a client. */
function serverSocketOf(client: RawClient): Socket {
  const { localPort } = (Reflect.get(client.socket, '_socket') as Socket) ?? {}
  const handles = (Reflect.get(process, '_getActiveHandles') as () => unknown[]).call(process)
  const found = handles.find(
    (handle) =>
      Reflect.get(handle as object, 'remotePort') === localPort &&
      Reflect.get(handle as object, 'localPort') !== undefined &&
      Reflect.get(handle as object, 'resetAndDestroy') !== undefined,
  )
  if (found === undefined) throw new Error('the server side of the socket was not found')
  return found as Socket
}

t.test(
  'attack 24: a suspension cuts the sockets of the device before its receipt is out',
  async (t) => {
    await using relay = await startScenario()
    const { network } = relay
    const { log } = relay.running.relay.source
    const top = network.topic('terrorism')
    const composer = new Composer(network, network.deviceOf('BF'))
    const publisher = await relay.client(composer.device)
    const stolen = network.deviceOf('ML')
    const [one, two] = [await relay.client(stolen), await relay.client(stolen)]
    const staying = await relay.client(network.deviceOf('ML', 1))
    for (const client of [one, two, staying]) client.subscribe(1, top)
    const body = JSON.stringify({ text: 'x'.repeat(20_000) })
    for (let i = 0; i < 5; i++) await publisher.publish(composer.seal({ body }).envelope)
    const sockets = [one, two].map(serverSocketOf)
    const admin = await relay.administrator(3)
    const entry = network.sign('suspend', { dev: stolen.num, why: 'stolen' }, [3])
    const leaves = log.leafCount()
    const before = network.directory.size
    t.match(await admin.append(entry), { codes: ['ok'], receipts: [{ cur: before, adm: 3 }] })
    const written = sockets.map((socket) => socket.bytesWritten)
    t.ok(
      sockets.every((socket) => socket.destroyed),
      'both sockets are gone by then',
    )
    network.appendEntry(entry)
    for (let i = 0; i < 12; i++) {
      t.same((await publisher.publish(composer.seal().envelope)).codes, ['ok'])
    }
    t.same(
      sockets.map((socket) => socket.bytesWritten),
      written,
      'and nothing was written since',
    )
    t.same([(await one.ended()).code, (await two.ended()).code], [1006, 1006], 'reset, not closed')
    await using back = await RawClient.connect(relay.url, network)
    await t.rejects(back.authenticate(stolen), /device_inactive/)
    await staying.next('deliver')
    await staying.barrier()
    t.equal(staying.closed, null, 'the other device of the member goes on')
    const since = await leavesFrom(log, leaves)
    t.match(since[0], { e: 'directory', op: 'suspend', adm: 3, cur: before })
    const enforced = since.filter((leaf) => leaf.e === 'suspend-enforced')
    t.match(enforced, [
      { by: stolen.num, cur: before },
      { by: stolen.num, cur: before },
    ])
  },
)

t.test(
  'what a device published around its suspension is accepted before it or refused',
  async (t) => {
    await using relay = await startScenario()
    const { network } = relay
    const { log } = relay.running.relay.source
    const composer = new Composer(network, network.deviceOf('BF'))
    const stolen = await relay.client(composer.device)
    const admin = await relay.administrator(1)
    const entry = network.sign('suspend', { dev: composer.device.num, why: 'stolen' }, [1])
    const before = log.leafCount()
    for (let i = 0; i < 20; i++) stolen.beginPublish(composer.seal().envelope)
    const appended = admin.append(entry)
    t.same((await appended).codes, ['ok'])
    await stolen.ended()
    const head = log.topicHead(network.topic('terrorism'))
    await admin.barrier()
    const leaves = await leavesFrom(log, before)
    const suspended = leaves.findIndex((leaf) => leaf.op === 'suspend')
    const late = leaves.slice(suspended).filter((leaf) => leaf.e === 'accept')
    t.same(late, [], 'no acceptance after the entry')
    t.equal(log.topicHead(network.topic('terrorism')), head)
  },
)

t.test('a right that was withdrawn ends the subscription, not the session', async (t) => {
  await using relay = await startScenario()
  const { network } = relay
  const top = network.topic('terrorism')
  const client = await relay.client(network.deviceOf('NE'))
  client.subscribe(4, top)
  const admin = await relay.administrator(1)
  const grant = { top, mem: network.member('NE'), pub: 1 as const, read: 0 as const, hc: 4 }
  const entry = network.sign('grant', grant)
  t.same((await admin.append(entry)).codes, ['ok'])
  t.match(await client.next('error'), { rq: 4, code: 16 })
  network.appendEntry(entry)
  const composer = new Composer(network, network.deviceOf('BF'))
  const publisher = await relay.client(composer.device)
  t.same((await publisher.publish(composer.seal().envelope)).codes, ['ok'])
  await client.barrier()
  t.notOk(client.inbox.some((f) => f.kind === 'deliver'))
})

t.test('a device lists new keys for itself only, after it has published them', async (t) => {
  await using relay = await startScenario()
  const { network } = relay
  const device = network.deviceOf('ML')
  const first = weekOf(network.now, network.directory.genesisT) + 1
  const pairs = [0, 1, 2].map((i) => epochPair('rotated', device.label, first + i))
  const body = { dev: device.num, wk: first, kids: pairs.map((pair) => pair.kid) }
  const entry = network.signEpoch(device, body)
  const own = await relay.client(device)
  t.same((await own.append(entry)).codes, ['blob_missing'])
  own.send({ kind: 'blob-put', rq: 50, blobs: pairs.map((p) => ['key', p.publicKey] as const) })
  t.match(await own.next('blobs'), { rq: 50, blobs: [], missing: [] })
  const sibling = await relay.client(network.deviceOf('ML', 1))
  t.same((await sibling.append(entry)).codes, ['not_permitted'], "another's entry")
  const suspend = network.sign('suspend', { dev: device.num, why: 'x' }, [1])
  t.same((await sibling.append(suspend)).codes, ['not_permitted'], 'an administrators entry')
  const receipt = await own.append(entry)
  t.match(receipt, { codes: ['ok'], receipts: [{ cur: network.directory.size, dev: device.num }] })
  t.same((await own.append(entry)).codes, ['nonce_used'])
  network.appendEntry(entry)
  const kids = pairs.map((pair) => pair.kid)
  const rq = sibling.newRq()
  sibling.send({ kind: 'blob-get', rq, hashes: [...kids, new Uint8Array(32)] })
  const blobs = await sibling.next('blobs', (f) => f.rq === rq)
  t.same(
    blobs.blobs.map(([, bytes]) => kidOf(bytes)),
    kids,
  )
  t.same(blobs.missing, [new Uint8Array(32)])
})

t.test('attack 17: a key that nobody can seal for is refused', async (t) => {
  await using relay = await startScenario()
  const { network } = relay
  const client = await relay.client(network.deviceOf('ML'))
  const good = epochPair('bad keys', 'x', 1).publicKey
  const unreduced = good.slice()
  unreduced.fill(0xff, 0, 3)
  const lowOrder = good.slice()
  lowOrder.fill(0, 1184)
  for (const key of [unreduced, lowOrder, good.slice(1), new Uint8Array(1216)]) {
    client.send({
      kind: 'blob-put',
      rq: 1,
      blobs: [
        ['key', good],
        ['key', key],
      ],
    })
    t.equal(await client.nextError(), 'blob_refused')
  }
  client.send({ kind: 'blob-get', rq: 2, hashes: [kidOf(good)] })
  t.equal((await client.next('blobs')).missing.length, 1, 'nothing of a refused frame is kept')
})

t.test('entries that break the rules are refused with their code and leave no trace', async (t) => {
  await using relay = await startScenario()
  const { network } = relay
  const admin = await relay.administrator(1)
  const { log } = relay.running.relay.source
  const leaves = log.leafCount()
  const member = { code: 'XX', kind: 'state' as const, name: { en: 'X' } }
  t.same((await admin.append(network.sign('member', member, [1]))).codes, ['quorum_missing'])
  t.match((await admin.append(new Uint8Array([0x80]))).codes, ['entry_malformed'])
  t.equal(log.leafCount(), leaves)
  t.equal(relay.running.relay.directory.size, network.directory.size)
  const rq = admin.newRq()
  admin.send({ kind: 'dir-want', rq, from: 2 })
  const { page } = await admin.next('dir', (f) => f.rq === rq)
  t.same(page.entries, network.entries().slice(2))
})

t.test(
  "attack 33: an administrator's question is signed, logged, and good for its session only",
  async (t) => {
    await using relay = await startScenario()
    const { network } = relay
    const { log } = relay.running.relay.source
    const key = network.adminKeys.get(2) as NonNullable<ReturnType<typeof network.adminKeys.get>>
    const admin = await relay.administrator(2)
    const before = log.leafCount()
    const asked = admin.adminRequest(key, { op: 'status' })
    admin.send({ kind: 'admin', ...asked })
    const { status } = await admin.next('admin-answer')
    t.match(status, { dir: network.directory.size, sessions: 1, accepted: 0, leaves: before + 1 })
    t.match(await leavesFrom(log, before), [{ e: 'admin-read', adm: 2 }])
    admin.send({ kind: 'admin', ...admin.adminRequest(key, { op: 'leaves', from: 0, to: 2 }) })
    t.match(await admin.next('admin-answer'), { from: 0, size: before + 2, leaves: { length: 2 } })
    const second = await relay.administrator(2)
    second.send({ kind: 'admin', ...asked })
    t.equal(await second.nextError(), 'auth_failed', 'an old question in a new session')
    const other = network.adminKeys.get(3) as typeof key
    second.send({ kind: 'admin', ...second.adminRequest(other, { op: 'status' }) })
    t.equal(await second.nextError(), 'signature_invalid')
    const device = await relay.client(network.deviceOf('ML'))
    device.send({ kind: 'admin', ...device.adminRequest(key, { op: 'status' }) })
    t.equal(await device.nextError(), 'not_permitted')
    t.equal(log.leafCount(), before + 2, 'refused questions are not answered and not logged')
  },
)

t.test('an administrator who is suspended loses the session', async (t) => {
  await using relay = await startScenario()
  const { network } = relay
  const [one, two] = [await relay.administrator(1), await relay.administrator(2)]
  const entry = network.sign('suspend', { adm: 1, why: 'left' })
  t.same((await two.append(entry)).codes, ['ok'])
  t.equal((await one.ended()).code, 1006)
  await t.rejects(relay.administrator(1), /device_inactive|auth_failed/)
})
