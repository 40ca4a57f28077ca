import {
  type DeliverItem,
  encodeCommon,
  encodeDeliverFrame,
  encodeRelayFrame,
  toHex,
} from '@liaison/protocol'
import fc from 'fast-check'
import t from 'tap'

const uint = fc.oneof(
  fc.nat(30),
  fc.nat(300),
  fc.nat(70_000),
  fc.maxSafeNat(),
  fc.constantFrom(23, 24, 255, 256, 65_535, 65_536, 4_294_967_295, 4_294_967_296),
)
const bytes = (maxLength: number) => fc.uint8Array({ maxLength })
const path = bytes(300)
const full = fc.record({
  form: fc.constant('full' as const),
  cursor: uint,
  ctx: bytes(300),
  seal: bytes(100),
  sig: fc.uint8Array({ minLength: 64, maxLength: 64 }),
  payload: bytes(70_000),
  idx: fc.nat(300),
  slot: bytes(1_200),
  path,
  flu: fc.array(fc.tuple(fc.nat(300), path), { maxLength: 4 }),
})
const skip = fc.record({ form: fc.constant('skip' as const), cursor: uint, to: uint })

t.test('a deliver frame is written as the general encoder writes it', async (t) => {
  const same = fc.property(
    uint,
    fc.array(fc.oneof(full, skip), { maxLength: 30 }),
    (sub, items) => {
      const written = encodeDeliverFrame(
        sub,
        items.map((item) =>
          item.form === 'skip' ? item : { ...item, common: encodeCommon(item) },
        ),
      )
      const whole = encodeRelayFrame({ kind: 'deliver', sub, items: items as DeliverItem[] })
      return toHex(written) === toHex(whole)
    },
  )
  t.doesNotThrow(() => fc.assert(same, { numRuns: 200 }))
})
