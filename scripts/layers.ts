/**
 * Who may import whom, as one table, and the `overrides` of biome.json that follow from it.
 *
 * `npm run generate` writes them.
 *
 * In Biome the last override that matches a file replaces the options of earlier ones for the same
 * rule, so a narrow row must repeat what the wide row bans. That is why they are computed here.
 * test/architecture/layers.test.ts shows that biome.json is up to date and that every ban fires.
 */

/** One thing that a folder may not import. */
export interface Ban {
  /** Key under which rows of the table refer to it. */
  readonly name: string
  /** Patterns of import specifiers, as in a .gitignore. */
  readonly group: readonly string[]
  readonly message: string
}

/** A folder (or some of its files) and everything that it may not import. */
export interface Layer {
  readonly includes: readonly string[]
  readonly bans: readonly Ban[]
}

const ban = (name: string, message: string, group: readonly string[]): Ban => ({
  name,
  message,
  group,
})

const workspace = (name: string, message: string): Ban =>
  ban(name, message, [`@liaison/${name}`, `@liaison/${name}/**`, `**/${name}/src/**`])

const protocol = workspace('protocol', 'This package is not in its row of scripts/layers.ts.')
const sdk = workspace('client-sdk', 'Only the command line, tests and examples use the SDK.')
const server = workspace('server', 'Only `liaison relay` and tests start a relay.')
const cli = workspace('cli', 'Nothing imports the command line.')
const seal = ban(
  'seal',
  'Only a client may seal and open: the relay must not be able to decrypt.',
  ['@liaison/seal', '@liaison/seal/**', '**/seal/src/**'],
)

const fastify = ban('fastify', 'Only server/src/ingress and app.ts know Fastify and sockets.', [
  'fastify',
  'fastify-plugin',
  '@fastify/**',
  'ws',
])
const engines = ban('engines', 'Only server/src/log touches a store.', ['lmdb', 'ioredis'])
const stage = (name: string, message: string): Ban => ban(name, message, [`**/${name}/**`])
const ingress = stage('ingress', 'Stages know nothing of sockets: ingress calls relay.ts.')
const admission = stage('admission', 'Only relay.ts calls admission.')
const delivery = stage('delivery', 'Only relay.ts calls delivery.')
const audit = stage('audit', 'Only relay.ts calls audit.')
const log = stage('log', 'This stage may not reach the log; relay.ts does.')
const directory = stage('directory', 'This stage may not reach the directory; relay.ts does.')
const logBodies = ban(
  'log-bodies',
  'Depend on the contract in log/relay-log.ts, not on an engine.',
  ['**/log/lmdb-*', '**/log/redis-*'],
)
const io = ban('io', 'Admission is pure: bytes and a directory view in, a decision out.', [
  'node:fs',
  'node:fs/**',
  'node:net',
  'node:http',
  'node:https',
  'node:timers',
  'node:timers/**',
])

const relay = [seal, sdk, cli]
const stages = [...relay, fastify, engines]

/** The table. Order matters: of several rows that match a file the last one holds. */
export const layers: readonly Layer[] = [
  { includes: ['schemas/src/**'], bans: [protocol, seal, sdk, server, cli] },
  { includes: ['protocol/src/**'], bans: [seal, sdk, server, cli] },
  { includes: ['protocol/seal/src/**'], bans: [sdk, server, cli] },
  { includes: ['client-sdk/src/**'], bans: [server, cli] },
  { includes: ['server/src/**'], bans: relay },
  { includes: ['server/src/*.ts', '!server/src/app.ts', '!server/src/main.ts'], bans: stages },
  { includes: ['server/src/relay.ts'], bans: [...stages, ingress, logBodies] },
  {
    includes: ['server/src/ingress/**'],
    bans: [...relay, engines, admission, log, audit],
  },
  {
    includes: ['server/src/admission/**'],
    bans: [...stages, ingress, log, delivery, audit, io],
  },
  { includes: ['server/src/log/**'], bans: [...relay, fastify, ingress, admission, delivery] },
  {
    includes: ['server/src/delivery/**'],
    bans: [...stages, ingress, admission, audit, logBodies],
  },
  {
    includes: ['server/src/directory/**'],
    bans: [...stages, ingress, admission, delivery, audit, logBodies],
  },
  {
    includes: ['server/src/audit/**'],
    bans: [...stages, ingress, admission, delivery, directory, logBodies],
  },
  { includes: ['cli/src/**'], bans: [seal, server] },
  { includes: ['cli/src/relay.ts', 'cli/src/relay/**', 'cli/src/**/relay*.ts'], bans: [seal] },
  { includes: ['workstation/src/**'], bans: [protocol, seal, server, cli] },
]

/** Files that may use Node's own modules in packages that otherwise run in a browser. */
const nodeFiles = [
  '!protocol/src/crypto/sha256-node.ts',
  '!client-sdk/src/node.ts',
  '!client-sdk/src/node/**',
  '!client-sdk/src/**/node-*.ts',
  '!client-sdk/src/**/file-*.ts',
  '!client-sdk/src/**/lmdb-*.ts',
]

type Override = { readonly includes: readonly string[]; readonly linter: object }

const rules = (includes: readonly string[], settings: object): Override => ({
  includes,
  linter: { rules: settings },
})

const layerOverride = ({ includes, bans }: Layer): Override =>
  rules(includes, {
    style: {
      noRestrictedImports: {
        level: 'error',
        options: { patterns: bans.map(({ group, message }) => ({ group, message })) },
      },
    },
  })

/** Everything that stands under `overrides` in biome.json. */
export function biomeOverrides(): readonly Override[] {
  const tools = [
    'test/**',
    'bench/**',
    'scripts/**',
    'examples/**',
    'keys-example/**',
    'schemas/tools/**',
  ]
  return [
    rules(tools, {
      complexity: { noExcessiveLinesPerFunction: 'off' },
      correctness: { noUndeclaredDependencies: 'off' },
      suspicious: { noConsole: 'off' },
    }),
    rules(['cli/**', 'server/src/main.ts'], { suspicious: { noConsole: 'off' } }),
    rules(['protocol/src/**', 'protocol/seal/src/**', 'client-sdk/src/**', ...nodeFiles], {
      correctness: { noNodejsModules: 'error' },
    }),
    ...layers.map(layerOverride),
  ]
}

/** The text of biome.json with its overrides taken from the table; the formatter has the last word. */
export function withLayers(biomeJson: string): string {
  const config: Record<string, unknown> = JSON.parse(biomeJson)
  return `${JSON.stringify({ ...config, overrides: biomeOverrides() }, null, 2)}\n`
}
