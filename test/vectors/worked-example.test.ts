import { readFile } from 'node:fs/promises'
import {
  audienceHash,
  type Ctx,
  ctxHashOf,
  decodeCore,
  encodeCtx,
  fromHex,
  kidOf,
  type NetworkId,
  networkFingerprint,
  sha256,
  signingKeyFromSeed,
  slotsOf,
  sodiumReady,
  toHex,
  utf8,
  verifyEnvelopeSignature,
} from '@liaison/protocol'
import { openEnvelope } from '@liaison/seal'
import t from 'tap'
import { epochKeyFromSeed } from '../../protocol/seal/src/epoch-key.ts'
import { sealWithKey } from '../../protocol/seal/src/seal-with-key.ts'

interface WorkedExample {
  readonly inputs: {
    readonly senderSeed: string
    readonly recipientSeeds: readonly string[]
    readonly recipientDevices: readonly number[]
    readonly messageKey: string
    readonly id: string
    readonly from: number
    readonly top: number
    readonly hc: number
    readonly t: number
    readonly dirSize: number
    readonly dirRoot: string
    readonly body: string
  }
  readonly expected: {
    readonly net: string
    readonly senderPublicKey: string
    readonly kids: readonly string[]
    readonly audienceHash: string
    readonly ctxBytes: number
    readonly ctxHash: string
    readonly slotHashes: readonly string[]
    readonly slotRoot: string
    readonly commitment: string
    readonly payloadBytes: number
    readonly payloadHash: string
    readonly sig: string
    readonly core: string
    readonly networkFingerprint: string
  }
}

const bytes = (hex: string): Uint8Array => {
  const out = fromHex(hex)
  if (out === null) throw new Error(`not hexadecimal: ${hex}`)
  return out
}

t.test('the worked example of the protocol is reproduced byte for byte', async (t) => {
  await sodiumReady()
  const file = new URL('worked-example.json', import.meta.url)
  const { inputs, expected } = JSON.parse(await readFile(file, 'utf8')) as WorkedExample
  const net = sha256(utf8('sir/1 example network')) as NetworkId
  t.equal(toHex(net), expected.net, 'network id')
  t.equal(networkFingerprint(net), expected.networkFingerprint, 'fingerprint')

  const signer = signingKeyFromSeed(bytes(inputs.senderSeed))
  t.equal(toHex(signer.publicKey), expected.senderPublicKey, 'sender key')
  const keys = inputs.recipientSeeds.map((seed) => epochKeyFromSeed(bytes(seed)))
  t.same(
    keys.map((k) => toHex(kidOf(k.publicKey))),
    expected.kids,
    'kids',
  )

  const audience = audienceHash(
    keys.map((k, i) => ({ dev: inputs.recipientDevices[i] ?? 0, kid: k.kid })),
  )
  t.equal(toHex(audience), expected.audienceHash, 'audience hash')

  const ctx: Ctx = {
    v: 1,
    k: 1,
    id: bytes(inputs.id),
    from: inputs.from,
    top: inputs.top,
    hc: inputs.hc,
    sch: sha256(utf8('example schema')),
    t: inputs.t,
    seq: 0,
    prev: new Uint8Array(32),
    dir: [inputs.dirSize, bytes(inputs.dirRoot)],
    aud: [0, 2, audience],
  }
  const ctxBytes = encodeCtx(ctx)
  t.equal(ctxBytes.length, expected.ctxBytes, 'header length')
  t.equal(toHex(ctxHashOf(net, ctxBytes)), expected.ctxHash, 'header hash')

  const body = utf8(inputs.body)
  const sealed = sealWithKey(bytes(inputs.messageKey), { net, signer, ctx, recipients: keys, body })
  if (!sealed.ok) throw new Error(sealed.error)
  const { envelope, core } = sealed.value
  const slots = slotsOf(envelope.slots) ?? []
  t.same(
    slots.map((s) => toHex(sha256(s))),
    expected.slotHashes,
    'slots',
  )
  t.equal(envelope.payload.length, expected.payloadBytes, 'payload length')
  t.equal(toHex(sha256(envelope.payload)), expected.payloadHash, 'payload')
  t.equal(toHex(envelope.sig), expected.sig, 'signature')
  t.equal(toHex(core), expected.core, 'core hash')

  const decoded = decodeCore(net, envelope.ctx, envelope.seal)
  if (!decoded.ok) throw new Error(decoded.error)
  t.equal(toHex(decoded.value.seal.sr ?? new Uint8Array()), expected.slotRoot, 'slot root')
  t.equal(toHex(decoded.value.seal.kc), expected.commitment, 'commitment')
  t.ok(verifyEnvelopeSignature(net, signer.publicKey, envelope), 'signature verifies')

  for (const [idx, key] of keys.entries()) {
    const opened = openEnvelope({
      net,
      ctx: envelope.ctx,
      seal: decoded.value.seal,
      payload: envelope.payload,
      idx,
      slot: slots[idx] ?? new Uint8Array(),
      kid: key.kid,
      secretKey: key.secretKey,
    })
    t.same(opened.ok && opened.value.body, body, `recipient ${idx} opens it`)
  }
})
