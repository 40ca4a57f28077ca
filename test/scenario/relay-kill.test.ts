/**
 * The relay process is killed without warning, again and again, while devices publish and read. What
 * it has acknowledged must be there afterwards, once, in order, for everybody.
 */
import { join } from 'node:path'
import type { Session } from '@liaison/client-sdk'
import {
  chainIdOf,
  consistencyProof,
  decodeCtx,
  decodeLeaf,
  decodeReceipt,
  GrowingTree,
  leafHash,
  type Receipt,
  sodiumReady,
  toHex,
  verifyCheckpoint,
  verifyConsistency,
} from '@liaison/protocol'
import { schemaHash } from '@liaison/schemas'
import { openLmdbLog, type RelayLog } from '@liaison/server'
import t from 'tap'
import { makeSealingNetwork } from '../support/epoch-keys.ts'
import { KeenPublisher, KeenReader, type Seen, Watcher } from '../support/keen-clients.ts'
import type { TestNetwork } from '../support/network.ts'
import { prepareRelay } from '../support/relay.ts'
import { RelayProcess } from '../support/relay-process.ts'
import { makeReport, openDevice } from '../support/sdk.ts'
import { seededRandom } from '../support/seeded-random.ts'
import { tempFolder } from '../support/temp-folder.ts'

const long = process.env['LIAISON_LONG'] === '1'
const kills = long ? 200 : 20
/** Life of one relay process after it let clients in again, ms. */
const lifeMs = { least: 100, spread: 400 }
/** Hurries back after each kill: well below a second. */
const impatient = (): number => 0.01

/** Kills between two looks at the logs. */
const looksEvery = 4
/** Between two batches of one device, so that the machine keeps up with its readers, ms. */
const breathMs = 100

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Submits reports of a member through the SDK, a few at a time, while there is more to do. */
async function submitWhile(
  session: Session,
  network: TestNetwork,
  member: string,
  more: () => boolean,
): Promise<string[]> {
  const ids: string[] = []
  while (more()) {
    const batch = []
    for (let i = 0; i < 2; i++) {
      batch.push(await session.submit(makeReport(network, member), { topic: 'terrorism' }))
    }
    ids.push(...batch.map(({ id }) => id))
    for (const one of batch) await one.accepted(AbortSignal.timeout(30_000))
    await pause(breathMs)
  }
  return ids
}

/** Reads what a device shows until so many items are there, or nothing comes for too long. */
async function received(session: Session, n: number): Promise<Seen> {
  const seen: Seen = { reports: [], others: [] }
  const signal = AbortSignal.timeout(30_000)
  for await (const delivery of session.subscribe({}, { from: 'all', signal })) {
    if (delivery.kind === 'report' && delivery.verified === true) {
      seen.reports.push(delivery.report.meta.id)
    } else {
      seen.others.push(delivery.kind)
    }
    if (seen.reports.length + seen.others.length >= n) break
  }
  return seen
}

const random = seededRandom()
t.setTimeout(long ? 900_000 : 120_000)

t.test(`${kills} kills under load lose and double nothing (seed ${random.seed})`, async (t) => {
  await sodiumReady()
  const sch = schemaHash('spotrep')
  const network = makeSealingNetwork({ schemas: [{ name: 'spotrep', hash: sch }] })
  await using folder = await tempFolder()
  const config = await prepareRelay(network, folder)
  await using relay = await RelayProcess.start(folder, config, network.now)
  const door = { network, folder, url: relay.url }
  const topic = network.topic('terrorism')
  const asSdk = (code: string, nth = 0): Promise<Session> =>
    openDevice(door, network.deviceOf(code, nth), { random: impatient })
  await using officer = await asSdk('BF')
  await using colleague = await asSdk('ML')
  await using analyst = await asSdk('FLU')

  let killing = true
  const more = (): boolean => killing
  const raw = [network.deviceOf('ML', 1), network.deviceOf('NE')].map(
    (device) => new KeenPublisher(network, device, relay.url, sch),
  )
  const reader = new KeenReader(network, network.deviceOf('FLU', 1), relay.url, topic)
  const watcher = new Watcher(network, relay.url)
  const working = Promise.all([
    submitWhile(officer, network, 'BF', more),
    submitWhile(colleague, network, 'ML', more),
    ...raw.map((publisher) => publisher.run(more)),
  ])
  const reading = reader.run(() => killing || !reader.has(expected))
  let expected = Number.POSITIVE_INFINITY
  await watcher.look()
  for (let i = 0; i < kills; i++) {
    await pause(lifeMs.least + random.integer(lifeMs.spread))
    watcher.add()
    await pause(random.integer(25))
    await relay.kill()
    await relay.restart()
    if (i % looksEvery === 0) await watcher.look()
  }
  killing = false
  const ids = (await working).flat()
  expected = ids.length
  for (const session of [officer, colleague]) {
    await session.outbox.flush({ signal: AbortSignal.timeout(30_000) })
  }
  t.ok(ids.length > kills, `${ids.length} reports were on their way`)
  t.same(
    raw.flatMap((p) => p.refused),
    [],
    'no honest envelope was refused',
  )
  const resent = raw.reduce((sum, p) => sum + p.repeated, 0)
  t.ok(resent > 0, `${resent} envelopes were without an answer when the relay died`)

  const wanted = [...ids].sort()
  for (const session of [officer, colleague, analyst]) {
    const { reports, others } = await received(session, ids.length)
    t.same([...reports].sort(), wanted, `device ${session.me.num} shows every report once`)
    t.same(others, [], '... and no gap, no closed item, no restarted chain')
  }
  await reading
  await watcher.look()
  await relay.stop()

  await using log = await openLmdbLog({
    folder: join(folder.path, 'data'),
    net: network.directory.net,
  })
  const receipts = [
    ...raw.flatMap((p) => [...p.accepted.values()]),
    ...[officer, colleague].flatMap((s) => sdkReceipts(s)),
  ]
  t.equal(receipts.length, ids.length, 'everybody has a receipt for everything')
  t.same(await missing(log, receipts), [], 'nothing acknowledged is missing from the log')
  t.same(
    await topicFaults(log, network, topic, ids.length),
    [],
    'the topic has each once, in order',
  )
  t.same(reader.doubled, [], 'no cursor was given to two envelopes')
  t.equal(reader.cores.size, ids.length)
  t.same(await auditFaults(log, watcher, ids.length), [], 'the audit log only ever grew')
  t.same(await directoryFaults(log, network, watcher), [], 'the directory log only ever grew')
})

