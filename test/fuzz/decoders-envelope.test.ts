/** Envelopes that are nearly right: decoded, verified, opened and checked without an exception. */
import {
  decodeCore,
  decodeCtx,
  decodeSeal,
  encodeCtx,
  encodeSeal,
  hashesOf,
  isErrorCode,
  payloadMatches,
  slotInRoot,
  slotLeaves,
  slotsMatch,
  slotsOf,
  sodiumReady,
  toHex,
  verifyEnvelopeSignature,
} from '@liaison/protocol'
import { checkAllSlots, openEnvelope, openWithKey } from '@liaison/seal'
import t from 'tap'
import { verifyItem } from '../../client-sdk/src/inbox/verify-item.ts'
import { unwrapContent, wrapContent } from '../../protocol/seal/src/content.ts'
import { pad, unpad } from '../../protocol/seal/src/padding.ts'
import { Composer } from '../support/composer.ts'
import { makeSealingNetwork } from '../support/epoch-keys.ts'
import { itemOf } from '../support/hostile-sender.ts'
import { heapGrowthMbMax, memoryWatch } from '../support/memory-watch.ts'
import { type Codec, fuzz, fuzzRounds, mutate, wholeRounds } from '../support/mutate.ts'
import { seededBytes } from '../support/network.ts'
import {
  headerFor,
  messageKey,
  net,
  pathOf,
  recipientKeys,
  seal,
  sealOf,
  sender,
  slots,
} from '../support/sealing.ts'
import { seededRandom } from '../support/seeded-random.ts'

await sodiumReady()

const random = seededRandom()
const keys = recipientKeys(3)
const envelope = seal(keys)
const h32 = seededBytes('fuzz', 32)

type Samples = Codec<unknown>['samples']

const headers: Samples = [
  envelope.ctx,
  encodeCtx(headerFor(keys, { hc: 4, x: 1_795_478_500_000, pr: 3, inc: 2001, seq: 7 })),
  encodeCtx(headerFor(keys, { k: 5, to: [], ref: h32 })),
  encodeCtx(headerFor(keys, { to: [3, 8, 9], aud: [1, 3, h32] })),
]
const signed = sealOf(envelope)
const seals: Samples = [envelope.seal, encodeSeal({ kc: h32, ph: h32, pl: 300 })]

t.test(`headers: a code or the same bytes again (seed ${random.seed})`, async (t) => {
  const { faults, accepted, memory, grewMb } = fuzz(
    random,
    { samples: headers, decode: decodeCtx, encode: encodeCtx },
    fuzzRounds,
  )
  t.comment(memory)
  t.ok(grewMb < heapGrowthMbMax, `the heap grew by ${grewMb.toFixed(0)} MB`)
  t.same(faults, [], `${fuzzRounds} rounds, ${accepted} accepted`)
})

t.test(`seals: a code or the same bytes again (seed ${random.seed})`, async (t) => {
  const { faults, accepted, memory, grewMb } = fuzz(
    random,
    { samples: seals, decode: decodeSeal, encode: encodeSeal },
    fuzzRounds,
  )
  t.comment(memory)
  t.ok(grewMb < heapGrowthMbMax, `the heap grew by ${grewMb.toFixed(0)} MB`)
  t.same(faults, [], `${fuzzRounds} rounds, ${accepted} accepted`)
})

t.test(`contents and paddings (seed ${random.seed})`, async (t) => {
  const [plain, deflated] = [false, true].map((compress) =>
    wrapContent(seededBytes('body', 300), compress),
  )
  if (!plain?.ok || !deflated?.ok) return t.fail('no samples')
  const faults: string[] = []
  const watch = memoryWatch(fuzzRounds)
  for (let i = 0; i < fuzzRounds; i++) {
    watch.round(i)
    const bytes = mutate(random, [plain.value, deflated.value])
    try {
      const body = unwrapContent(bytes)
      if (!body.ok && !isErrorCode(body.error)) faults.push(`${toHex(bytes)}: ${body.error}`)
      const padded = mutate(random, [pad(bytes)])
      const content = unpad(padded)
      if (content !== null && toHex(pad(content)) !== toHex(padded)) faults.push(toHex(padded))
    } catch (error) {
      faults.push(`${toHex(bytes)}: ${String(error)}`)
    }
  }
  t.comment(watch.end())
  t.ok(watch.grew() < heapGrowthMbMax, `the heap grew by ${watch.grew().toFixed(0)} MB`)
  t.same(faults.slice(0, 5), [], `${fuzzRounds} rounds`)
})

