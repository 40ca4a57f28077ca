/**
 * The KEM of libsodium against an independent one, and against the draft. The draft's three vectors
 * take all their input from one SHAKE128 stream of the empty message, so only hashes of the long
 * results are kept here.
 */
import { createHash } from 'node:crypto'
import { sha256, sodiumReady, toHex } from '@liaison/protocol'
import { ml_kem768_x25519 as independent } from '@noble/post-quantum/hybrid.js'
import t from 'tap'
import { epochKeyFromSeed, xwingBytes } from '../../protocol/seal/src/epoch-key.ts'
import { sodium } from '../../protocol/src/crypto/sodium.ts'
import { seededRandom } from '../support/seeded-random.ts'

await sodiumReady()

/** draft-connolly-cfrg-xwing-kem, appendix "Test vectors": shared secrets, and SHA-256 of pk and ct. */
const draft: readonly { readonly pk: string; readonly ct: string; readonly ss: string }[] = [
  {
    pk: '2e816deebcd76c5c80d0cd2d174478871658e8e2ff42bc9d4a6e486372e856bb',
    ct: '17cd532d657e44c897ca6583e548a5424fc70bf54f99515a4d2bcf99e3469f33',
    ss: 'd2df0522128f09dd8e2c92b1e905c793d8f57a54c3da25861f10bf4ca613e384',
  },
  {
    pk: 'c42ba5f8430d7d2c83739338203819f090e8303ce9c8b02107c272bfa5376916',
    ct: '1661ea86d608a1924ba30840cb0a65f13ae051e3aec9cf0f064efc0bc92f2154',
    ss: 'f2e86241c64d60f6649fbc6c5b7d17180b780a3f34355e64a85749949c45f150',
  },
  {
    pk: '6b080d6b84f095342092fa7a22423e58bd681397ad0ef00eac92bd254db4fa95',
    ct: 'd3ca5578500344b5896cffc4fd740c9311946b82951df155e6fd86a7966b43c6',
    ss: '953f7f4e8c5b5049bdc771d1dffada0dd961477d1a2ae0988baa7ea6898d893f',
  },
]

t.test('the three vectors of the draft', async (t) => {
  const stream = createHash('shake128', { outputLength: 3 * 96 }).digest()
  for (const [i, expected] of draft.entries()) {
    const seed = new Uint8Array(stream.subarray(96 * i, 96 * i + 32))
    const eseed = new Uint8Array(stream.subarray(96 * i + 32, 96 * i + 96))
    const { publicKey } = epochKeyFromSeed(seed)
    const made = sodium().crypto_kem_xwing_enc_deterministic(publicKey, eseed)
    t.equal(toHex(sha256(publicKey)), expected.pk, `vector ${i}: public key`)
    t.equal(toHex(sha256(made.ciphertext)), expected.ct, `vector ${i}: ciphertext`)
    t.equal(toHex(made.sharedSecret), expected.ss, `vector ${i}: shared secret`)
    t.equal(toHex(sodium().crypto_kem_xwing_dec(made.ciphertext, seed)), expected.ss, 'and back')
  }
})

t.test('keys, encapsulations and shared secrets agree with another implementation', async (t) => {
  const random = seededRandom()
  for (let i = 0; i < 8; i++) {
    const name = `seed ${random.seed}, round ${i}`
    const seed = random.bytes(xwingBytes.secretKey)
    const eseed = random.bytes(xwingBytes.encapsulationSeed)
    const ours = epochKeyFromSeed(seed)
    const theirs = independent.keygen(seed)
    t.equal(toHex(ours.publicKey), toHex(theirs.publicKey), `${name}: public key`)
    const a = sodium().crypto_kem_xwing_enc_deterministic(ours.publicKey, eseed)
    const b = independent.encapsulate(ours.publicKey, eseed)
    t.equal(toHex(a.ciphertext), toHex(b.cipherText), `${name}: ciphertext`)
    t.equal(toHex(a.sharedSecret), toHex(b.sharedSecret), `${name}: shared secret`)
    t.equal(
      toHex(independent.decapsulate(a.ciphertext, theirs.secretKey)),
      toHex(a.sharedSecret),
      'theirs opens ours',
    )
    t.equal(
      toHex(sodium().crypto_kem_xwing_dec(b.cipherText, seed)),
      toHex(b.sharedSecret),
      'ours opens theirs',
    )
  }
})

t.test('an altered ciphertext gives both the same other secret, and never an error', async (t) => {
  const random = seededRandom()
  const seed = random.bytes(32)
  const { publicKey } = epochKeyFromSeed(seed)
  const { secretKey } = independent.keygen(seed)
  const made = sodium().crypto_kem_xwing_enc_deterministic(publicKey, random.bytes(64))
  for (const at of [0, 500, 1087]) {
    const altered = made.ciphertext.slice()
    altered[at] = (altered[at] ?? 0) ^ 1
    const ours = toHex(sodium().crypto_kem_xwing_dec(altered, seed))
    t.equal(ours, toHex(independent.decapsulate(altered, secretKey)), `byte ${at}: the same`)
    t.not(ours, toHex(made.sharedSecret), `byte ${at}: and not the first`)
  }
})
