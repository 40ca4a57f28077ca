import { ctxHashOf, limits, sodiumReady, utf8 } from '@liaison/protocol'
import { encodeCbor } from '@liaison/protocol/internal'
import { deflateSync } from 'fflate'
import t from 'tap'
import { unwrapContent, wrapContent } from '../../../protocol/seal/src/content.ts'
import { pad } from '../../../protocol/seal/src/padding.ts'
import { encryptPayload } from '../../../protocol/seal/src/payload.ts'
import { messageKey, net, open, recipientKeys, resigned, seal } from '../../support/sealing.ts'

await sodiumReady()

const body = utf8(`{"text":"${'again and '.repeat(60)}"}`)

t.test('a body comes back as it was, deflated or not', async (t) => {
  for (const compress of [false, true]) {
    const wrapped = wrapContent(body, compress)
    if (!wrapped.ok) return t.fail(wrapped.error)
    t.equal(wrapped.value.length < body.length, compress)
    t.match(unwrapContent(wrapped.value), { ok: true, value: body })
  }
})

t.test('attack 20: inflating stops at the declared length, and that is bounded', async (t) => {
  const zeros = deflateSync(new Uint8Array(10 * 1024 * 1024))
  t.ok(zeros.length < 20_000, `${zeros.length} bytes hold ten mebibytes`)
  const bomb = (n: number): Uint8Array => encodeCbor({ b: zeros, m: 0, z: 1, n })
  t.match(unwrapContent(bomb(10 * 1024 * 1024)), { ok: false, error: 'content_too_large' })
  t.match(unwrapContent(bomb(limits.contentBytesMax)), { ok: false, error: 'content_too_large' })
  t.match(unwrapContent(bomb(100)), { ok: false, error: 'content_too_large' })
  t.match(unwrapContent(bomb(0)), { ok: false, error: 'content_too_large' })
})

t.test('attack 20: a bomb inside a well sealed envelope is refused with a code', async (t) => {
  const keys = recipientKeys(2)
  const envelope = seal(keys)
  const zeros = deflateSync(new Uint8Array(10 * 1024 * 1024))
  const content = encodeCbor({ b: zeros, m: 0, z: 1, n: 2000 })
  const payload = encryptPayload(messageKey, ctxHashOf(net, envelope.ctx), pad(content))
  const hostile = resigned(envelope, { payload })
  t.match(open(hostile, keys, 1), { ok: false, error: 'content_too_large' })
})

t.test('what is not exactly a content is refused', async (t) => {
  const deflated = deflateSync(body)
  const cases: readonly (readonly [string, Uint8Array])[] = [
    ['no length beside a deflated body', encodeCbor({ b: deflated, m: 0, z: 1 })],
    ['a length beside a plain body', encodeCbor({ b: body, m: 0, z: 0, n: body.length })],
    ['less than declared', encodeCbor({ b: deflated, m: 0, z: 1, n: body.length + 1 })],
    ['cut off', encodeCbor({ b: deflated.slice(0, -4), m: 0, z: 1, n: body.length })],
    ['not deflated', encodeCbor({ b: utf8('plain text'), m: 0, z: 1, n: 10 })],
    ['another key', encodeCbor({ b: body, m: 0, z: 0, x: 1 })],
    ['another media', encodeCbor({ b: body, m: 1, z: 0 })],
    ['not CBOR', body],
    ['nothing', new Uint8Array()],
  ]
  for (const [name, bytes] of cases) {
    t.match(unwrapContent(bytes), { ok: false, error: 'content_malformed' }, name)
  }
  t.match(unwrapContent(encodeCbor({ b: deflated, m: 0, z: 1, n: body.length - 1 })), {
    ok: false,
    error: 'content_too_large',
  })
})

t.test('a body above the limit is not sealed', async (t) => {
  const large = new Uint8Array(limits.contentBytesMax + 1)
  t.match(wrapContent(large, true), { ok: false, error: 'content_too_large' })
  const full = new Uint8Array(limits.contentBytesMax)
  t.throws(() => seal(recipientKeys(1), { body: full }), /payload_too_large/)
})
