import { readFile } from 'node:fs/promises'
import {
  fromHex,
  signDetached,
  signingKeyFromSeed,
  sodiumReady,
  toHex,
  utf8,
  verifyDetached,
} from '@liaison/protocol'
import t from 'tap'
import { type Check, packChecks, unpackChecks } from '../../../server/src/signatures/batch.ts'
import { loadNativeSodium } from '../../../server/src/signatures/native-sodium.ts'
import { SignatureChecker } from '../../../server/src/signatures/signature-checker.ts'
import { loadSign, loadVerify } from '../../../server/src/signatures/verify.ts'
import { bytesOf, groupOrder, numberOf } from '../../support/edwards25519.ts'
import { seededBytes, seededKey } from '../../support/network.ts'

await sodiumReady()

const raw = (hex: string): Uint8Array => fromHex(hex) as Uint8Array

const vectors = JSON.parse(
  await readFile(new URL('../../vectors/ed25519.json', import.meta.url), 'utf8'),
) as {
  readonly signatures: readonly Record<'seed' | 'publicKey' | 'message' | 'signature', string>[]
  readonly smallOrder: readonly { readonly hex: string }[]
}

/** A good check, and how to spoil it. */
function checkOf(n: number, spoil = false): Check {
  const key = seededKey(`signer ${n % 5}`)
  const message = utf8(`message ${n}`)
  const signature = signDetached(message, key.secretKey)
  if (spoil) signature[n % 64] = (signature[n % 64] as number) ^ 1
  return { signature, message, publicKey: key.publicKey }
}

/** Checks on which two verifiers could differ: small orders, a large S, other lengths, flipped bits. */
function hostileChecks(): Check[] {
  const message = utf8('a report')
  const key = seededKey('signer')
  const good = signDetached(message, key.secretKey)
  const checks: Check[] = [{ signature: good, message, publicKey: key.publicKey }]
  for (const { hex } of vectors.smallOrder) {
    checks.push({ signature: good, message, publicKey: raw(hex) })
    const atInfinity = new Uint8Array(64)
    atInfinity.set(raw(hex))
    for (const publicKey of [key.publicKey, raw(hex)]) {
      checks.push({ signature: atInfinity, message, publicKey })
    }
  }
  const largeS = good.slice()
  largeS.set(bytesOf(numberOf(good.subarray(32)) + groupOrder), 32)
  checks.push({ signature: largeS, message, publicKey: key.publicKey })
  for (const length of [0, 1, 63, 65]) {
    checks.push({ signature: seededBytes('sig', length), message, publicKey: key.publicKey })
  }
  for (const length of [0, 31, 33]) {
    checks.push({ signature: good, message, publicKey: seededBytes('key', length) })
  }
  for (let n = 0; n < 128; n++) checks.push(checkOf(n, n % 2 === 1))
  return checks
}

t.test('the native verifier and the other one agree, on hostile input too', async (t) => {
  t.not(await loadNativeSodium(), null, 'the optional package is installed where tests run')
  const verify = await loadVerify()
  const checks = hostileChecks()
  for (const { signature, message, publicKey } of checks) {
    const expected = verifyDetached(signature, message, publicKey)
    t.equal(verify(signature, message, publicKey), expected, toHex(signature))
  }
  const good = checks.filter((c) => verifyDetached(c.signature, c.message, c.publicKey)).length
  t.equal(good, 1 + 64, 'only the honest ones are good')
})

t.test('the native signer makes the signatures of RFC 8032', async (t) => {
  const sign = await loadSign()
  for (const { seed, message, signature } of vectors.signatures) {
    const { secretKey } = signingKeyFromSeed(raw(seed))
    t.equal(toHex(sign(raw(message), secretKey)), signature)
  }
})

t.test('checks survive the way to a worker', async (t) => {
  const checks = hostileChecks()
  const hex = (all: readonly Check[]): string[] =>
    all.map((c) => [c.signature, c.message, c.publicKey].map(toHex).join(' '))
  t.same(hex(unpackChecks(packChecks(checks))), hex(checks))
  t.same(unpackChecks(packChecks([])), [])
})

for (const threads of [0, 1, 2]) {
  t.test(`with ${threads} threads every check gets its own answer`, async (t) => {
    await using checker = await SignatureChecker.open(threads)
    for (const count of [1, 2, 3, 100, 333]) {
      const wanted = Array.from({ length: count }, (_, n) => n % 3 !== 0)
      const answers = await Promise.all(wanted.map((good, n) => checker.check(checkOf(n, !good))))
      t.same(answers, wanted)
      // Threads take a while to start; afterwards they do their share.
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  })
}

t.test('checks that wait when the threads end are answered all the same', async (t) => {
  const checker = await SignatureChecker.open(1)
  await checker.check(checkOf(0))
  await new Promise((resolve) => setTimeout(resolve, 500))
  const answers = Promise.all(Array.from({ length: 200 }, (_, n) => checker.check(checkOf(n))))
  await checker[Symbol.asyncDispose]()
  t.ok((await answers).every((good) => good))
})
