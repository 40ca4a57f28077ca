import { readdir, readFile } from 'node:fs/promises'
import type { Problem } from '@liaison/schemas'
import { schemaRegistry } from '@liaison/schemas'
import {
  parseBody,
  problemGroups,
  validateAs,
  validateControl,
  validateReport,
} from '@liaison/schemas/reports'
import t from 'tap'

const folder = new URL('../../../schemas/examples/', import.meta.url)
const least = { valid: 3, invalid: 5 } as const

async function examples(
  kind: 'valid' | 'invalid',
  type: string,
): Promise<readonly (readonly [string, unknown])[]> {
  const files = (await readdir(new URL(`${kind}/${type}/`, folder))).sort()
  return Promise.all(
    files.map(async (file) => {
      const parsed = parseBody(await readFile(new URL(`${kind}/${type}/${file}`, folder)))
      if (!parsed.ok) throw new Error(`${file}: ${JSON.stringify(parsed.problems)}`)
      return [file, parsed.value] as const
    }),
  )
}

const places = (problems: readonly Problem[]): readonly unknown[] =>
  problems.map(({ pointer, code }) => ({ pointer, code }))

for (const { name, kind } of schemaRegistry) {
  const validate = kind === 'report' ? validateReport : validateControl

  t.test(`${name}: valid examples`, async (t) => {
    const found = await examples('valid', name)
    t.ok(found.length >= least.valid, `${found.length} valid examples`)
    for (const [file, body] of found) {
      t.match(file, new RegExp(`^${name}--[a-z0-9-]+\\.json$`), 'the file name says why')
      const result = validate(body)
      t.same(result.ok ? [] : result.problems, [], file)
      t.ok(validateAs(name, body).ok, `${file}, by name`)
    }
  })

  t.test(`${name}: invalid examples`, async (t) => {
    const found = await examples('invalid', name)
    t.ok(found.length >= least.invalid, `${found.length} invalid examples`)
    for (const [file, example] of found) {
      const { expect, body } = example as { expect: unknown; body: unknown }
      t.match(file, new RegExp(`^${name}--[a-z0-9-]+\\.json$`), 'the file name says why')
      const before = JSON.stringify(body)
      const result = validate(body)
      t.same(result.ok ? [] : places(result.problems), expect, file)
      t.equal(JSON.stringify(body), before, 'validation changes nothing')
    }
  })
}

t.test('every named check has an example', async (t) => {
  const seen = new Set<string>()
  for (const { name } of schemaRegistry) {
    for (const [, example] of await examples('invalid', name)) {
      for (const { code } of (example as { expect: { code: string }[] }).expect) seen.add(code)
    }
  }
  t.same(
    problemGroups.check.filter((code) => !seen.has(code)),
    [],
  )
})

t.test('a problem repeats nothing of the content', (t) => {
  const secret = 'the-source-is-the-cook'
  const result = validateReport({
    type: 'spotrep',
    version: secret,
    meta: { id: secret, status: secret, [`${secret} ${'x'.repeat(80)}`]: 1 },
    title: [secret],
    summary: `${secret}\u0000`,
    x: { [`A ${secret}`]: 1 },
  })
  t.notOk(result.ok)
  t.notMatch(JSON.stringify(result), secret)
  t.end()
})

t.test('problems carry message keys, are few and in order', (t) => {
  const result = validateReport({
    type: 'spotrep',
    version: 1,
    places: Array.from({ length: 300 }, () => ({})),
  })
  if (result.ok) throw new Error('accepted')
  t.equal(result.problems.length, 50)
  t.same(result.problems[0], {
    pointer: '/activity',
    code: 'required',
    messageKey: 'schema.required',
    params: {},
  })
  const items = result.problems.flatMap(
    ({ pointer }) => /^\/places\/(\d+)/.exec(pointer)?.[1] ?? [],
  )
  t.same(
    items.map(Number),
    items.map(Number).sort((a, b) => a - b),
  )
  t.end()
})

t.test('a type that is not one, or not of this kind', (t) => {
  for (const value of [null, 1, 'spotrep', [], {}, { type: 'toString' }, { type: 'recall' }]) {
    const result = validateReport(value)
    t.same(result.ok ? [] : places(result.problems), [{ pointer: '/type', code: 'unknown_type' }])
  }
  t.notOk(validateControl({ type: 'spotrep' }).ok)
  t.notOk(validateAs('warning', { type: 'spotrep', version: 1 }).ok, 'header and body disagree')
  t.end()
})
