/** What every implementation of the relay's log must do. */
import { decodeLeaf, leafHash, type NetworkId, sha256, toHex, utf8 } from '@liaison/protocol'
import type {
  AcceptedPlace,
  AcceptOutcome,
  AcceptRequest,
  LogListener,
  RelayLog,
} from '@liaison/server'
import t, { type Test } from 'tap'
import { seededBytes } from '../support/network.ts'

/** Opens logs over one store that outlives each of them. */
export interface LogStore extends AsyncDisposable {
  open(net?: NetworkId, listener?: LogListener): Promise<RelayLog>
}

/** Name of the network that the contract's logs belong to. */
export const contractNet: NetworkId = sha256(utf8('contract')) as NetworkId

const zeros = new Uint8Array(32)
const h = (text: string): Uint8Array => sha256(utf8(text))

/** A request that follows `previous` in the chain with this name. */
export function request(
  chain: string,
  seq: number,
  changes: Partial<AcceptRequest> = {},
): AcceptRequest {
  const name = `${chain} ${changes.inc ?? 0} ${seq}`
  return {
    fence: 0,
    core: h(`core ${name}`),
    from: 7,
    topic: 3,
    chain: h(chain),
    inc: 0,
    seq,
    prev: seq === 0 ? zeros : h(`core ${chain} ${changes.inc ?? 0} ${seq - 1}`),
    id: seededBytes(`id ${name}`, 16),
    t: 1000 + seq,
    envelope: {
      ctx: utf8(`ctx ${name}`),
      seal: utf8(`seal ${name}`),
      sig: seededBytes(`sig ${name}`, 64),
      payload: seededBytes(`payload ${name}`, 300),
      slots: seededBytes(`slots ${name}`, 2336),
    },
    slotLeaves: seededBytes(`leaves ${name}`, 64),
    ...changes,
  }
}

const accepted = (outcome: AcceptOutcome): AcceptedPlace => {
  if (outcome.kind !== 'accepted') throw new Error(`not accepted: ${JSON.stringify(outcome)}`)
  return outcome.place
}

const same = (t: Test, a: Uint8Array | undefined | null, b: Uint8Array, message: string): void => {
  t.equal(toHex(a ?? new Uint8Array()), toHex(b), message)
}

/** Runs the contract on one implementation. */
export function relayLogContract(name: string, create: () => Promise<LogStore>): void {
  const test = (what: string, run: (t: Test, store: LogStore) => Promise<void>): void => {
    t.test(`${name}: ${what}`, async (t) => {
      await using store = await create()
      await run(t, store)
    })
  }
  acceptContract(test)
  chainContract(test)
  readContract(test)
  ackContract(test)
  leafContract(test)
  directoryContract(test)
  reopenContract(test)
}

type TestOf = (what: string, run: (t: Test, store: LogStore) => Promise<void>) => void

