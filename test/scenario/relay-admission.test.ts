import {
  audienceHash,
  decodeLeaf,
  type ErrorCode,
  epochMs,
  errorCodes,
  randomBytes,
  sha256,
  utf8,
} from '@liaison/protocol'
import { schemaHash } from '@liaison/schemas'
import { relayLimits } from '@liaison/server'
import t from 'tap'
import { type ComposeOptions, Composer } from '../support/composer.ts'
import { recipientsOf } from '../support/epoch-keys.ts'
import type { RawClient } from '../support/raw-client.ts'
import { startScenario, type TestRelay } from '../support/relay.ts'

const minute = 60_000
const day = 24 * 60 * minute

interface Setup extends AsyncDisposable {
  readonly relay: TestRelay
  readonly composer: Composer
  readonly client: RawClient
}

async function setup(): Promise<Setup> {
  const relay = await startScenario()
  const device = relay.network.deviceOf('BF')
  const composer = new Composer(relay.network, device)
  const client = await relay.client(device)
  return { relay, composer, client, [Symbol.asyncDispose]: () => relay[Symbol.asyncDispose]() }
}

t.test('each fault of an envelope has its code, in the stated order', async (t) => {
  await using s = await setup()
  const { network } = s.relay
  const other = network.deviceOf('ML')
  const topic = network.topic('terrorism')
  const header = s.composer.header()
  const [size] = network.base()
  const hash = header.aud?.[2] ?? new Uint8Array(32)
  // Each row has the fault of its own code and of some that come later, which must not win.
  const rows: readonly (readonly [ErrorCode, ComposeOptions])[] = [
    ['sender_mismatch', { ctx: { from: other.num, top: 9999 } }],
    ['kind_unsupported', { ctx: { k: 2 } }],
    ['topic_unknown', { ctx: { top: 9999, t: network.now + day } }],
    ['schema_refused', { ctx: { sch: sha256(utf8('other')), t: network.now + day } }],
    ['clock_skew', { ctx: { t: network.now + 6 * minute, dir: [size, randomBytes(32)] } }],
    ['too_old', { ctx: { t: network.now - 8 * day, x: network.now - day } }],
    ['expired', { ctx: { x: network.now - 1, dir: [size + 5, randomBytes(32)] } }],
    ['directory_unknown', { ctx: { dir: [size, randomBytes(32)], aud: [0, 1, hash] } }],
    ['directory_unknown', { ctx: { dir: [size + 1, randomBytes(32)] } }],
    ['directory_unknown', { ctx: { dir: [0, sha256()] } }],
    ['audience_invalid', { ctx: { aud: [0, 1, randomBytes(32)] }, signer: other.key }],
    ['audience_invalid', { ctx: { aud: [2, 1, hash] } }],
    ['audience_invalid', { ctx: { to: [other.mem] } }],
    ['slots_malformed', { recipients: s.composer.recipients(header).slice(1), signer: other.key }],
    ['signature_invalid', { signer: other.key, ctx: { seq: 9 } }],
    ['seq_gap', { ctx: { seq: 1 } }],
    ['prev_mismatch', { ctx: { prev: randomBytes(32) } }],
  ]
  for (const [code, options] of rows) {
    const { envelope } = s.composer.seal({ keepPlace: true, ...options })
    const { codes, receipts } = await s.client.publish(envelope)
    t.same(codes, [code])
    t.ok(receipts[0]?.ix !== undefined, 'and a leaf')
    const [leaf] = await s.relay.running.relay.source.log.readLeaves(receipts[0]?.ix ?? 0, 1e9)
    t.match(decodeLeaf(leaf as Uint8Array), {
      value: { e: 'reject', by: s.composer.device.num, rc: errorCodes[code][0] },
    })
  }
  t.equal(s.relay.running.relay.source.log.topicHead(topic), 0, 'nothing got in')
})

t.test('a member without the right, and a report above the clearance, are refused', async (t) => {
  await using s = await setup()
  const { network } = s.relay
  const attempt = async (code: string, options: ComposeOptions): Promise<string> => {
    const device = network.deviceOf(code)
    const client = await s.relay.client(device)
    const { envelope } = new Composer(network, device).seal({ keepPlace: true, ...options })
    return (await client.publish(envelope)).codes.join()
  }
  t.equal(await attempt('ML', { topic: network.topic('arms') }), 'publish_refused')
  t.equal(await attempt('FR', {}), 'publish_refused')
  t.equal(await attempt('ML', { hc: 4 }), 'clearance_insufficient', 'above the grant')
  t.equal(await attempt('NE', { hc: 3 }), 'clearance_insufficient', 'above the device')
})

