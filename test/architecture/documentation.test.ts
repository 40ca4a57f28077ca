import { readFile } from 'node:fs/promises'
import { dirname, join, posix } from 'node:path'
import t from 'tap'
import { errorsDocument } from '../../scripts/errors-doc.ts'
import { packages, root } from './sources.ts'

const read = (file: string): Promise<string> => readFile(join(root, file), 'utf8')

/** What one file offers: own declarations with or without comment, and names taken from others. */
interface Exports {
  readonly undocumented: readonly string[]
  readonly documented: readonly string[]
  readonly from: readonly { readonly name: string; readonly as: string; readonly file: string }[]
}

const declaration =
  /^export (?:declare |async |abstract )*(?:const|let|function\*?|class|interface|type|namespace) (?<name>[\w$]+)/

function exportsOf(text: string, file: string): Exports {
  const documented = new Set<string>()
  const undocumented = new Set<string>()
  let commented = false
  for (const line of text.split('\n')) {
    const name = declaration.exec(line)?.groups?.['name']
    // The comment of the first overload counts for all of them.
    if (name !== undefined && !documented.has(name))
      (commented ? documented : undocumented).add(name)
    if (/\*\/\s*$/.test(line)) commented = true
    else if (!/^\s*\/\//.test(line)) commented = false
  }
  const from: { name: string; as: string; file: string }[] = []
  const clauses = text.matchAll(/^export (?:type )?(\{[^}]*\}|\*)(?: from '([^']+)')?/gm)
  for (const [, clause = '', module] of clauses) {
    const target = module === undefined ? file : posix.join(dirname(file), module)
    if (module !== undefined && !module.startsWith('.')) continue
    if (clause === '*') {
      from.push({ name: '*', as: '*', file: target })
      continue
    }
    const names = clause
      .slice(1, -1)
      .replaceAll(/\/\/.*$/gm, '')
      .split(',')
    for (const entry of names.map((name) => name.trim().replace(/^type /, '')).filter(Boolean)) {
      const [name = '', as = name] = entry.split(/\s+as\s+/)
      from.push({ name, as, file: target })
    }
  }
  return { undocumented: [...undocumented], documented: [...documented], from }
}

/** Exported names of a file, through re-exports, of which no comment says what they are. */
async function undocumented(
  file: string,
  readText: (file: string) => Promise<string>,
  wanted: string = '*',
): Promise<string[]> {
  if (/(^|\/)generated\//.test(file)) return []
  const text = await readText(file)
  const { undocumented: bare, documented, from } = exportsOf(text, file)
  const isWanted = (name: string) => wanted === '*' || name === wanted
  const missing = bare.filter(isWanted).map((name) => `${file}: ${name}`)
  if (wanted !== '*' && documented.includes(wanted)) return missing
  for (const { name, as, file: target } of from.filter(({ as }) => as === '*' || isWanted(as))) {
    const inner = name === '*' ? wanted : name
    if (target !== file) missing.push(...(await undocumented(target, readText, inner)))
    else if (!documentedLocally(text, name)) missing.push(`${file}: ${as}`)
  }
  return [...new Set(missing)]
}

/** A name exported at the end of its file: a commented declaration, or imported from elsewhere. */
const documentedLocally = (text: string, name: string): boolean =>
  new RegExp(
    `\\*/\\n(?:const|let|function|class|interface|type|async function) ${name}\\b|^import [^']*\\b${name}\\b[^']* from '[^.]`,
    'm',
  ).test(text)

/** The public entries of a package: everything in `exports` but ./internal. */
async function publicEntries(name: string): Promise<string[]> {
  const manifest = await read(`${name}/package.json`).catch(() => '{}')
  const { exports = {} }: { exports?: Record<string, Record<string, string>> } =
    JSON.parse(manifest)
  return Object.entries(exports)
    .filter(([path]) => path !== './internal')
    .flatMap(([, target]) => target['@liaison/source'] ?? [])
    .map((path) => posix.join(name, path))
}

t.test('every public name has a comment', async (t) => {
  let checked = 0
  for (const name of packages) {
    for (const entry of await publicEntries(name)) {
      // A package that is not begun has no sources; one that is must have all its entries.
      const begun = await read(`${name}/src/index.ts`).catch(() => undefined)
      if (begun === undefined) continue
      checked += 1
      t.same(await undocumented(entry, read), [], entry)
    }
  }
  t.ok(checked > 0, 'at least one entry was read')
})

t.test('a public name without a comment is found, also behind re-exports', async (t) => {
  const files: Record<string, string> = {
    'a/index.ts': "export { good, bad as worse } from './b.ts'\nexport * from './c.ts'\n",
    'a/b.ts':
      '/** Fine. */\nexport const good = 1\n\nexport function bad(): void {}\nexport const x = 1\n',
    'a/c.ts': "export type { T } from './d.ts'\n/** Fine. */\nexport class C {}\n",
    'a/d.ts': 'export interface T {}\n',
  }
  const found = await undocumented('a/index.ts', async (file) => files[file] ?? '')
  t.same(found, ['a/b.ts: bad', 'a/d.ts: T'])
})

t.test('docs/errors.md explains every error code under a heading of its own', async (t) => {
  const { errorCodes } = await import('../../protocol/src/errors.ts')
  const text = await read('docs/errors.md')
  const headings = new Set([...text.matchAll(/^### (.+)$/gm)].map(([, code]) => code))
  for (const code of Object.keys(errorCodes)) t.ok(headings.has(code), code)
  t.equal(headings.size, Object.keys(errorCodes).length, 'and no code that does not exist')
  t.equal(text, errorsDocument(), 'npm run generate makes it')
})

t.test('no number of an error is used twice', async (t) => {
  const { errorCodes } = await import('../../protocol/src/errors.ts')
  const numbers = Object.values(errorCodes).map(([n]) => n)
  t.equal(new Set(numbers).size, numbers.length)
})
