/** Every decoder of what a socket may bring, on bytes that are nearly right. */
import {
  type ClientFrame,
  decodeAck,
  decodeAdminRequest,
  decodeChallenge,
  decodeClientFrame,
  decodeEntry,
  decodeHello,
  decodeLeaf,
  decodeReceipt,
  decodeRelayFrame,
  type Entry,
  encodeAck,
  encodeAdminRequest,
  encodeChallenge,
  encodeClientFrame,
  encodeHello,
  encodeLeaf,
  encodeReceipt,
  encodeRelayFrame,
  type RelayFrame,
  signCheckpoint,
  sodiumReady,
  verifyCheckpoint,
} from '@liaison/protocol'
import { type CborValue, encodeCbor } from '@liaison/protocol/internal'
import t from 'tap'
import { heapGrowthMbMax, memoryWatch } from '../support/memory-watch.ts'
import { type Codec, fuzz, fuzzRounds, mutate } from '../support/mutate.ts'
import { makeNetwork, seededBytes } from '../support/network.ts'
import { seededRandom } from '../support/seeded-random.ts'

await sodiumReady()

const random = seededRandom()
const b = (length: number, text = ''): Uint8Array => seededBytes(`fuzz ${length} ${text}`, length)
const [h16, h32, sig] = [b(16), b(32), b(64)] as const

type Samples = readonly [Uint8Array, ...Uint8Array[]]
const all = <T>(encode: (value: T) => Uint8Array, values: readonly [T, ...T[]]): Samples => {
  const [first, ...rest] = values
  return [encode(first), ...rest.map(encode)]
}

const envelope = { ctx: b(217), seal: b(120), sig, payload: b(272), slots: b(1168) }
const clientFrames: readonly [ClientFrame, ...ClientFrame[]] = [
  { kind: 'hello', hello: b(140) },
  { kind: 'auth', sig },
  { kind: 'subscribe', sub: 4, top: 3, from: 17, fluPaths: true },
  { kind: 'subscribe-acks', sub: 0, from: 5 },
  { kind: 'unsubscribe', sub: 4 },
  { kind: 'publish', rq: 70_000, envelopes: [envelope, envelope] },
  { kind: 'ack', ack: b(80), sig },
  { kind: 'credit', sub: 4, frames: 3, bytes: 9000 },
  { kind: 'dir-want', rq: 9, from: 12 },
  { kind: 'ping', t: 1_795_478_400_000 },
  { kind: 'pong', t: 0 },
  { kind: 'fetch-chain', rq: 10, chain: h32, inc: 0, from: 3, to: 9, fluPaths: false },
  { kind: 'fetch-chain', rq: 10, chain: h32, inc: 2001, from: 3, to: 9, fluPaths: true },
  { kind: 'fetch-core', rq: 11, cores: [h32, b(32, 'x')], fluPaths: true },
  { kind: 'admin', request: b(90), sig },
  { kind: 'append', rq: 12, entry: b(300) },
  {
    kind: 'blob-put',
    rq: 13,
    blobs: [
      ['key', b(1216)],
      ['sch', b(40)],
    ],
  },
  { kind: 'blob-get', rq: 14, hashes: [h32] },
]

