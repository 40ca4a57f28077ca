import {
  inclusionPath,
  joinHashes,
  leafHash,
  merkleRoot,
  rootFromInclusion,
  slotInRoot,
  sodiumReady,
  toHex,
  utf8,
  verifyEnvelopeSignature,
} from '@liaison/protocol'
import { checkAllSlots } from '@liaison/seal'
import fc from 'fast-check'
import t from 'tap'
import { unwrapContent, wrapContent } from '../../protocol/seal/src/content.ts'
import { pad, paddedLength, unpad } from '../../protocol/seal/src/padding.ts'
import {
  headerFor,
  net,
  open,
  pathOf,
  recipientKeys,
  seal,
  sealOf,
  sender,
  slots,
} from '../support/sealing.ts'

await sodiumReady()

const long = process.env['LIAISON_LONG'] === '1'
const keys = recipientKeys(9)

/** Checks a property; the whole run is one assertion. */
function holds<T>(
  t: { ok(value: boolean, name: string): void },
  what: string,
  arbitrary: fc.Arbitrary<T>,
  check: (value: T) => boolean,
  numRuns: number,
): void {
  const runs = long ? numRuns * 20 : numRuns
  const { failed, counterexample, seed } = fc.check(fc.property(arbitrary, check), {
    numRuns: runs,
  })
  t.ok(
    !failed,
    `${what}: ${runs} rounds, seed ${seed}${failed ? `: ${JSON.stringify(counterexample)}` : ''}`,
  )
}

t.test('padding is taken off again, and only the bucket shows', async (t) => {
  holds(
    t,
    'unpad undoes pad',
    fc.uint8Array({ maxLength: 3000 }),
    (content) => {
      const padded = pad(content)
      const back = unpad(padded)
      return (
        padded.length === paddedLength(content.length) &&
        back !== null &&
        toHex(back) === toHex(content)
      )
    },
    300,
  )
  holds(
    t,
    'a longer content is never shorter padded',
    fc.nat(1_000_000),
    (n) => paddedLength(n) <= paddedLength(n + 1) && paddedLength(n) > n,
    1000,
  )
})

t.test('content comes back, deflated or not', async (t) => {
  holds(
    t,
    'unwrap undoes wrap',
    fc.tuple(fc.uint8Array({ maxLength: 5000 }), fc.boolean()),
    ([body, compress]) => {
      const wrapped = wrapContent(body, compress)
      const back = wrapped.ok ? unwrapContent(wrapped.value) : wrapped
      return back.ok && toHex(back.value) === toHex(body)
    },
    200,
  )
  holds(
    t,
    'other bytes give a code, not an exception',
    fc.uint8Array({ maxLength: 400 }),
    (bytes) => {
      const back = unwrapContent(bytes)
      return back.ok || back.error === 'content_malformed' || back.error === 'content_too_large'
    },
    500,
  )
})

t.test('every recipient reads exactly what was sealed, and can make all slots again', async (t) => {
  const sealed = fc.record({
    n: fc.integer({ min: 1, max: keys.length }),
    reader: fc.nat(),
    text: fc.string({ maxLength: 400 }),
    compress: fc.boolean(),
    key: fc.uint8Array({ minLength: 32, maxLength: 32 }),
    hc: fc.nat(4),
    seq: fc.nat(),
  })
  holds(
    t,
    'open undoes seal',
    sealed,
    ({ n, reader, text, compress, key, hc, seq }) => {
      const audience = keys.slice(0, n)
      const body = utf8(text)
      const ctx = headerFor(audience, { hc, seq })
      const envelope = seal(audience, { body, compress, ctx }, key)
      const idx = reader % n
      const opened = open(envelope, audience, idx)
      if (!opened.ok || toHex(opened.value.body) !== toHex(body)) return false
      const all = slots(envelope)
      const signed = sealOf(envelope)
      const { messageKey } = opened.value
      return (
        verifyEnvelopeSignature(net, sender().publicKey, envelope) &&
        slotInRoot(signed, n, idx, all[idx] as Uint8Array, pathOf(all, idx)).ok &&
        checkAllSlots({ net, ctx: envelope.ctx, seal: signed, messageKey }, audience).ok
      )
    },
    40,
  )
})

t.test('a path leads from its own leaf to the root and from nowhere else', async (t) => {
  const tree = fc.record({
    leaves: fc.array(fc.uint8Array({ maxLength: 8 }), { minLength: 1, maxLength: 40 }),
    at: fc.nat(),
    other: fc.nat(),
  })
  holds(
    t,
    'inclusion',
    tree,
    ({ leaves, at, other }) => {
      // Numbered, so that no two leaves are equal.
      const hashes = leaves.map((leaf, i) => leafHash(new Uint8Array([i, ...leaf])))
      const n = hashes.length
      const [i, j] = [at % n, other % n]
      const path = inclusionPath(hashes, i)
      const root = toHex(merkleRoot(hashes))
      const from = (index: number, leaf: number): string => {
        const found = rootFromInclusion(index, n, hashes[leaf] as Uint8Array, path)
        return found === null ? '' : toHex(found)
      }
      const size = joinHashes(path).length <= 32 * Math.ceil(Math.log2(n))
      return (
        size && from(i, i) === root && (i === j || (from(i, j) !== root && from(j, j) !== root))
      )
    },
    300,
  )
})