t.test(
  `whole envelopes: whatever is altered, nothing is read but the original (seed ${random.seed})`,
  async (t) => {
    const faults: string[] = []
    const rounds = wholeRounds
    const all = slots(envelope)
    const original = { ...envelope, path: pathOf(all, 1), slot: all[1] as Uint8Array }
    const parts = ['ctx', 'seal', 'sig', 'payload', 'slots', 'path', 'slot'] as const
    let read = 0
    const watch = memoryWatch(rounds)
    for (let i = 0; i < rounds; i++) {
      watch.round(i)
      const part = random.pick(parts)
      const e = { ...original, [part]: mutate(random, [original[part]]) }
      const idx = random.integer(4)
      try {
        const decoded = decodeCore(net, e.ctx, e.seal)
        if (!decoded.ok) continue
        const body = openEnvelope({
          net,
          ctx: e.ctx,
          seal: decoded.value.seal,
          payload: e.payload,
          idx,
          slot: e.slot,
          kid: keys[1]?.kid ?? h32,
          secretKey: keys[1]?.secretKey ?? h32,
        })
        openWithKey(net, e.ctx, decoded.value.seal, e.payload, messageKey)
        hashesOf(e.path)
        const known = { net, ctx: e.ctx, seal: decoded.value.seal, messageKey }
        if (i % 50 === 0) checkAllSlots(known, keys)
        slotsMatch(decoded.value.seal, slotLeaves(slotsOf(e.slots) ?? []))
        const good =
          verifyEnvelopeSignature(net, sender().publicKey, e) &&
          payloadMatches(decoded.value.seal, e.payload) &&
          slotInRoot(decoded.value.seal, 3, idx, e.slot, e.path).ok
        if (!good || !body.ok) continue
        read++
        // A part that stayed as it was, or one that this reader does not need.
        const same = part === 'slots' || toHex(e[part]) === toHex(original[part])
        if (!same || idx !== 1) faults.push(`${part}: ${toHex(e[part])}`)
      } catch (error) {
        faults.push(`${part} ${toHex(e[part])}: ${String(error)}`)
      }
    }
    t.comment(watch.end())
    t.ok(watch.grew() < heapGrowthMbMax, `the heap grew by ${watch.grew().toFixed(0)} MB`)
    t.same(faults.slice(0, 5), [], `${rounds} rounds, ${read} read`)
    t.equal(signed.pl, envelope.payload.length)
  },
)

t.test(`delivered items: the reader's checks give a code (seed ${random.seed})`, async (t) => {
  const network = makeSealingNetwork()
  const reader = network.deviceOf('ML')
  const sealed = new Composer(network, network.deviceOf('BF')).seal()
  const item = itemOf(network, sealed.envelope, reader, 5)
  if (item.form !== 'full') return t.fail('no item')
  const { top, directory } = { top: network.topic('terrorism'), directory: network.directory }
  t.ok(verifyItem(directory, reader.num, top, item).ok, 'the sample is good')
  const faults: string[] = []
  const rounds = wholeRounds
  const watch = memoryWatch(rounds)
  for (let i = 0; i < rounds; i++) {
    watch.round(i)
    const part = random.pick(['ctx', 'seal', 'sig', 'payload', 'slot', 'path'] as const)
    const bytes = mutate(random, [item[part]])
    const changed = { ...item, [part]: bytes, idx: random.pick([item.idx, item.idx, 0, 300]) }
    try {
      const verified = verifyItem(directory, reader.num, top, changed)
      const same = toHex(bytes) === toHex(item[part]) && changed.idx === item.idx
      if (verified.ok !== same) faults.push(`${part}: ${toHex(bytes)}`)
      if (!verified.ok && !isErrorCode(verified.error.code)) faults.push(verified.error.code)
    } catch (error) {
      faults.push(`${part} ${toHex(bytes)}: ${String(error)}`)
    }
  }
  t.comment(watch.end())
  t.ok(watch.grew() < heapGrowthMbMax, `the heap grew by ${watch.grew().toFixed(0)} MB`)
  t.same(faults.slice(0, 5), [], `${rounds} rounds`)
})
