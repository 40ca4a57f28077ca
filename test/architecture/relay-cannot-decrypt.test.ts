import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { build, type Plugin } from 'esbuild'
import t from 'tap'
import { codeOf, root, sourcesOf } from './sources.ts'

/** Packages of others stay outside; ours are followed to their sources. */
const othersOutside: Plugin = {
  name: 'others-outside',
  setup: ({ onResolve }) => {
    onResolve({ filter: /^[^.#/]/ }, ({ path }) =>
      path.startsWith('@liaison/') ? undefined : { path, external: true },
    )
  },
}

/** Every file that ends up in a bundle of these entries, named from the root. */
async function bundledFiles(
  entry: { readonly files: readonly string[] } | { readonly text: string; readonly folder: string },
): Promise<readonly string[]> {
  const { metafile } = await build({
    ...('files' in entry
      ? { entryPoints: entry.files.map((file) => join(root, file)) }
      : { stdin: { contents: entry.text, resolveDir: join(root, entry.folder), loader: 'ts' } }),
    absWorkingDir: root,
    bundle: true,
    write: false,
    outdir: join(root, 'dist'),
    metafile: true,
    platform: 'node',
    format: 'esm',
    treeShaking: false,
    logLevel: 'silent',
    conditions: ['@liaison/source'],
    plugins: [othersOutside],
  })
  return Object.keys(metafile.inputs)
}

const forbidden = (files: readonly string[]): readonly string[] =>
  files.filter((file) => /(^|\/)(protocol\/seal|client-sdk|cli)\//.test(file))

/** Ways around the import graph that a bundler cannot follow. */
const evasions: readonly RegExp[] = [
  /\bcreateRequire\b/,
  /\brequire\s*\(/,
  /\bimport\s*\(\s*(?!["'][^"'`]*["']\s*[,)])/,
  /\bprocess\.(dlopen|binding|getBuiltinModule)\b/,
  /["']node:(vm|module)["']/,
  /\beval\s*\(|\bnew Function\b/,
]

const evades = async (text: string): Promise<boolean> => {
  const code = await codeOf({ file: 'x.ts', text })
  return evasions.some((pattern) => pattern.test(code))
}

t.test('no file of the relay leads to code that can open a report', async (t) => {
  const files = (await sourcesOf('server/src')).map(({ file }) => file)
  if (files.length === 0) {
    t.comment('the relay has no sources yet')
    return
  }
  const inputs = await bundledFiles({ files })
  t.ok(inputs.includes('protocol/src/index.ts'), 'the graph was followed into other packages')
  t.same(forbidden(inputs), [])
})

t.test('an import of the seal package is caught, directly and through a path', async (t) => {
  const direct = await bundledFiles({
    text: "import * as seal from '@liaison/seal'\nconsole.log(seal)",
    folder: 'server/src',
  })
  t.ok(forbidden(direct).includes('protocol/seal/src/index.ts'))
  const byPath = await bundledFiles({
    text: "export * from '../../protocol/seal/src/padding.ts'",
    folder: 'server/src',
  })
  t.same(forbidden(byPath)[0], 'protocol/seal/src/padding.ts')
})

t.test('the relay has no import that a bundler cannot follow', async (t) => {
  for (const { file, text } of await sourcesOf('server/src')) t.notOk(await evades(text), file)
})

t.test('each way around the import graph is recognised', async (t) => {
  const bad = [
    "import { createRequire } from 'node:module'\ncreateRequire(import.meta.url)('@liaison/seal')",
    "const name = '@liaison/' + 'seal'\nawait import(name)",
    `const part = 'seal'\nawait import(\`@liaison/\${part}\`)`,
    "await import(['@liaison', 'seal'].join('/'))",
    "import vm from 'node:vm'\nvm.runInThisContext('1')",
    "eval('1')",
  ]
  for (const text of bad) t.ok(await evades(text), text)
  t.notOk(await evades("const { open } = await import('lmdb')\nopen({})"), 'a plain name is fine')
})

t.test('the relay does not list the packages that can decrypt', async (t) => {
  const text = await readFile(join(root, 'server/package.json'), 'utf8')
  const { dependencies = {}, optionalDependencies = {} } = JSON.parse(text)
  const names = Object.keys({ ...dependencies, ...optionalDependencies })
  t.ok(names.includes('@liaison/protocol'))
  for (const name of ['@liaison/seal', '@liaison/client-sdk', '@liaison/cli']) {
    t.notOk(names.includes(name), name)
  }
})
