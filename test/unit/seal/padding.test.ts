import { limits, sodiumReady, utf8 } from '@liaison/protocol'
import t from 'tap'
import { pad, paddedLength, padme, unpad } from '../../../protocol/seal/src/padding.ts'
import { recipientKeys, seal } from '../../support/sealing.ts'

await sodiumReady()

t.test('padded lengths are the documented ones', async (t) => {
  t.same(
    [1, 2, 9, 700, 2000, 5000].map((length) => padme(length)),
    [1, 2, 10, 704, 2048, 5120],
  )
  t.equal(paddedLength(0), limits.padFloorBytes)
  t.equal(paddedLength(255), 256)
  t.equal(paddedLength(256), 272, 'one more than the floor goes to the next step')
})

t.test('attack 21: short reports have one length; above the floor little is added', async (t) => {
  const short = new Set(Array.from({ length: 256 }, (_, length) => paddedLength(length)))
  t.same([...short], [256], 'contents of 0 to 255 bytes')
  let worst = 0
  let decreasing = 0
  const lengths = new Set<number>()
  for (let length = 256; length < 300_000; length++) {
    const padded = paddedLength(length)
    if (padded < paddedLength(length - 1) || padded <= length) decreasing++
    worst = Math.max(worst, (padded - length) / length)
    lengths.add(padded)
  }
  t.equal(decreasing, 0, 'never shorter than the content, and never shrinking')
  t.ok(worst < 0.0665, `at most ${(100 * worst).toFixed(2)} % and the marker are added`)
  t.ok(lengths.size < 250, `${lengths.size} lengths for 299,744 contents`)
})

t.test('attack 21: envelopes of short reports cannot be told apart by size', async (t) => {
  const keys = recipientKeys(1)
  const sizes = ['{}', '{"a":"b"}', `{"a":"${'x'.repeat(200)}"}`].map(
    (body) => seal(keys, { body: utf8(body) }).payload.length,
  )
  t.equal(new Set(sizes).size, 1)
})

t.test('only the one padding of a content is taken off again', async (t) => {
  const content = new Uint8Array([1, 2, 0x80, 0])
  t.same(unpad(pad(content)), content, 'zeros and markers inside are content')
  t.equal(unpad(new Uint8Array(256)), null, 'no marker')
  t.equal(unpad(new Uint8Array()), null, 'nothing at all')
  const longer = new Uint8Array(512)
  longer.set(pad(content))
  t.equal(unpad(longer), null, 'more zeros than the rule gives')
  const marked = pad(content)
  marked[255] = 1
  t.equal(unpad(marked), null, 'another end')
})
