/**
 * What the SDK shows to the programs that embed it, as one text: every exported name of every sub-path
 * with its declared type, without comments. `npm run generate` writes it, so that a change of the
 * interface is a line in a commit.
 */
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const root = fileURLToPath(new URL('..', import.meta.url))
// Not the file in bin: a test runner that hooks into Node cannot load one without an ending.
const tsc = join(root, 'node_modules', 'typescript', 'lib', 'tsc.js')

/** Where the text is kept, from the root. */
export const snapshotPath = 'client-sdk/api.txt'

/** Name of an export, and its declaration or the package that it comes from. */
type Exports = Map<string, string>

/** The text of the present sources. */
export async function apiSnapshot(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'liaison-api-'))
  try {
    const project = join(root, 'client-sdk', 'tsconfig.json')
    const flags = ['--noCheck', '--emitDeclarationOnly', '--composite', 'false']
    const args = [tsc, '-p', project, ...flags, '--incremental', 'false', '--outDir', folder]
    await promisify(execFile)(process.execPath, args, { cwd: root })
    const text = await readFile(join(root, 'client-sdk', 'package.json'), 'utf8')
    const paths = Object.entries((JSON.parse(text) as PackageJson).exports)
    const parts: string[] = []
    for (const [path, { types }] of paths) {
      const exported = await exportsOf(join(folder, types.replace('./dist/', '')))
      const lines = [...exported].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, line]) => line)
      parts.push(`## ${path}\n\n${lines.join('\n')}\n`)
    }
    return parts.join('\n')
  } finally {
    await rm(folder, { recursive: true })
  }
}

interface PackageJson {
  readonly exports: Readonly<Record<string, { readonly types: string }>>
}

/** Everything that a module of declarations exports. */
async function exportsOf(file: string): Promise<Exports> {
  const text = withoutComments(await readFile(file, 'utf8'))
  const out: Exports = new Map()
  for (const [name, declaration] of declarationsIn(text)) out.set(name, declaration)
  for (const [, star, from = ''] of text.matchAll(
    /^export (?:type )?(\*|\{[^}]*\}) from '([^']+)';/gm,
  )) {
    const inner = from.startsWith('.') ? await exportsOf(join(dirname(file), asTypes(from))) : null
    if (star === '*') {
      if (inner === null) out.set(`* ${from}`, `everything of ${from}`)
      else for (const [name, declaration] of inner) out.set(name, declaration)
      continue
    }
    for (const part of (star ?? '').slice(1, -1).split(',')) {
      const [name = '', alias = name] = part
        .trim()
        .replace(/^type /, '')
        .split(' as ')
      if (name === '') continue
      const declaration = inner === null ? `${name} of ${from}` : inner.get(name)
      if (declaration === undefined) throw new Error(`${file}: ${name} is not in ${from}`)
      out.set(alias, alias === name ? declaration : `${alias} = ${declaration}`)
    }
  }
  return out
}

const asTypes = (from: string): string => from.replace(/\.(ts|js)$/, '.d.ts')

/** Comments take lines of their own in what the compiler writes. */
const withoutComments = (text: string): string =>
  text.replace(/^\s*\/\*\*[\s\S]*?\*\/\n?/gm, '').replace(/^\s*\/\/.*\n/gm, '')

/** The declarations of a module, each from its name to the line that ends it at the left margin. */
function declarationsIn(text: string): Exports {
  const out: Exports = new Map()
  const start = /^export (?:declare )?(?:abstract )?(?:class|interface|function|const|type) (\w+)/
  const lines = text.split('\n')
  for (let at = 0; at < lines.length; at++) {
    const name = start.exec(lines[at] ?? '')?.[1]
    if (name === undefined) continue
    let end = at
    // Statements begin at the margin; what belongs to one is indented or closes it.
    while (/^[\s})\]]/.test(lines[end + 1] ?? '')) end++
    const whole = lines.slice(at, end + 1).join(' ')
    const own = whole
      .replace(/^export (declare )?/, '')
      .replace(/\s+/g, ' ')
      .replace(/;? *$/, '')
    out.set(name, `${out.has(name) ? `${out.get(name)}\n` : ''}${own}`)
    at = end
  }
  return out
}