/** Receipts that an SDK keeps for what it sent. */
const sdkReceipts = (session: Session): Receipt[] =>
  session.outbox.list().map(({ id, receipt }) => {
    const decoded = receipt === null ? null : decodeReceipt(receipt.bytes)
    if (decoded === null || !decoded.ok) throw new Error(`${id} has no receipt`)
    return decoded.value
  })

/** Receipts whose envelope, place or leaf is not in the log as they say. */
async function missing(log: RelayLog, receipts: readonly Receipt[]): Promise<string[]> {
  const faults: string[] = []
  for (const r of receipts) {
    const { cid, chain, inc, seq, ix, lh, cur } = r
    const name = toHex(cid)
    if (chain === undefined || ix === undefined || lh === undefined || seq === undefined) {
      faults.push(`${name}: the receipt names no place`)
      continue
    }
    const place = await log.find(chain, inc ?? 0, seq)
    if (place === null || toHex(place.core) !== name) faults.push(`${name}: not at its place`)
    if (place?.cursor !== cur) faults.push(`${name}: another cursor than its receipt says`)
    const stored = await log.readCore(cid)
    if (stored?.cursor !== cur) faults.push(`${name}: not found by its name`)
    const [leaf] = await log.readLeaves(ix, ix + 1)
    if (leaf === undefined || toHex(leafHash(leaf)) !== toHex(lh)) faults.push(`${name}: no leaf`)
  }
  return faults
}

/** What is wrong with the order of a topic or the chains in it. */
async function topicFaults(
  log: RelayLog,
  network: TestNetwork,
  topic: number,
  n: number,
): Promise<string[]> {
  const faults: string[] = []
  const heads = new Map<string, { readonly seq: number; readonly core: string }>()
  const cores = new Set<string>()
  const stored = await log.readTopic(topic, 0, 1_000_000)
  if (stored.length !== n) faults.push(`${stored.length} envelopes instead of ${n}`)
  for (const [i, one] of stored.entries()) {
    const core = toHex(one.core)
    if (one.cursor !== i + 1) faults.push(`cursor ${one.cursor} at place ${i + 1}`)
    if (cores.has(core)) faults.push(`${core} is there twice`)
    cores.add(core)
    const ctx = decodeCtx(one.ctx)
    if (!ctx.ok) throw new Error(ctx.error)
    const chain = toHex(chainIdOf(network.directory.net, ctx.value))
    const head = heads.get(chain) ?? { seq: -1, core: '00'.repeat(32) }
    const { seq, prev, inc = 0 } = ctx.value
    if (inc !== 0 || seq !== head.seq + 1 || toHex(prev) !== head.core) {
      faults.push(`${core}: ${inc}/${seq} does not follow ${head.seq}`)
    }
    heads.set(chain, { seq, core })
  }
  return faults
}

/** What is wrong with the audit log, given what was seen of it between the kills. */
async function auditFaults(log: RelayLog, watcher: Watcher, accepted: number): Promise<string[]> {
  const faults: string[] = []
  const leaves = await log.readLeaves(0, log.leafCount())
  const kinds = leaves.map((leaf) => {
    const decoded = decodeLeaf(leaf)
    return decoded.ok ? decoded.value.e : decoded.error
  })
  const accepts = kinds.filter((kind) => kind === 'accept').length
  if (accepts !== accepted) faults.push(`${accepts} leaves for ${accepted} accepted envelopes`)
  const tree = new GrowingTree()
  for (const leaf of leaves) tree.append(leaf)
  for (const { size, root } of watcher.audit) {
    const proof = tree.consistencyProof(size)
    if (!verifyConsistency(size, leaves.length, root, tree.root, proof)) {
      faults.push(`the log at ${size} is no beginning of the log at ${leaves.length}`)
    }
  }
  return faults
}

/** What is wrong with the directory log, given the signed checkpoints seen between the kills. */
async function directoryFaults(
  log: RelayLog,
  network: TestNetwork,
  watcher: Watcher,
): Promise<string[]> {
  const faults: string[] = []
  const entries = await log.readDirectory(0, 10_000)
  if (entries.length !== network.directory.size) {
    faults.push(`${entries.length} entries instead of ${network.directory.size}`)
  }
  const hashes = entries.map(leafHash)
  for (const note of watcher.checkpoints) {
    const seen = verifyCheckpoint(note, 'test.example/dir', network.logKeys.dir.publicKey)
    if (!seen.ok) throw new Error(seen.error)
    const { size, root } = seen.value
    const proof = consistencyProof(hashes, size)
    if (!verifyConsistency(size, entries.length, root, network.directory.root, proof)) {
      faults.push(`the checkpoint at ${size} is no beginning of the directory`)
    }
  }
  return faults
}