function acceptContract(test: TestOf): void {
  test('the same envelope twice gives the first place and one leaf', async (t, store) => {
    await using log = await store.open()
    const first = accepted(await log.accept(request('a', 0)))
    t.match(first, { topic: 3, cursor: 1, t: 1000 })
    const again = await log.accept(request('a', 0, { t: 9999, fence: 77 }))
    t.equal(again.kind, 'duplicate', 'whatever the fence says by now')
    t.same('place' in again ? again.place : null, first)
    t.equal(log.leafCount(), 1)
    t.equal(log.topicHead(3), 1)
  })

  test('another envelope in a used place is refused', async (t, store) => {
    await using log = await store.open()
    accepted(await log.accept(request('a', 0)))
    const other = request('a', 0, { core: h('other'), id: seededBytes('other', 16) })
    t.same(await log.accept(other), { kind: 'refused', code: 'seq_reused' })
    t.equal(log.leafCount(), 1, 'and leaves nothing')
  })

  test('a used id is refused for its device, and free for another device', async (t, store) => {
    await using log = await store.open()
    const { id } = request('a', 0)
    accepted(await log.accept(request('a', 0)))
    t.same(await log.accept(request('b', 0, { id })), { kind: 'refused', code: 'id_reused' })
    t.equal((await log.accept(request('c', 0, { id, from: 8 }))).kind, 'accepted')
  })

  test('a directory that grew meanwhile sends the relay back to judge again', async (t, store) => {
    await using log = await store.open()
    await log.appendDirectory(0, utf8('genesis'), { v: 1, t: 1, e: 'directory', cur: 0 })
    t.same(await log.accept(request('a', 0)), { kind: 'fence', size: 1 })
    t.equal(log.topicHead(3), 0)
    t.equal((await log.accept(request('a', 0, { fence: 1 }))).kind, 'accepted')
  })

  test('cursors are contiguous in each topic, whatever was refused', async (t, store) => {
    await using log = await store.open()
    const cursors: number[] = []
    for (let seq = 0; seq < 5; seq++) {
      cursors.push(accepted(await log.accept(request('a', seq))).cursor)
      await log.accept(request('a', seq + 40))
      const other = await log.accept(request('b', seq, { topic: 4 }))
      t.equal(accepted(other).cursor, seq + 1)
    }
    t.same(cursors, [1, 2, 3, 4, 5])
    t.equal(log.topicHead(3), 5)
    t.equal(log.topicHead(99), 0)
  })

  test('two hundred appends at once on several chains all get their own place', async (t, store) => {
    const grew: number[] = []
    await using log = await store.open(contractNet, {
      topicGrew: (topic) => grew.push(log.topicHead(topic)),
      acksGrew: () => undefined,
      directoryGrew: () => undefined,
    })
    const chains = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
    const all = await Promise.all(
      Array.from({ length: 25 }, (_, seq) => chains.map((c) => log.accept(request(c, seq)))).flat(),
    )
    const places = all.map(accepted)
    t.equal(new Set(places.map((p) => p.cursor)).size, 200)
    t.equal(new Set(places.map((p) => p.leaf.index)).size, 200)
    t.equal(log.topicHead(3), 200)
    t.equal(log.leafCount(), 200)
    t.equal(grew.at(-1), 200, 'the newest is announced once it can be read')
    const stored = await log.readTopic(3, 0, 500)
    t.same(
      stored.map((e) => e.cursor),
      Array.from({ length: 200 }, (_, i) => i + 1),
    )
  })

  test('two equal envelopes at once are one', async (t, store) => {
    await using log = await store.open()
    const outcomes = await Promise.all([log.accept(request('a', 0)), log.accept(request('a', 0))])
    t.same(outcomes.map((o) => o.kind).sort(), ['accepted', 'duplicate'])
    t.equal(log.topicHead(3), 1)
  })
}

function chainContract(test: TestOf): void {
  test('a chain begins at 0 with no predecessor', async (t, store) => {
    await using log = await store.open()
    t.match(await log.accept(request('a', 1)), { code: 'seq_gap', head: null })
    t.match(await log.accept(request('a', 0, { prev: h('x') })), { code: 'prev_mismatch' })
  })

  test('a chain goes on by one, from its head', async (t, store) => {
    await using log = await store.open()
    const { core } = accepted(await log.accept(request('a', 0)))
    const gap = await log.accept(request('a', 2))
    t.match(gap, { kind: 'refused', code: 'seq_gap', head: { inc: 0, seq: 0 } })
    same(t, 'head' in gap ? gap.head?.core : null, core, 'the head is told')
    t.match(await log.accept(request('a', 1, { prev: h('x') })), { code: 'prev_mismatch' })
    accepted(await log.accept(request('a', 1)))
  })

  test('a restarted chain counts from 0 again and never goes back', async (t, store) => {
    await using log = await store.open()
    accepted(await log.accept(request('a', 0, { inc: 5 })))
    t.match(await log.accept(request('a', 0, { inc: 4 })), { code: 'incarnation_stale' })
    t.match(await log.accept(request('a', 1, { inc: 6 })), { code: 'seq_gap' })
    accepted(await log.accept(request('a', 0, { inc: 6 })))
    t.match(await log.accept(request('a', 1, { inc: 5 })), { code: 'incarnation_stale' })
    const repeated = await log.accept(request('a', 0, { inc: 5 }))
    t.equal(repeated.kind, 'duplicate', 'an old envelope still gets its old answer')
  })
}

