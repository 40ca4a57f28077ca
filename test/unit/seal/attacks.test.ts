/** Attacks of the threat table that sealing and opening alone must stop. */
import {
  type Ctx,
  ctxHashOf,
  decodeCtx,
  type Envelope,
  encodeCtx,
  merkleRoot,
  payloadMatches,
  sha256,
  slotInRoot,
  slotLeaves,
  sodiumReady,
  utf8,
  verifyEnvelopeSignature,
} from '@liaison/protocol'
import { concat, kdf } from '@liaison/protocol/internal'
import { checkAllSlots, openWithKey } from '@liaison/seal'
import t from 'tap'
import { wrapContent } from '../../../protocol/seal/src/content.ts'
import { pad } from '../../../protocol/seal/src/padding.ts'
import { commitmentOf, decryptPayload, encryptPayload } from '../../../protocol/seal/src/payload.ts'
import { wrapSlot } from '../../../protocol/seal/src/slot.ts'
import { seededBytes, seededKey } from '../../support/network.ts'
import {
  headerFor,
  messageKey,
  net,
  open,
  pathOf,
  recipientKeys,
  resigned,
  seal,
  sealOf,
  sender,
  slots,
} from '../../support/sealing.ts'
import { twoKeyPayload } from '../../support/two-key-payload.ts'

await sodiumReady()

const keys = recipientKeys(3)
const envelope = seal(keys)

const header = (e: Envelope): Ctx => {
  const decoded = decodeCtx(e.ctx)
  if (!decoded.ok) throw new Error(decoded.error)
  return decoded.value
}

/** Everything that a reader checks about one recipient's part. */
function reads(e: Envelope, idx: number): boolean {
  const all = slots(e)
  const own = all[idx]
  const signed = verifyEnvelopeSignature(net, sender().publicKey, e)
  if (!signed || own === undefined) return false
  const whole = payloadMatches(sealOf(e), e.payload)
  return (
    whole &&
    slotInRoot(sealOf(e), all.length, idx, own, pathOf(all, idx)).ok &&
    open(e, keys, idx).ok
  )
}

t.test(
  'attack 5: payload and slots under another header do not open, even signed again',
  async (t) => {
    const changes: readonly Partial<Ctx>[] = [
      { top: 4 },
      { hc: 0 },
      { from: 8 },
      { id: seededBytes('other', 16) },
      { seq: 1 },
      { t: header(envelope).t + 1 },
    ]
    for (const change of changes) {
      const spliced = resigned(envelope, { ctx: { ...header(envelope), ...change } })
      t.ok(verifyEnvelopeSignature(net, sender().publicKey, spliced), 'the signature is good')
      t.match(open(spliced, keys, 1), { error: 'slot_unopenable' }, Object.keys(change).join())
      const key = messageKey.slice()
      t.match(openWithKey(net, spliced.ctx, sealOf(spliced), spliced.payload, key), {
        error: 'commitment_mismatch',
      })
    }
  },
)

t.test('attack 7: whichever byte of an envelope is flipped, it is not read', async (t) => {
  t.ok(reads(envelope, 1), 'as it is, it is read')
  const read: string[] = []
  for (const part of ['ctx', 'seal', 'sig', 'payload', 'slots'] as const) {
    const own = part === 'slots' ? 1168 : 0
    const end = part === 'slots' ? 2 * 1168 : envelope[part].length
    for (let at = own; at < end; at += part === 'slots' ? 7 : 1) {
      const bytes = envelope[part].slice()
      bytes[at] = (bytes[at] ?? 0) ^ (1 << (at % 8))
      try {
        if (reads({ ...envelope, [part]: bytes }, 1)) read.push(`${part} ${at}`)
      } catch (error) {
        // Only the test's own decoding of a spoilt seal throws.
        if (part !== 'seal') read.push(`${part} ${at} threw ${String(error)}`)
      }
    }
  }
  t.same(read, [])
})

t.test(
  'attack 7: a flipped payload or slot does not open under a new signature either',
  async (t) => {
    const payload = envelope.payload.slice()
    payload[40] = (payload[40] ?? 0) ^ 1
    t.match(open(resigned(envelope, { payload }), keys, 1), { error: 'payload_unopenable' })
    for (const at of [0, 600, 1100, 1120, 1167]) {
      const altered = envelope.slots.slice()
      altered[1168 + at] = (altered[1168 + at] ?? 0) ^ 1
      t.match(
        open({ ...envelope, slots: altered }, keys, 1),
        { error: 'slot_unopenable' },
        `byte ${at}`,
      )
      t.ok(open({ ...envelope, slots: altered }, keys, 2).ok, 'and others are not touched')
    }
  },
)

t.test(
  'attack 8: somebody else who puts a name and signature on it gets nothing that opens',
  async (t) => {
    const mallory = seededKey('mallory')
    const own = resigned(envelope, { ctx: { ...header(envelope), from: 66 } }, mallory)
    t.ok(verifyEnvelopeSignature(net, mallory.publicKey, own), 'the new signature is good')
    t.match(open(own, keys, 0), { error: 'slot_unopenable' })
    const sameHeader = resigned(envelope, {}, mallory)
    t.notOk(verifyEnvelopeSignature(net, sender().publicKey, sameHeader), 'the sender did not sign')
    const stolen = { ...sameHeader, sig: envelope.sig }
    t.notOk(verifyEnvelopeSignature(net, mallory.publicKey, stolen), 'nor is it claimed for a key')
  },
)

