import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { biomeOverrides } from '../../scripts/layers.ts'
import { tempFolder } from '../support/temp-folder.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const biome = fileURLToPath(import.meta.resolve('@biomejs/biome/bin/biome'))

/** Where a file stands, what it imports, and whether the table lets it. */
const refused: readonly (readonly [string, string])[] = [
  ['schemas/src/bad-up.ts', '@liaison/protocol'],
  ['schemas/src/bad-seal.ts', '@liaison/seal'],
  ['protocol/src/bad-seal.ts', '@liaison/seal'],
  ['protocol/src/envelope/bad-relative-seal.ts', '../../seal/src/index.ts'],
  ['protocol/src/bad-server.ts', '@liaison/server'],
  ['protocol/src/bad-sdk.ts', '@liaison/client-sdk/node'],
  ['protocol/src/bad-cli.ts', '../../cli/src/main.ts'],
  ['protocol/seal/src/bad-server.ts', '@liaison/server'],
  ['protocol/seal/src/bad-sdk.ts', '../../../client-sdk/src/index.ts'],
  ['client-sdk/src/bad-server.ts', '@liaison/server'],
  ['client-sdk/src/bad-cli.ts', '../../cli/src/main.ts'],
  ['server/src/bad-seal.ts', '@liaison/seal'],
  ['server/src/app.ts', '../../protocol/seal/src/index.ts'],
  ['server/src/main.ts', '@liaison/client-sdk'],
  ['server/src/bad-cli.ts', '../../cli/src/main.ts'],
  ['server/src/relay.ts', 'fastify'],
  ['server/src/bad-ingress.ts', 'ws'],
  ['server/src/bad-engine.ts', 'lmdb'],
  ['server/src/relay/relay.ts', '@liaison/seal'],
  ['server/src/admission/bad-seal.ts', '@liaison/seal'],
  ['server/src/admission/bad-log.ts', '../log/relay-log.ts'],
  ['server/src/admission/bad-file.ts', 'node:fs/promises'],
  ['server/src/admission/bad-engine.ts', 'lmdb'],
  ['server/src/log/bad-seal.ts', '@liaison/seal'],
  ['server/src/log/bad-admission.ts', '../admission/judge.ts'],
  ['server/src/log/bad-socket.ts', '@fastify/websocket'],
  ['server/src/delivery/bad-seal.ts', '@liaison/seal'],
  ['server/src/delivery/bad-body.ts', '../log/lmdb-log.ts'],
  ['server/src/delivery/bad-admission.ts', '../admission/judge.ts'],
  ['server/src/directory/bad-seal.ts', '@liaison/seal'],
  ['server/src/directory/bad-body.ts', '../log/redis-log.ts'],
  ['server/src/directory/bad-delivery.ts', '../delivery/topic-subscription.ts'],
  ['server/src/audit/bad-seal.ts', '@liaison/seal'],
  ['server/src/audit/bad-directory.ts', '../directory/directory-host.ts'],
  ['server/src/ingress/bad-seal.ts', '@liaison/seal'],
  ['server/src/ingress/bad-log.ts', '../log/relay-log.ts'],
  ['server/src/ingress/bad-admission.ts', '../admission/judge.ts'],
  ['cli/src/bad-server.ts', '@liaison/server'],
  ['cli/src/bad-seal.ts', '@liaison/seal'],
  ['cli/src/relay.ts', '@liaison/seal'],
  ['workstation/src/bad-protocol.ts', '@liaison/protocol'],
  ['workstation/src/bad-server.ts', '@liaison/server'],
]

