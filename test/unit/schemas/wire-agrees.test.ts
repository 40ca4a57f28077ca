import { fileURLToPath } from 'node:url'
import * as wire from '@liaison/schemas/wire'
import t from 'tap'
import { readSchemas, type Schema } from '../../../schemas/tools/bundle.ts'
import { camelCase, compilerOf, forCborValues } from '../../../schemas/tools/validators.ts'
import { withoutErrors } from '../../../schemas/tools/without-errors.ts'
import { type SeededRandom, seededRandom } from '../../support/seeded-random.ts'

const folder = fileURLToPath(new URL('../../../schemas/wire', import.meta.url))

type Random = SeededRandom

/** Values of no schema in particular. */
const oddities: readonly unknown[] = [
  undefined,
  null,
  -1,
  1.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  '',
  'x'.repeat(100),
  [],
  {},
  new Uint8Array(31),
  true,
]

/** A value that fits the schema, unless chance puts something else at some place of it. */
function valueFor(schema: Schema, random: Random): unknown {
  if (random.next() < 0.02) return oddities[random.integer(oddities.length)]
  const between = (least: number, most: number): number => {
    if (random.next() < 0.02) return random.next() < 0.5 ? least - 1 : most + 1
    return random.next() < 0.5 ? least : least + random.integer(Math.min(most - least, 3) + 1)
  }
  if (Array.isArray(schema['byteLength'])) {
    const [least = 0, most = 0] = schema['byteLength'] as readonly number[]
    return new Uint8Array(Math.max(0, between(least, most)))
  }
  if ('const' in schema) return schema['const']
  const choices = (schema['oneOf'] ?? schema['enum']) as readonly unknown[] | undefined
  if (choices !== undefined) {
    const chosen = choices[random.integer(choices.length)]
    return 'enum' in schema ? chosen : valueFor(chosen as Schema, random)
  }
  switch (schema['type']) {
    case 'integer':
      return between(Number(schema['minimum'] ?? 0), Number(schema['maximum'] ?? 9))
    case 'string':
      return 'Ab'.repeat(between(1, 3))
    case 'array': {
      const places = (schema['prefixItems'] ?? []) as readonly Schema[]
      if (places.length > 0) return places.map((place) => valueFor(place, random))
      const count = Math.max(0, between(Number(schema['minItems'] ?? 0), 9))
      return Array.from({ length: count }, () => valueFor(schema['items'] as Schema, random))
    }
    default: {
      const value = Object.create(null) as Record<string, unknown>
      for (const [key, field] of Object.entries((schema['properties'] ?? {}) as Schema)) {
        const isRequired = ((schema['required'] ?? []) as readonly string[]).includes(key)
        if (random.next() < (isRequired ? 0.98 : 0.4)) {
          value[key] = valueFor(field as Schema, random)
        }
      }
      return random.next() < 0.02 ? { ...value, stranger: 1 } : value
    }
  }
}

t.test('validators without reasons say what ajv says with them', async (t) => {
  const sources = await readSchemas(folder)
  const ajv = compilerOf(sources, 'cbor')
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const checks: Readonly<Record<string, (value: unknown) => boolean>> = { ...wire }
  const counts = { fit: 0, unfit: 0 }
  for (const { name, schema } of sources) {
    const full = ajv.getSchema(schema['$id'] as string)
    const bare = checks[camelCase(name)]
    if (full === undefined || bare === undefined) throw new Error(name)
    const form = forCborValues(schema) as Schema
    const differing: unknown[] = []
    for (let i = 0; i < 400; i++) {
      const value = valueFor(form, random)
      const fits = full(value) === true
      counts[fits ? 'fit' : 'unfit'] += 1
      if (bare(value) !== fits) differing.push(value)
    }
    t.same(differing, [], name)
  }
  t.ok(counts.fit > 2000 && counts.unfit > 2000, JSON.stringify(counts))
})

t.test('reasons in another form than known are not left in', (t) => {
  t.throws(() => withoutErrors('validate1.errors = [\n];'), /not written as they were/)
  t.end()
})