const page = { from: 3, size: 5, entries: [b(200), b(210)], checkpoint: b(180) }
const full = {
  form: 'full',
  cursor: 8,
  ctx: b(217),
  seal: b(120),
  sig,
  payload: b(272),
  idx: 2,
  slot: b(1168),
  path: b(64),
} as const
const relayFrames: readonly [RelayFrame, ...RelayFrame[]] = [
  { kind: 'challenge', challenge: b(300), sig },
  { kind: 'ready', sid: h16, t: 1_795_478_400_000, dir: page },
  { kind: 'result', rq: 70_000, receipts: [b(120), b(130)], sig },
  {
    kind: 'deliver',
    sub: 4,
    items: [
      { ...full, flu: [] },
      {
        ...full,
        cursor: 9,
        flu: [
          [0, b(64)],
          [1, b(64)],
        ],
      },
      { form: 'stub', cursor: 10, ctx: b(217), seal: b(120), sig, reason: 2 },
      { form: 'skip', cursor: 11, to: 90 },
    ],
  },
  { kind: 'deliver', sub: 4, items: [{ form: 'skip', cursor: 1, to: 1 }] },
  { kind: 'acks', sub: 0, items: [{ index: 4, ack: b(90), sig }] },
  { kind: 'dir', rq: 9, page },
  { kind: 'error', code: 11, rq: 0, text: 'wait', retryAfterMs: 500 },
  { kind: 'ping', t: 5 },
  { kind: 'pong', t: 6 },
  { kind: 'fetched', rq: 10, items: [{ ...full, flu: [] }] },
  {
    kind: 'admin-answer',
    rq: 11,
    status: { t: 1, dir: 5, leaves: 9, sessions: 2, accepted: 3, refused: 1 },
  },
  { kind: 'admin-answer', rq: 12, leaves: [b(90)], from: 3, size: 9 },
  { kind: 'blobs', rq: 13, blobs: [[h32, b(1216)]], missing: [b(32, 'y')] },
]

const network = makeNetwork()
const device = network.deviceOf('BF')
const epochEntry = network.signEpoch(device, {
  dev: device.num,
  wk: 9,
  kids: network.kids('bf-1', 9, 3),
})

const leaf = { v: 1, t: 1_795_478_400_000, e: 'accept', by: 7, obj: h32, top: 3, cur: 8 } as const
const receipt = {
  v: 1,
  rc: 0,
  rk: 1,
  d: 0,
  cid: h32,
  t: 1_795_478_400_000,
  ix: 90,
  lh: b(32, 'leaf'),
  cur: 8,
  id: h16,
  dev: 7,
  chain: b(32, 'chain'),
  inc: 0,
  seq: 4,
} as const

const codec = <T>(
  samples: Samples,
  decode: Codec<T>['decode'],
  encode: Codec<T>['encode'],
): Codec<never> => ({ samples, decode, encode }) as unknown as Codec<never>

const codecs: readonly (readonly [string, Codec<never>])[] = [
  [
    'client frames',
    codec(all(encodeClientFrame, clientFrames), decodeClientFrame, encodeClientFrame),
  ],
  [
    'relay frames, deliver items in them',
    codec(all(encodeRelayFrame, relayFrames), decodeRelayFrame, encodeRelayFrame),
  ],
  [
    'hello',
    codec(
      all(encodeHello, [
        { v: [1], cn: h32, dir: [5, b(32, 'root')], org: 'relay.example.org', dev: 7 },
        { v: [1, 2], cn: h32, dir: [5, b(32, 'root')], org: 'ws://127.0.0.1', adm: 1 },
      ]),
      decodeHello,
      encodeHello,
    ),
  ],
  [
    'challenge',
    codec(
      all(encodeChallenge, [
        {
          v: 1,
          rn: h32,
          rk: 1,
          t: 1_795_478_400_000,
          lim: { frame: 655_360, payload: 229_376, recipients: 256, credit: [8, 65_536] },
          cp: b(180),
        },
      ]),
      decodeChallenge,
      encodeChallenge,
    ),
  ],
  [
    'receipts',
    codec(
      all(encodeReceipt, [
        receipt,
        { v: 1, rc: 123, rk: 1, d: 0, cid: h32, t: 5, head: [0, 4, b(32, 'head')] },
        { v: 1, rc: 0, rk: 1, d: 1, cid: h32, t: 5, ix: 3, lh: h32, cur: 17, adm: 2 },
      ]),
      decodeReceipt,
      encodeReceipt,
    ),
  ],
  [
    'acknowledgements',
    codec(
      all(encodeAck, [
        { v: 1, dev: 7, t: 5, ok: [h32], rd: [b(32, 'r')], bad: [[b(32, 'b'), 303]], cur: [3, 8] },
        { v: 1, dev: 7, t: 5, pu: [h32] },
      ]),
      decodeAck,
      encodeAck,
    ),
  ],
  [
    'questions of administrators',
    codec(
      all(encodeAdminRequest, [
        { op: 'leaves', rn: h32, rq: 5, t: 6, n: h16, from: 3, to: 9 },
        { op: 'status', rn: h32, rq: 5, t: 6, n: h16 },
      ]),
      decodeAdminRequest,
      encodeAdminRequest,
    ),
  ],
  [
    'audit leaves',
    codec(
      all(encodeLeaf, [
        leaf,
        { v: 1, t: 5, e: 'reject', by: 7, obj: h32, rc: 118, n: 3 },
        { v: 1, t: 5, e: 'directory', cur: 3, op: 'enrol', adm: 1 },
      ]),
      decodeLeaf,
      encodeLeaf,
    ),
  ],
  [
    'key weeks and other entries',
    // The order of signers is the directory's to judge; here only the form counts.
    codec<Entry>([epochEntry, ...network.entries().slice(0, 4)], decodeEntry, (entry) =>
      encodeCbor([entry.stmt, entry.signatures.map(([who, by]) => [who, by])]),
    ),
  ],
]

