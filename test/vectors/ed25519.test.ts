import { readFile } from 'node:fs/promises'
import {
  fromHex,
  isEnrollableKey,
  signingKeyFromSeed,
  sodiumReady,
  toHex,
  utf8,
} from '@liaison/protocol'
import { concat, sodium, verifyDetached } from '@liaison/protocol/internal'
import t from 'tap'
import {
  addPoints,
  bytesOf,
  encodePoint,
  groupOrder,
  numberOf,
  pointOf,
} from '../support/edwards25519.ts'

interface Vectors {
  readonly signatures: readonly {
    readonly seed: string
    readonly publicKey: string
    readonly message: string
    readonly signature: string
  }[]
  readonly smallOrder: readonly {
    readonly order: number
    readonly canonical: boolean
    readonly hex: string
  }[]
}

await sodiumReady()

const vectors = JSON.parse(
  await readFile(new URL('ed25519.json', import.meta.url), 'utf8'),
) as Vectors

const raw = (hex: string): Uint8Array => fromHex(hex) as Uint8Array

t.test('RFC 8032, section 7.1, tests 1 to 3', async (t) => {
  for (const { seed, publicKey, message, signature } of vectors.signatures) {
    const key = signingKeyFromSeed(raw(seed))
    t.equal(toHex(key.publicKey), publicKey)
    t.equal(toHex(sodium().crypto_sign_detached(raw(message), key.secretKey)), signature)
    t.equal(verifyDetached(raw(signature), raw(message), raw(publicKey)), true)
    t.equal(isEnrollableKey(raw(publicKey)), true)
  }
  t.equal(vectors.signatures.length, 3)
})

t.test('a signature holds for its message, key and bytes only', async (t) => {
  for (const { publicKey, message, signature } of vectors.signatures) {
    const [sig, text, key] = [raw(signature), raw(message), raw(publicKey)]
    t.equal(verifyDetached(sig, concat(text, utf8('x')), key), false)
    for (let at = 0; at < 64; at += 7) {
      const flipped = sig.slice()
      flipped[at] = (flipped[at] as number) ^ 1
      t.equal(verifyDetached(flipped, text, key), false)
    }
    t.equal(verifyDetached(sig.subarray(1), text, key), false)
    t.equal(verifyDetached(sig, text, key.subarray(1)), false)
  }
})

t.test('attack 16: S + L is refused', async (t) => {
  for (const { publicKey, message, signature } of vectors.signatures) {
    const sig = raw(signature)
    const scalar = numberOf(sig.subarray(32))
    t.ok(scalar < groupOrder)
    const malleable = concat(sig.subarray(0, 32), bytesOf(scalar + groupOrder))
    t.equal(verifyDetached(malleable, raw(message), raw(publicKey)), false)
  }
})

t.test('attack 16: points of small order, canonical or not, are no keys', async (t) => {
  const zeroScalar = concat(bytesOf(1n), new Uint8Array(32))
  for (const { order, canonical, hex } of vectors.smallOrder) {
    const form = canonical ? 'canonical' : 'not canonical'
    t.equal(isEnrollableKey(raw(hex)), false, `order ${order}, ${form}: ${hex}`)
    t.equal(verifyDetached(zeroScalar, utf8('any'), raw(hex)), false, 'R = 1, S = 0 is refused')
  }
  t.equal(vectors.smallOrder.length, 14)
})

t.test('attack 16: an honest key plus a point of small order is no key', async (t) => {
  const honest = pointOf(raw(vectors.signatures[0]?.publicKey ?? ''))
  t.equal(toHex(encodePoint(honest)), vectors.signatures[0]?.publicKey, 'the arithmetic is sound')
  for (const { order, canonical, hex } of vectors.smallOrder) {
    if (!canonical || order === 1) continue
    const mixed = encodePoint(addPoints(honest, pointOf(raw(hex))))
    t.equal(isEnrollableKey(mixed), false, `mixed with order ${order}`)
  }
})

t.test(
  'attack 16: encodings above the field prime and points off the curve are no keys',
  async (t) => {
    const prime = 2n ** 255n - 19n
    for (let above = 0n; above < 19n; above++) {
      t.equal(isEnrollableKey(bytesOf(prime + above)), false, `p + ${above}`)
    }
    const offCurve = bytesOf(2n)
    t.throws(() => pointOf(offCurve))
    t.equal(isEnrollableKey(offCurve), false)
    t.equal(isEnrollableKey(new Uint8Array(31)), false)
  },
)

t.test('attack 16: the low-order tricks do not pass with an honest key either', async (t) => {
  const key = raw(vectors.signatures[0]?.publicKey ?? '')
  for (const { hex } of vectors.smallOrder) {
    const forged = concat(raw(hex), new Uint8Array(32))
    t.equal(verifyDetached(forged, new Uint8Array(0), key), false)
  }
})
