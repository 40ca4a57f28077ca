import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Attacks that no test can show yet, each with the reason. */
const withoutTest: ReadonlyMap<number, string> = new Map([
  [4, 'a reader notices only with the next report; heads of senders are not built'],
])

/** Numbers in the table of attacks. */
function attacksIn(page: string): readonly number[] {
  const from = page.indexOf('## 13 Attacks')
  const section = page.slice(from, page.indexOf('\n## ', from + 5))
  return [...section.matchAll(/^\| (\d+) \|/gm)].map((match) => Number(match[1]))
}

/** Numbers that titles of tests name, such as `attack 7:` or `attacks 12 and 13:`. */
const namedIn = (text: string): readonly number[] =>
  [...text.matchAll(/['"`]attacks? ([0-9]+(?:(?:, | and )[0-9]+)*): /g)].flatMap((match) =>
    [...(match[1] ?? '').matchAll(/\d+/g)].map(([digits]) => Number(digits)),
  )

t.test('every attack of the protocol has a test that names it', async (t) => {
  const attacks = attacksIn(await readFile(join(root, 'docs/protocol.md'), 'utf8'))
  t.ok(attacks.length > 30)
  const entries = await readdir(join(root, 'test'), { recursive: true, withFileTypes: true })
  const files = entries.filter((e) => e.isFile() && e.name.endsWith('.test.ts'))
  const texts = await Promise.all(files.map((e) => readFile(join(e.parentPath, e.name), 'utf8')))
  const named = new Set(texts.flatMap(namedIn))
  t.same(
    attacks.filter((n) => !named.has(n) && !withoutTest.has(n)),
    [],
    'none is without a test',
  )
  t.same(
    [...named].filter((n) => !attacks.includes(n)),
    [],
    'none is named that is not there',
  )
  t.same(
    [...withoutTest.keys()].filter((n) => named.has(n)),
    [],
    'no excuse is out of date',
  )
})

t.test('titles are read', async (t) => {
  t.same(
    namedIn(`t.test('attack 7: x') t.test("attacks 1, 2 and 3: y") // attack 9: no`),
    [7, 1, 2, 3],
  )
})
