/** `liaison schema validate` over everything that the repository calls valid or invalid. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { root } from '../architecture/sources.ts'
import { type Json, liaison } from '../support/cli.ts'
import { tempFolder } from '../support/temp-folder.ts'

// Commands are processes, and the machine may be busy.
t.setTimeout(120_000)

/** All files of examples below a folder, sorted. */
async function filesIn(folder: string): Promise<string[]> {
  const types = (await readdir(folder)).sort()
  const all = await Promise.all(
    types.map(async (type) =>
      (await readdir(join(folder, type))).sort().map((file) => join(folder, type, file)),
    ),
  )
  return all.flat()
}

const examples = join(root, 'schemas/examples')

t.test('every valid example is valid, control messages too', async (t) => {
  const files = await filesIn(join(examples, 'valid'))
  const result = await liaison(['--json', 'schema', 'validate', ...files])
  t.equal(result.code, 0, result.stderr)
  const verdicts = result.json()
  t.equal(verdicts.length, files.length)
  for (const [i, { file, ok, type, problems }] of verdicts.entries()) {
    t.same({ file, ok, problems }, { file: files[i], ok: true, problems: [] })
    t.match(file, `/${String(type)}--`)
  }
  const types = new Set(verdicts.map(({ type }) => type))
  t.equal(types.size, 18, 'fourteen reports and four control messages')
})

t.test('every invalid example is refused for the reason that it gives', async (t) => {
  await using folder = await tempFolder()
  const files = await filesIn(join(examples, 'invalid'))
  const wanted = await Promise.all(
    files.map(
      async (file) =>
        JSON.parse(await readFile(file, 'utf8')) as {
          readonly expect: readonly { readonly pointer: string; readonly code: string }[]
          readonly body: unknown
        },
    ),
  )
  const lines = wanted.map(({ body }) => `${JSON.stringify(body)}\n`).join('')
  const path = await folder.write('invalid.jsonl', lines)
  const result = await liaison(['--json', 'schema', 'validate', '--lines', path])
  t.equal(result.code, 6, result.stderr)
  const verdicts = result.json()
  t.equal(verdicts.length, files.length)
  for (const [i, { line, ok, problems }] of verdicts.entries()) {
    const found = (problems as readonly Json[]).map(({ field, code }) => ({ pointer: field, code }))
    t.same(
      { line, ok, found },
      { line: i + 1, ok: false, found: wanted[i]?.expect },
      String(files[i]),
    )
  }
})

t.test('reports made from public documents are valid', async (t) => {
  const folder = join(root, 'examples/reports')
  const names = (await readdir(folder)).filter((name) => name !== 'plan.json').sort()
  const files = names.map((name) => join(folder, name))
  const result = await liaison(['--json', 'schema', 'validate', ...files])
  t.equal(result.code, 0, result.stderr)
  t.equal(result.json().length, files.length)
})