for (const [name, one] of codecs) {
  t.test(`${name}: a code or the same bytes again (seed ${random.seed})`, async (t) => {
    const valid = one.samples.filter((bytes) => one.decode(bytes).ok)
    t.equal(valid.length, one.samples.length, 'the samples are valid')
    const { faults, accepted, memory, grewMb } = fuzz(random, one, fuzzRounds)
    t.comment(memory)
    t.ok(grewMb < heapGrowthMbMax, `the heap grew by ${grewMb.toFixed(0)} MB`)
    t.same(faults, [], `${fuzzRounds} rounds, ${accepted} accepted`)
    t.ok(accepted > fuzzRounds / 1000, 'not everything is refused for its first byte')
  })
}

t.test('what was found before: fields that a reader relies on were optional', async (t) => {
  const full10 = [8, 0, b(217), b(120), sig, b(272), 2, b(1168), b(64), []] as const
  const deliver = (item: readonly CborValue[]): Uint8Array => encodeCbor([8, 4, [item]])
  const fetched = (item: readonly CborValue[]): Uint8Array => encodeCbor([15, 4, [item]])
  const refused = { ok: false, error: 'frame_malformed' }
  t.match(decodeRelayFrame(deliver(full10)), { ok: true })
  t.match(decodeRelayFrame(deliver(full10.slice(0, 9))), refused, 'an item without its last list')
  t.match(decodeRelayFrame(fetched(full10.slice(0, 9))), refused, '... in an answer')
  t.match(decodeRelayFrame(encodeCbor([12, 11, 0, 'wait'])), refused, 'an error without advice')
  const chain = { chain: h32, inc: 0, from: 3, to: 9, fp: 0 }
  t.match(decodeClientFrame(encodeCbor([15, 4, chain])), refused, 'a needless fp')
})

t.test(`checkpoints: nobody but the log's key makes one (seed ${random.seed})`, async (t) => {
  const origin = 'test.example/dir'
  const key = network.logKeys.dir
  const [small, large] = [1, 2_841].map((size) => signCheckpoint(key, { origin, size, root: h32 }))
  if (small === undefined || large === undefined) return t.fail('no samples')
  const faults: string[] = []
  let accepted = 0
  const watch = memoryWatch(fuzzRounds)
  for (let i = 0; i < fuzzRounds; i++) {
    watch.round(i)
    const note = mutate(random, [small, large])
    const checked = verifyCheckpoint(note, origin, key.publicKey)
    if (!checked.ok) continue
    accepted++
    const { size, root } = checked.value
    if ((size !== 1 && size !== 2_841) || root.join() !== h32.join()) faults.push(String(size))
  }
  t.comment(watch.end())
  t.ok(watch.grew() < heapGrowthMbMax, `the heap grew by ${watch.grew().toFixed(0)} MB`)
  t.same(faults, [], `${fuzzRounds} rounds, ${accepted} accepted`)
})
