import { readFile } from 'node:fs/promises'
import { fromHex, limits, toHex } from '@liaison/protocol'
import { type CborValue, decodeCbor, encodeCbor } from '@liaison/protocol/internal'
import t from 'tap'

interface Vectors {
  readonly inside: readonly { readonly hex: string; readonly value: unknown }[]
  readonly outside: readonly { readonly why: string; readonly hex: string }[]
  readonly nonCanonical: readonly { readonly why: string; readonly hex: string }[]
}

const vectors = JSON.parse(await readFile(new URL('cbor.json', import.meta.url), 'utf8')) as Vectors

const bytesOf = (hex: string): Uint8Array => fromHex(hex) as Uint8Array

/** JSON has no byte strings: the vectors write them as `{ "bytes": hex }`. */
function cborOf(json: unknown): CborValue {
  if (Array.isArray(json)) return json.map(cborOf)
  if (typeof json !== 'object' || json === null) return json as number | string
  const record = json as Record<string, unknown>
  if (typeof record['bytes'] === 'string') return bytesOf(record['bytes'])
  return Object.fromEntries(Object.entries(record).map(([key, item]) => [key, cborOf(item)]))
}

t.test('RFC 8949, appendix A: what the profile can say is read and written alike', async (t) => {
  for (const { hex, value } of vectors.inside) {
    const decoded = decodeCbor(bytesOf(hex))
    t.ok(decoded.ok, `${hex} is read`)
    if (decoded.ok) t.strictSame(toHex(encodeCbor(decoded.value)), hex, `${hex} is written back`)
    t.equal(toHex(encodeCbor(cborOf(value))), hex, `${hex} from the value`)
  }
  t.equal(vectors.inside.length, 27)
})

t.test('RFC 8949, appendix A: what the profile cannot say is refused', async (t) => {
  for (const { hex, why } of vectors.outside) {
    t.match(decodeCbor(bytesOf(hex)), { ok: false, error: 'cbor_malformed' }, `${why}: ${hex}`)
  }
  t.equal(vectors.outside.length, 54)
})

t.test('attack 19: a second encoding of the same value is refused', async (t) => {
  for (const { hex, why } of vectors.nonCanonical) {
    t.match(decodeCbor(bytesOf(hex)), { ok: false, error: 'cbor_malformed' }, `${why}: ${hex}`)
  }
})

t.test('attack 20: decoded maps have no prototype', async (t) => {
  const decoded = decodeCbor(encodeCbor({ constructor: 1, toString: 2 } as never))
  t.ok(decoded.ok)
  if (!decoded.ok) return
  const inherited = Object.getPrototypeOf(decoded.value) as object
  t.same(Reflect.ownKeys(inherited), [], 'nothing is inherited')
  t.equal(Object.getPrototypeOf(inherited), null)
})

t.test('limits of depth and number of items', async (t) => {
  const nested = (depth: number): CborValue => (depth === 0 ? 0 : [nested(depth - 1)])
  t.ok(decodeCbor(encodeCbor(nested(limits.cborDepthMax))).ok)
  t.notOk(decodeCbor(encodeCbor(nested(limits.cborDepthMax + 1))).ok)
  const list = (length: number): CborValue => Array.from({ length }, () => 0)
  t.ok(decodeCbor(encodeCbor(list(limits.cborItemsMax - 1))).ok)
  t.notOk(decodeCbor(encodeCbor(list(limits.cborItemsMax))).ok)
})