/** Payload key of a message key, as the protocol derives it. */
const payloadKey = (key: Uint8Array, ctxHash: Uint8Array): Uint8Array =>
  kdf(key, 'sir/1 payload', 32, ctxHash)

t.test('attack 10: a payload that two keys accept opens only for the committed one', async (t) => {
  const other = seededBytes('another message key', 32)
  const ctxHash = ctxHashOf(net, envelope.ctx)
  const payload = twoKeyPayload(envelope.payload, ctxHash, [
    payloadKey(messageKey, ctxHash),
    payloadKey(other, ctxHash),
  ])
  const plain = [messageKey, other].map((key) => decryptPayload(key, ctxHash, payload))
  t.same(
    plain.map((one) => one.ok),
    [true, true],
    'the cipher alone accepts it under both keys',
  )
  const forged = resigned(envelope, { payload })
  const open = (key: Uint8Array) => openWithKey(net, forged.ctx, sealOf(forged), payload, key)
  t.match(open(other), { error: 'commitment_mismatch' })
  t.notMatch(open(messageKey.slice()), { error: 'commitment_mismatch' })
})

t.test('attack 10: a payload under another key than the committed one is refused', async (t) => {
  const other = seededBytes('another message key', 32)
  const ctxHash = ctxHashOf(net, envelope.ctx)
  const content = wrapContent(utf8('{"text":"another report"}'), false)
  if (!content.ok) return t.fail(content.error)
  const payload = encryptPayload(other, ctxHash, pad(content.value))
  const forged = resigned(envelope, { payload })
  t.match(open(forged, keys, 0), { error: 'payload_unopenable' }, 'the committed key does not fit')
  const slot = wrapSlot(
    other,
    { ctxHash, index: 0, kid: keys[0]?.kid ?? ctxHash },
    keys[0]?.publicKey ?? ctxHash,
  )
  const rest = slots(envelope).slice(1)
  const two = { ...forged, slots: concat(slot, ...rest) }
  t.match(
    open(two, keys, 0),
    { error: 'commitment_mismatch' },
    'its own key is not the committed one',
  )
  t.not(commitmentOf(other, ctxHash).join(), commitmentOf(messageKey, ctxHash).join())
  t.match(openWithKey(net, two.ctx, sealOf(two), two.payload, other), {
    error: 'commitment_mismatch',
  })
})

/** An envelope whose sender gave one recipient something else, and signed that. */
function unequal(idx: number, slot: Uint8Array): Envelope {
  const all = slots(envelope)
  all[idx] = slot
  return {
    ...resigned(envelope, { seal: { sr: merkleRoot(slotLeaves(all)) } }),
    slots: concat(...all),
  }
}

t.test(
  'attack 11: another key in one slot: that reader refuses, every other can prove it',
  async (t) => {
    const [first] = keys
    if (first === undefined) return t.fail('no keys')
    const place = { ctxHash: ctxHashOf(net, envelope.ctx), index: 0, kid: first.kid }
    const wrong = wrapSlot(seededBytes('another message key', 32), place, first.publicKey)
    const hostile = unequal(0, wrong)
    t.match(open(hostile, keys, 0), { error: 'commitment_mismatch' })
    t.ok(reads(hostile, 1), 'the others read it')
    const opened = open(hostile, keys, 1)
    if (!opened.ok) return t.fail(opened.error)
    const known = {
      net,
      ctx: hostile.ctx,
      seal: sealOf(hostile),
      messageKey: opened.value.messageKey,
    }
    t.match(checkAllSlots(known, keys), { error: 'slot_check_failed' })
  },
)

t.test(
  'attack 11: garbage in the slot of the unit is found by whoever opens the report',
  async (t) => {
    const hostile = unequal(0, seededBytes('garbage', 1168))
    t.match(open(hostile, keys, 0), { error: 'slot_unopenable' })
    const opened = open(hostile, keys, 2)
    if (!opened.ok) return t.fail(opened.error)
    const { messageKey: key } = opened.value
    const known = { net, ctx: hostile.ctx, seal: sealOf(hostile), messageKey: key }
    t.match(checkAllSlots(known, keys), { error: 'slot_check_failed' })
    const again = openWithKey(net, hostile.ctx, sealOf(hostile), hostile.payload, key)
    t.match(
      again,
      { ok: true },
      'with the key of the notice the unit reads the report all the same',
    )
  },
)

t.test('the commitment binds key and header', async (t) => {
  const hash = ctxHashOf(net, encodeCtx(headerFor(keys)))
  const base = commitmentOf(messageKey, hash).join()
  t.equal(commitmentOf(messageKey, hash).join(), base)
  t.not(commitmentOf(sha256(messageKey), hash).join(), base)
  t.not(commitmentOf(messageKey, sha256(hash)).join(), base)
})