function readContract(test: TestOf): void {
  test('what was accepted can be read by topic, chain, core hash and place', async (t, store) => {
    await using log = await store.open()
    for (let seq = 0; seq < 4; seq++) accepted(await log.accept(request('a', seq)))
    const wanted = request('a', 2)
    const byCore = await log.readCore(wanted.core)
    t.match(byCore, { topic: 3, cursor: 3, t: 1002 })
    same(t, byCore?.ctx, wanted.envelope.ctx, 'ctx')
    same(t, byCore?.seal, wanted.envelope.seal, 'seal')
    same(t, byCore?.sig, wanted.envelope.sig, 'sig')
    same(t, byCore?.payload, wanted.envelope.payload, 'payload')
    same(t, byCore?.slotLeaves, wanted.slotLeaves, 'leaves of the slots')
    same(t, await log.readSlots(3, 3), wanted.envelope.slots, 'slots')
    t.same(
      (await log.readTopic(3, 1, 2)).map((e) => e.cursor),
      [2, 3],
    )
    t.same(
      (await log.readChain(h('a'), 0, 1, 99, 2)).map((e) => e.cursor),
      [2, 3],
    )
    same(t, (await log.find(h('a'), 0, 2))?.core, wanted.core, 'place')
  })

  test('what is not there is not found', async (t, store) => {
    await using log = await store.open()
    accepted(await log.accept(request('a', 0)))
    t.equal(await log.readCore(h('nobody')), null)
    t.equal(await log.find(h('a'), 0, 1), null)
    t.equal(await log.find(h('a'), 1, 0), null)
    t.equal(await log.readSlots(3, 2), null)
    t.equal(await log.getBlob(h('nothing')), null)
    t.same(await log.readTopic(3, 1, 10), [])
    t.same(await log.readTopic(9, 0, 10), [])
    t.same(await log.readChain(h('a'), 0, 1, 5, 10), [])
  })

  test('values read are copies: later reads and writes do not change them', async (t, store) => {
    await using log = await store.open()
    for (let seq = 0; seq < 3; seq++) accepted(await log.accept(request('a', seq)))
    const [first, second] = await log.readTopic(3, 0, 2)
    const slots = await log.readSlots(3, 1)
    for (let seq = 3; seq < 30; seq++) accepted(await log.accept(request('a', seq)))
    await log.readTopic(3, 0, 30)
    await log.readSlots(3, 20)
    same(t, first?.payload, request('a', 0).envelope.payload, 'the first payload')
    same(t, second?.ctx, request('a', 1).envelope.ctx, 'the second header')
    same(t, slots, request('a', 0).envelope.slots, 'the slots')
    first?.payload.fill(0)
    const [again] = await log.readTopic(3, 0, 1)
    same(t, again?.payload, request('a', 0).envelope.payload, 'nor does writing into them')
  })

  test('public documents are kept under their hash', async (t, store) => {
    await using log = await store.open()
    const bytes = seededBytes('blob', 1216)
    await Promise.all([log.putBlob(sha256(bytes), bytes), log.putBlob(sha256(bytes), bytes)])
    same(t, await log.getBlob(sha256(bytes)), bytes, 'blob')
  })
}

function ackContract(test: TestOf): void {
  const leaf = { v: 1, t: 5, e: 'ack', by: 7 } as const

  test('acknowledgements are counted for each member and stored once', async (t, store) => {
    const grew: number[] = []
    await using log = await store.open(contractNet, {
      topicGrew: () => undefined,
      acksGrew: (member) => grew.push(member),
      directoryGrew: () => undefined,
    })
    const [one, two, sig] = [utf8('ack one'), utf8('ack two'), seededBytes('sig', 64)]
    t.match(await log.appendAck([4, 5], one, sig, leaf), { index: 0 })
    t.equal(await log.appendAck([4, 5], one, sig, leaf), null, 'the same bytes are no news')
    t.match(await log.appendAck([4], two, sig, leaf), { index: 1 })
    t.same([log.ackHead(4), log.ackHead(5), log.ackHead(6)], [2, 1, 0])
    t.same(grew, [4, 5, 4])
    const [first, second] = await log.readAcks(4, 0, 10)
    t.same([first?.index, second?.index], [1, 2])
    same(t, first?.ack, one, 'ack')
    same(t, first?.sig, sig, 'signature')
    t.same(
      (await log.readAcks(4, 1, 10)).map((a) => a.index),
      [2],
    )
    t.equal(log.leafCount(), 2)
  })
}