t.test('altered bytes are refused, and undecodable ones named by their hash', async (t) => {
  await using s = await setup()
  const { envelope } = s.composer.seal()
  const flip = (bytes: Uint8Array, at = 40): Uint8Array => {
    const copy = bytes.slice()
    copy[at] = (copy[at] ?? 0) ^ 1
    return copy
  }
  const { payload, slots, sig, seal, ctx } = envelope
  const codes = async (changes: Partial<typeof envelope>): Promise<string> =>
    (await s.client.publish({ ...envelope, ...changes })).codes.join()
  t.equal(await codes({ payload: flip(payload) }), 'payload_mismatch')
  t.equal(await codes({ payload: payload.slice(1) }), 'payload_mismatch')
  t.equal(await codes({ slots: flip(slots) }), 'slots_mismatch')
  t.equal(await codes({ slots: slots.slice(1168) }), 'slots_malformed')
  t.equal(await codes({ slots: slots.slice(1) }), 'slots_malformed')
  t.equal(await codes({ sig: flip(sig) }), 'signature_invalid')
  t.equal(await codes({ seal: flip(seal, 12) }), 'signature_invalid')
  const { receipts, codes: malformed } = await s.client.publish({ ...envelope, ctx: ctx.slice(1) })
  t.same(malformed, ['cbor_malformed'])
  t.same(receipts[0]?.cid, sha256(ctx.slice(1), seal, sig, payload, slots))
  t.equal(receipts[0]?.id, undefined)
  t.same((await s.client.publish(envelope)).codes, ['ok'], 'the true one still gets in')
})

t.test(
  'attack 1: the same envelope again gives the first receipt with d = 1 and no new leaf',
  async (t) => {
    await using s = await setup()
    const { network } = s.relay
    const { log } = s.relay.running.relay.source
    const { envelope } = s.composer.seal()
    const first = await s.client.publish(envelope)
    const leaves = log.leafCount()
    const admin = await s.relay.administrator(1)
    const grown = network.sign('suspend', { dev: network.deviceOf('ML').num, why: 'lost' }, [1])
    t.same((await admin.append(grown)).codes, ['ok'])
    network.appendEntry(grown)
    network.advance(9 * day)
    const before = log.leafCount()
    const again = await s.client.publish(envelope)
    t.equal(log.leafCount(), before, 'even when the audience changed and a week went by')
    t.same(again.receipts, [{ ...first.receipts[0], d: 1 }])
    t.equal(leaves, first.receipts[0]?.ix === undefined ? -1 : first.receipts[0].ix + 1)
  },
)

t.test('place, id and incarnation are used once', async (t) => {
  await using s = await setup()
  const first = s.composer.header()
  const one = s.composer.seal({ ctx: first })
  t.same((await s.client.publish(one.envelope)).codes, ['ok'])
  const twin = s.composer.seal({ ctx: { seq: 0, prev: first.prev }, keepPlace: true })
  t.same((await s.client.publish(twin.envelope)).codes, ['seq_reused'])
  const sameId = s.composer.seal({ ctx: { id: first.id }, keepPlace: true })
  t.same((await s.client.publish(sameId.envelope)).codes, ['id_reused'])
  const restarted = s.composer.seal({ ctx: { inc: 5 }, keepPlace: true })
  t.same((await s.client.publish(restarted.envelope)).codes, ['ok'])
  const stale = s.composer.seal({ ctx: { inc: 4 }, keepPlace: true })
  const refused = await s.client.publish(stale.envelope)
  t.same(refused.codes, ['incarnation_stale'])
  t.match(refused.receipts[0]?.head, [5, 0, restarted.core], 'the receipt tells the head')
})

t.test('after a refusal the rest of its chain in the frame answers prev_rejected', async (t) => {
  await using s = await setup()
  const ctx = { dir: [1, randomBytes(32)] as const }
  const chain = [s.composer.seal({ ctx }), s.composer.seal(), s.composer.seal()]
  const other = s.composer.seal({ hc: 1 })
  const frame = [...chain, other].map((sealed) => sealed.envelope)
  const { codes } = await s.client.publish(...frame)
  t.same(codes, ['directory_unknown', 'prev_rejected', 'prev_rejected', 'ok'])
})

t.test('attacks 12 and 13: a missing unit and a ghost recipient are refused', async (t) => {
  await using s = await setup()
  const { network } = s.relay
  const header = s.composer.header()
  const audience = network.directory.audience({ topic: header.top, hc: 2, mode: 0, t: network.now })
  if (!audience.ok) throw new Error(audience.error)
  const listed = audience.value.recipients
  const publish = async (devices: typeof listed): Promise<string> => {
    const aud = [0, devices.length, audienceHash(devices)] as const
    const recipients = recipientsOf(network, devices, epochMs(header.t))
    const { envelope } = s.composer.seal({ ctx: { aud }, recipients, keepPlace: true })
    return (await s.client.publish(envelope)).codes.join()
  }
  t.equal(await publish(listed.slice(1)), 'audience_invalid', 'one device of the unit is missing')
  const ghost = network.deviceOf('FR')
  const withGhost = [...listed, { dev: ghost.num, kid: randomBytes(32) }]
  t.equal(await publish(withGhost), 'audience_invalid', 'an unlisted key')
  const swapped = [...listed.slice(1), ...listed.slice(0, 1)]
  t.equal(await publish(swapped), 'audience_invalid', 'another order')
  t.equal(await publish(listed), 'ok')
})

