import { slotInRoot, sodiumReady, toHex } from '@liaison/protocol'
import { concat } from '@liaison/protocol/internal'
import { checkAllSlots, checkSlots, type EpochKeyPair, type SlotToCheck } from '@liaison/seal'
import t from 'tap'
import { unwrapSlot, wrapSlot } from '../../../protocol/seal/src/slot.ts'
import { seededBytes } from '../../support/network.ts'
import {
  messageKey,
  net,
  open,
  pathOf,
  recipientKeys,
  seal,
  sealOf,
  slots,
} from '../../support/sealing.ts'

await sodiumReady()

const ctxHash = seededBytes('ctx hash', 32)

t.test('a slot depends on key, header, place and recipient, and on nothing else', async (t) => {
  const [a, b] = recipientKeys(2)
  if (a === undefined || b === undefined) return t.fail('no keys')
  const place = { ctxHash, index: 0, kid: a.kid }
  const base = toHex(wrapSlot(messageKey, place, a.publicKey))
  t.equal(base.length, 2 * 1168)
  t.equal(toHex(wrapSlot(messageKey, place, a.publicKey)), base, 'the same again')
  const others = [
    wrapSlot(seededBytes('another key', 32), place, a.publicKey),
    wrapSlot(messageKey, { ...place, ctxHash: seededBytes('other', 32) }, a.publicKey),
    wrapSlot(messageKey, { ...place, index: 1 }, a.publicKey),
    wrapSlot(messageKey, { ...place, kid: b.kid }, a.publicKey),
    wrapSlot(messageKey, place, b.publicKey),
  ].map(toHex)
  t.equal(new Set([base, ...others]).size, 6, 'each of the five changes it')
})

t.test(
  'a slot opens only with the right key at the right place under the right header',
  async (t) => {
    const [a, b] = recipientKeys(2)
    if (a === undefined || b === undefined) return t.fail('no keys')
    const place = { ctxHash, index: 3, kid: a.kid }
    const slot = wrapSlot(messageKey, place, a.publicKey)
    t.match(unwrapSlot(slot, place, a.secretKey), { ok: true, value: messageKey })
    const closed = { ok: false, error: 'slot_unopenable' }
    t.match(unwrapSlot(slot, place, b.secretKey), closed, 'another secret key')
    t.match(unwrapSlot(slot, { ...place, index: 2 }, a.secretKey), closed, 'another place')
    t.match(unwrapSlot(slot, { ...place, kid: b.kid }, a.secretKey), closed, 'another name')
    t.match(unwrapSlot(slot, { ...place, ctxHash: a.kid }, a.secretKey), closed, 'another header')
    t.match(unwrapSlot(slot.slice(1), place, a.secretKey), closed, 'too short')
    t.match(unwrapSlot(new Uint8Array(), place, a.secretKey), closed, 'nothing')
  },
)

t.test(
  'pruned to one slot and its path, every recipient opens, for audiences of any size',
  async (t) => {
    for (const n of [1, 2, 3, 5, 8, 13]) {
      const keys = recipientKeys(n)
      const envelope = seal(keys)
      const all = slots(envelope)
      const opened = keys.filter((_, i) => {
        const path = pathOf(all, i)
        const inRoot = slotInRoot(sealOf(envelope), n, i, all[i] as Uint8Array, path)
        return (
          path.length <= 32 * Math.ceil(Math.log2(n)) && inRoot.ok && open(envelope, keys, i).ok
        )
      })
      t.equal(opened.length, n, `${n} of ${n}`)
    }
  },
)

t.test('attack 6: a slot at another place is neither in the root nor opens', async (t) => {
  const keys = recipientKeys(4)
  const envelope = seal(keys)
  const all = slots(envelope)
  for (const [idx, slot] of [
    [1, 2],
    [2, 1],
    [0, 3],
  ] as const) {
    const wrong = all[slot] as Uint8Array
    t.match(slotInRoot(sealOf(envelope), 4, idx, wrong, pathOf(all, idx)), {
      error: 'slots_mismatch',
    })
    t.match(slotInRoot(sealOf(envelope), 4, idx, wrong, pathOf(all, slot)), {
      error: 'slots_mismatch',
    })
    t.match(
      open(envelope, keys, idx, slot),
      { error: 'slot_unopenable' },
      `${slot} given to ${idx}`,
    )
  }
  const swapped = { ...envelope, slots: concat(...[1, 0].map((i) => all[i] as Uint8Array)) }
  t.match(open(swapped, keys, 0), { error: 'slot_unopenable' })
})

t.test('a path of another length, size or root proves nothing', async (t) => {
  const keys = recipientKeys(5)
  const envelope = seal(keys)
  const all = slots(envelope)
  const [slot, path, signed] = [all[2] as Uint8Array, pathOf(all, 2), sealOf(envelope)]
  const refused = { ok: false, error: 'slots_mismatch' }
  t.match(slotInRoot(signed, 5, 2, slot, path.slice(0, -1)), refused, 'a byte less')
  t.match(slotInRoot(signed, 5, 2, slot, path.slice(0, -32)), refused, 'a hash less')
  t.match(slotInRoot(signed, 5, 2, slot, new Uint8Array([...path, ...path.slice(0, 32)])), refused)
  t.match(slotInRoot(signed, 6, 4, slot, path), refused, 'another size and place')
  t.match(slotInRoot(signed, 5, 5, slot, path), refused, 'outside the audience')
  t.match(slotInRoot({ ...signed, sr: ctxHash }, 5, 2, slot, path), refused, 'another root')
  const { sr: _, ...without } = signed
  t.match(slotInRoot(without, 5, 2, slot, path), refused, 'no root at all')
})

t.test('who opens a report can make every slot of it again', async (t) => {
  const keys = recipientKeys(5)
  const envelope = seal(keys)
  const all = slots(envelope)
  const opened = open(envelope, keys, 4)
  if (!opened.ok) return t.fail(opened.error)
  const known = {
    net,
    ctx: envelope.ctx,
    seal: sealOf(envelope),
    messageKey: opened.value.messageKey,
  }
  t.ok(checkAllSlots(known, keys).ok, 'all together')
  const check = (idx: number): SlotToCheck => {
    const { kid, publicKey } = keys[idx] as EpochKeyPair
    return { idx, path: pathOf(all, idx), kid, publicKey }
  }
  const some = [check(0), check(3)]
  t.ok(checkSlots({ ...known, n: 5 }, some).ok, 'or some, by their paths')
  t.ok(checkSlots({ ...known, n: 5 }, []).ok, 'or none')
  const refused = { ok: false, error: 'slot_check_failed' }
  t.match(checkAllSlots(known, keys.slice(1)), refused, 'one recipient less')
  t.match(checkAllSlots(known, [...keys].reverse()), refused, 'another order')
  t.match(checkAllSlots({ ...known, messageKey: ctxHash }, keys), refused, 'another key')
  const badKey = { kid: check(0).kid, publicKey: new Uint8Array(1216) }
  t.match(checkAllSlots(known, [badKey, ...keys.slice(1)]), refused, 'a key that libsodium refuses')
  t.match(checkSlots({ ...known, n: 5 }, [{ ...check(0), ...badKey }]), refused)
  t.match(checkSlots({ ...known, n: 5 }, [{ ...check(0), idx: 1 }]), refused, 'another place')
})