function leafContract(test: TestOf): void {
  test('leaves are numbered from 0 and named by their RFC 6962 hash', async (t, store) => {
    await using log = await store.open()
    const first = await log.appendLeaf({ v: 1, t: 1, e: 'session', by: 3 })
    const { leaf } = accepted(await log.accept(request('a', 0)))
    const entry = await log.appendDirectory(0, utf8('g'), { v: 1, t: 2, e: 'directory', cur: 0 })
    t.same([first.index, leaf.index, entry?.index], [0, 1, 2])
    const leaves = await log.readLeaves(0, 10)
    t.equal(log.leafCount(), 3)
    same(t, leafHash(leaves[0] as Uint8Array), first.hash, 'hash of a plain leaf')
    same(t, leafHash(leaves[1] as Uint8Array), leaf.hash, 'hash of an acceptance')
    const decoded = decodeLeaf(leaves[1] as Uint8Array)
    t.match(decoded, { ok: true, value: { e: 'accept', by: 7, top: 3, cur: 1, t: 1000 } })
    t.equal((await log.readLeaves(1, 2)).length, 1)
    t.same(await log.readLeaves(3, 9), [])
  })
}

function directoryContract(test: TestOf): void {
  const leaf = { v: 1, t: 1, e: 'directory', cur: 0 } as const

  test('directory entries go to exactly the named index', async (t, store) => {
    await using log = await store.open()
    t.match(await log.appendDirectory(0, utf8('zero'), leaf), { index: 0 })
    t.equal(await log.appendDirectory(0, utf8('other'), leaf), null)
    t.equal(await log.appendDirectory(2, utf8('later'), leaf), null)
    t.match(await log.appendDirectory(1, utf8('one'), leaf), { index: 1 })
    const entries = await log.readDirectory(0, 10)
    t.same(
      entries.map((e) => Buffer.from(e).toString()),
      ['zero', 'one'],
    )
    t.equal((await log.readDirectory(1, 10)).length, 1)
    t.equal((await log.readDirectory(0, 1)).length, 1)
    t.equal(log.leafCount(), 2, 'a refused append leaves no leaf')
  })

  test('of two appends at once to one index, one wins', async (t, store) => {
    await using log = await store.open()
    const both = await Promise.all([
      log.appendDirectory(0, utf8('a'), leaf),
      log.appendDirectory(0, utf8('b'), leaf),
    ])
    t.equal(both.filter((place) => place === null).length, 1)
  })
}

function reopenContract(test: TestOf): void {
  test('after opening again everything is there and numbering goes on', async (t, store) => {
    const bytes = seededBytes('blob', 100)
    const ack = { v: 1, t: 5, e: 'ack', by: 7 } as const
    {
      await using log = await store.open()
      await log.appendDirectory(0, utf8('g'), { v: 1, t: 2, e: 'directory', cur: 0 })
      for (const topic of [3, 1, 200]) {
        for (let seq = 0; seq < 3; seq++) {
          accepted(await log.accept(request(`${topic}`, seq, { topic, fence: 1 })))
        }
      }
      await log.appendAck([4, 9], utf8('ack'), seededBytes('sig', 64), ack)
      await log.putBlob(sha256(bytes), bytes)
    }
    await using log = await store.open()
    t.same(
      [1, 3, 200].map((topic) => log.topicHead(topic)),
      [3, 3, 3],
    )
    t.same(
      [4, 9, 5].map((member) => log.ackHead(member)),
      [1, 1, 0],
    )
    t.equal(log.leafCount(), 11)
    t.equal((await log.readDirectory(0, 9)).length, 1)
    same(t, await log.getBlob(sha256(bytes)), bytes, 'blob')
    same(t, await log.readSlots(200, 2), request('200', 1).envelope.slots, 'slots')
    const again = await log.accept(request('3', 1, { topic: 3, fence: 1 }))
    t.match(again, { kind: 'duplicate', place: { cursor: 2 } })
    const next = accepted(await log.accept(request('3', 3, { topic: 3, fence: 1 })))
    t.match(next, { cursor: 4, leaf: { index: 11 } })
    t.equal(await log.appendAck([4], utf8('ack'), seededBytes('sig', 64), ack), null)
  })

  test("another network's folder is refused", async (t, store) => {
    await (await store.open())[Symbol.asyncDispose]()
    await t.rejects(store.open(sha256(utf8('other')) as NetworkId), { code: 'store_mismatch' })
    await using log = await store.open()
    t.equal(log.leafCount(), 0, 'and is as it was')
  })
}