const permitted: readonly (readonly [string, string])[] = [
  ['protocol/src/good.ts', '@liaison/schemas/wire'],
  ['protocol/seal/src/good.ts', '@liaison/protocol/internal'],
  ['client-sdk/src/good.ts', '@liaison/seal'],
  ['server/src/good.ts', '@liaison/protocol'],
  ['server/src/app.ts', './log/lmdb-log.ts'],
  ['server/src/ingress/good.ts', 'fastify'],
  ['server/src/log/good.ts', 'lmdb'],
  ['server/src/delivery/good.ts', '../log/relay-log.ts'],
  ['server/src/admission/good.ts', '@liaison/protocol'],
  ['cli/src/good.ts', '@liaison/client-sdk/node'],
  ['cli/src/relay/good.ts', '@liaison/server'],
]

interface Diagnostic {
  readonly category: string
  readonly location: { readonly path: string | { readonly file: string } }
}

/** Lints files that hold one statement each; gives the rules that fired, by file. */
async function lint(files: ReadonlyMap<string, string>): Promise<Map<string, Set<string>>> {
  await using folder = await tempFolder()
  const config: Record<string, unknown> = JSON.parse(await readFile(`${root}/biome.json`, 'utf8'))
  delete config['$schema']
  await folder.write('biome.json', JSON.stringify({ ...config, vcs: { enabled: false } }))
  for (const [name, text] of files) await folder.write(name, text)
  const args = [biome, 'lint', '--reporter=json', '--max-diagnostics=none', '.']
  const output = await promisify(execFile)(process.execPath, args, { cwd: folder.path }).then(
    ({ stdout }) => stdout,
    (error: { readonly stdout: string }) => error.stdout,
  )
  const report: { readonly diagnostics: readonly Diagnostic[] } = JSON.parse(output)
  const fired = new Map<string, Set<string>>()
  for (const { category, location } of report.diagnostics) {
    const path = typeof location.path === 'string' ? location.path : location.path.file
    const name = path.replace(/^\.\//, '')
    fired.set(name, (fired.get(name) ?? new Set()).add(category))
  }
  return fired
}

const rule = 'lint/style/noRestrictedImports'
const importing = (specifier: string): string => `import { x } from '${specifier}'\nx()\n`

t.test('the overrides of biome.json are those of the table', async (t) => {
  const config = JSON.parse(await readFile(`${root}/biome.json`, 'utf8'))
  t.strictSame(config.overrides, biomeOverrides(), 'npm run generate writes them')
})

t.test('every ban of the table fires', async (t) => {
  const fired = await lint(new Map(refused.map(([file, from]) => [file, importing(from)])))
  for (const [file, from] of refused) t.ok(fired.get(file)?.has(rule), `${file} <- ${from}`)
})

t.test('what the table allows is not reported', async (t) => {
  const fired = await lint(new Map(permitted.map(([file, from]) => [file, importing(from)])))
  for (const [file, from] of permitted) t.notOk(fired.get(file)?.has(rule), `${file} <- ${from}`)
})

t.test('a ban also meets re-exports, dynamic imports and type imports', async (t) => {
  const forms = new Map([
    ['server/src/re-export.ts', "export { open } from '@liaison/seal'\n"],
    ['server/src/star.ts', "export * from '@liaison/seal'\n"],
    ['server/src/dynamic.ts', "export const load = () => import('@liaison/seal')\n"],
    ['server/src/side-effect.ts', "import '@liaison/seal'\n"],
    ['server/src/type-only.ts', "import type { X } from '@liaison/seal'\nexport type Y = X\n"],
  ])
  const fired = await lint(forms)
  for (const file of forms.keys()) t.ok(fired.get(file)?.has(rule), file)
})

t.test('code that must run in a browser may not use modules of Node', async (t) => {
  const files = [
    'protocol/src/bad.ts',
    'protocol/seal/src/bad.ts',
    'client-sdk/src/bad.ts',
    'client-sdk/src/node.ts',
    'client-sdk/src/store/lmdb-store.ts',
  ]
  const fired = await lint(new Map(files.map((file) => [file, importing('node:fs')])))
  const refusals = files.map(
    (file) => fired.get(file)?.has('lint/correctness/noNodejsModules') ?? false,
  )
  t.same(refusals, [true, true, true, false, false])
})