t.test('attack 23: an audience of a million is refused before any work', async (t) => {
  await using s = await setup()
  const sealed = s.composer.seal({ ctx: { aud: [0, 1_000_000, randomBytes(32)] }, keepPlace: true })
  const begun = performance.now()
  const { codes } = await s.client.publish(sealed.envelope)
  t.same(codes, ['audience_invalid'])
  t.ok(performance.now() - begun < 1000)
})

t.test('a changed audience is told, and the entries come by themselves', async (t) => {
  await using s = await setup()
  const { network } = s.relay
  const sealedBefore = s.composer.seal({ keepPlace: true })
  const other = s.composer.seal({
    topic: network.topic('arms'),
    to: [network.member('BF')],
    keepPlace: true,
  })
  const admin = await s.relay.administrator(2)
  const lost = network.deviceOf('ML')
  const entry = network.sign('suspend', { dev: lost.num, why: 'lost' }, [2])
  const size = network.directory.size
  t.same((await admin.append(entry)).codes, ['ok'])
  const pushed = await s.client.next('dir')
  t.match(pushed, { rq: 0, page: { from: size, size: size + 1 } })
  t.same(pushed.page.entries, [entry])
  t.same((await s.client.publish(sealedBefore.envelope)).codes, ['audience_stale'])
  t.same((await s.client.publish(other.envelope)).codes, ['ok'], 'not concerned, not refused')
  network.appendEntry(entry)
  t.same((await s.client.publish(s.composer.seal().envelope)).codes, ['ok'], 'sealed again')
})

t.test('without a device of the unit nothing is accepted', async (t) => {
  await using s = await setup()
  const { network } = s.relay
  network.advanceWeeks(30)
  const audience = network.directory.audience({
    topic: network.topic('terrorism'),
    hc: 2,
    mode: 0,
    t: network.now,
  })
  t.match(audience, { ok: false, error: 'no_flu' }, 'all keys have run out')
  const sealed = s.composer.seal({
    recipients: s.composer.recipients(
      s.composer.header({ ctx: { t: network.directory.genesisT } }),
    ),
  })
  t.same((await s.client.publish(sealed.envelope)).codes, ['no_flu'])
})

t.test('a notice goes to the unit alone and needs only the right to read', async (t) => {
  await using s = await setup()
  const { network } = s.relay
  const device = network.deviceOf('FR')
  const client = await s.relay.client(device)
  const composer = new Composer(network, device)
  const ctx = { k: 5, sch: schemaHash('violation'), ref: randomBytes(32) }
  const good = composer.seal({ hc: 1, to: [], ctx })
  t.same((await client.publish(good.envelope)).codes, ['ok'])
  const toAll = composer.seal({ hc: 1, ctx, keepPlace: true })
  t.same((await client.publish(toAll.envelope)).codes, ['frame_malformed'])
  const wrongSchema = composer.seal({ hc: 1, to: [], ctx: { ...ctx, sch: schemaHash('recall') } })
  t.same((await client.publish(wrongSchema.envelope)).codes, ['schema_refused'])
})

t.test(
  'refusals of one device and hour leave a hundred leaves, then one that counts',
  async (t) => {
    await using s = await setup()
    const { network } = s.relay
    const { log } = s.relay.running.relay.source
    const bad = s.composer.seal({ ctx: { seq: 5 }, keepPlace: true })
    const before = log.leafCount()
    const frame = Array.from({ length: 15 }, () => bad.envelope)
    let withLeaf = 0
    for (let i = 0; i < 8; i++) {
      const { receipts, codes } = await s.client.publish(...frame)
      t.ok(codes.every((code) => code === 'seq_gap' || code === 'prev_rejected'))
      withLeaf += receipts.filter((r) => r.ix !== undefined).length
    }
    t.equal(withLeaf, relayLimits.rejectLeavesPerHourMax)
    t.equal(log.leafCount(), before + 100)
    network.advance(60 * minute)
    await s.client.publish(bad.envelope)
    const leaves = await log.readLeaves(before + 100, before + 200)
    const decoded = leaves.map((leaf) => decodeLeaf(leaf))
    t.match(decoded, [{ value: { e: 'reject', n: 20 } }, { value: { e: 'reject' } }])
  },
)
