import t from 'tap'
import { codeOf, packageSources, type Source, sourcesOf } from './sources.ts'

/** Something that only certain files may use. */
interface OwnerRule {
  readonly what: string
  readonly pattern: RegExp
  readonly owner: RegExp
  /** A file that breaks the rule. */
  readonly bad: Source
}

const nobody = /^$/
const imports = (module: string): RegExp =>
  new RegExp(`(?:from|import|import\\()\\s*["']${module}["']`)

const rules: readonly OwnerRule[] = [
  {
    what: 'libsodium-wrappers: protocol/src/crypto/sodium.ts, which waits until it is ready',
    pattern: imports('libsodium-wrappers'),
    owner: /^protocol\/src\/crypto\/sodium\.ts$/,
    bad: {
      file: 'protocol/src/kdf.ts',
      text: "import sodium from 'libsodium-wrappers'\nsodium.x()",
    },
  },
  {
    what: 'libsodium-wrappers-sumo: client-sdk, for Argon2id',
    pattern: imports('libsodium-wrappers-sumo'),
    owner: /^client-sdk\/src\//,
    bad: {
      file: 'cli/src/keys.ts',
      text: "const s = await import('libsodium-wrappers-sumo')\ns.x()",
    },
  },
  {
    what: 'fastify: the ingress and app.ts of the relay',
    pattern: imports('(?:fastify|fastify-plugin|@fastify/[^"\']+)'),
    owner: /^server\/src\/(ingress\/.*|app|[^/]*-plugin)\.ts$/,
    bad: { file: 'server/src/relay.ts', text: "import { fastify } from 'fastify'\nfastify()" },
  },
  {
    what: 'lmdb: the log of the relay and its copies, the stores of the SDK',
    pattern: imports('lmdb'),
    owner:
      /^(server\/src\/(log|backup)\/lmdb-[^/]*|client-sdk\/src\/(.*\/)?(node|lmdb|file)[^/]*(\/.*)?)\.ts$/,
    bad: { file: 'server/src/app.ts', text: "import { open } from 'lmdb'\nopen({})" },
  },
  {
    what: 'ioredis: the log of the relay in Redis',
    pattern: imports('ioredis'),
    owner: /^server\/src\/(log\/redis\/|backup\/redis-)[^/]*\.ts$/,
    bad: { file: 'server/src/relay.ts', text: "import { Redis } from 'ioredis'\nnew Redis()" },
  },
  {
    what: 'sodium-native: the signatures of the relay',
    pattern: imports('sodium-native'),
    owner: /^server\/src\/signatures\/native-sodium\.ts$/,
    bad: { file: 'server/src/relay.ts', text: "import s from 'sodium-native'\ns.x()" },
  },
  {
    what: 'the wall clock: protocol/src/time.ts',
    pattern: /\bDate\.now\b|new Date\(\s*\)|\bDate\(\s*\)/,
    owner: /^protocol\/src\/time\.ts$/,
    bad: { file: 'server/src/relay.ts', text: 'export const t: number = Date.now()' },
  },
  {
    what: 'Math.random: nobody',
    pattern: /\bMath\.random\b/,
    owner: nobody,
    bad: { file: 'client-sdk/src/backoff.ts', text: 'export const jitter = () => Math.random()' },
  },
  {
    what: 'process.env: the configuration of the relay, and the command line',
    pattern: /\bprocess\.env\b|\bimport\s*\{[^}]*\benv\b[^}]*\}\s*from\s*["']node:process["']/,
    owner: /^(server\/src\/config[^/]*\.ts|cli\/src\/.*)$/,
    bad: { file: 'server/src/relay.ts', text: "export const p = process.env['PORT']" },
  },
  {
    what: 'console: the command line and the main file of the relay',
    pattern: /\bconsole\s*\./,
    owner: /^(cli\/src\/.*|server\/src\/main\.ts)$/,
    bad: { file: 'protocol/src/cbor.ts', text: "console.log('here')" },
  },
]

const breaks = async (rule: OwnerRule, source: Source): Promise<boolean> =>
  !rule.owner.test(source.file) && rule.pattern.test(await codeOf(source))

t.test('what belongs to one file is used by no other', async (t) => {
  const sources = await packageSources()
  t.ok(sources.length > 20, 'the sources were found')
  for (const rule of rules) {
    const guilty: string[] = []
    for (const source of sources) if (await breaks(rule, source)) guilty.push(source.file)
    t.same(guilty, [], rule.what)
  }
})

t.test('each of these rules refuses a file that breaks it', async (t) => {
  for (const rule of rules) t.ok(await breaks(rule, rule.bad), rule.what)
})

t.test('a comment or a type that names the thing is not a use of it', async (t) => {
  const text = '// not Date.now()\nexport type T = typeof Math.random\nexport const x = 1\n'
  for (const rule of rules) t.notOk(await breaks(rule, { file: 'protocol/src/x.ts', text }))
})

t.test('one file only loads the large libsodium', async (t) => {
  const pattern = imports('libsodium-wrappers-sumo')
  const users: string[] = []
  for (const source of await sourcesOf('client-sdk/src')) {
    if (pattern.test(await codeOf(source))) users.push(source.file)
  }
  t.ok(users.length <= 1, `used in: ${users.join(', ')}`)
})

t.test('tests, scripts and measurements draw no random numbers that no seed repeats', async (t) => {
  const rule = rules.find(({ what }) => what.startsWith('Math.random'))
  const lists = ['test', 'bench', 'scripts', 'examples'].map((folder) => sourcesOf(folder))
  const files = (await Promise.all(lists)).flat()
  const guilty: string[] = []
  for (const { file, text } of files) {
    // This file has to name it.
    if (file === 'test/architecture/owners.test.ts') continue
    if (rule?.pattern.test(await codeOf({ file, text }))) guilty.push(file)
  }
  t.same(guilty, [])
})
