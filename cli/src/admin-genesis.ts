import { join } from 'node:path'
import { formatNetworkFile } from '@liaison/client-sdk'
import {
  draftGenesis,
  encryptKeyFile,
  finishGenesis,
  formatGenesisPlan,
  formatStatementFile,
  type GenesisPlan,
  type Identity,
  mergeStatementFiles,
  newIdentity,
  parseGenesisPlan,
  parseNetworkDescription,
  parseStatementFile,
  reviewStatement,
} from '@liaison/client-sdk/admin'
import { writeKeyFile } from '@liaison/client-sdk/node'
import { Directory, networkFingerprint, RelayError, sodiumReady } from '@liaison/protocol'
import type { Command } from 'commander'
import { signWith } from './admin-desk.ts'
import { reviewLines } from './admin-settle.ts'
import { type Context, type Options, type Process, runs } from './context.ts'
import { builtInDescription } from './description.ts'
import { usage } from './failure.ts'
import { readTextFile, writeTextFile } from './files.ts'
import { makeFolder } from './network-access.ts'
import { askNewPassphrase } from './prompts.ts'
import { newRelayKeys, type RelayKeySet } from './relay-keys.ts'

const defaultRelayUrl = 'ws://127.0.0.1:8443/relay'
const dayMs = 86_400_000

/** Adds `liaison admin genesis`. */
export function addGenesis(admin: Command, from: Process): void {
  const genesis = admin
    .command('genesis')
    .description('found a network: by a ceremony (--plan, sign, --finish), or --quick for a pilot')
    .option('--plan <file>', 'write the statement that every founding administrator signs')
    .option('--finish <file...>', 'signed copies; write the network file')
    .option('--quick', 'a pilot on one machine: make all keys here')
    .option('--name <name>', 'name of the network, such as sahel-pilot (--quick)')
    .option(
      '--org <codes>',
      'organisations of the administrators, by commas (--quick)',
      'FLU,ML,NE',
    )
    .option('--description <file>', 'members, topics and rights to begin with (--quick)')
    .option(
      '--example',
      'an example network: every screen says so, nothing real may use it (--quick)',
    )
    .option('--unprotected', 'key files without passphrases; only with --example (--quick)')
    .option('--relay-url <url>', 'address of the relay (--finish, --quick)')
    .option('--out <path>', 'folder (--plan, --quick) or network file (--finish)')
    .addHelpText(
      'after',
      [
        '',
        'Examples:',
        '  $ liaison admin genesis --plan plan.json --out ceremony',
        '  $ liaison admin sign ceremony/genesis.statement.json --identity flu.key.json',
        '  $ liaison admin genesis --finish flu.json auc.json --relay-url wss://relay.example/relay --out network.json',
        '  $ liaison admin genesis --quick --name sahel-pilot --out pilot',
        '',
      ].join('\n'),
    )
  runs(genesis, from, found)
}

async function found(context: Context, _args: readonly string[], options: Options): Promise<void> {
  await sodiumReady()
  const plan = options.text('plan')
  const finish = options.list('finish')
  const chosen = [plan !== undefined, finish.length > 0, options.flag('quick')]
  if (chosen.filter((one) => one).length !== 1) {
    throw usage('Choose one of --plan FILE, --finish FILE... and --quick.')
  }
  if (plan !== undefined) return draftFromPlan(context, plan, options)
  return finish.length > 0 ? finishFrom(context, finish, options) : quick(context, options)
}

async function draftFromPlan(context: Context, path: string, options: Options): Promise<void> {
  const plan = planOf(await readTextFile(path), path)
  const out = options.required('out')
  await makeFolder(out)
  const file = draftGenesis(plan, context.clock())
  const target = join(out, 'genesis.statement.json')
  await writeTextFile(target, formatStatementFile(file))
  context.out.warn(...reviewLines(reviewStatement(file, null)))
  context.out.data({ file: target, fingerprint: file.net }, () => [target])
  context.out.say(
    'Next: every founding administrator signs this file on their own machine, after all',
    'of them have read the same 40 digits to each other:',
    `  liaison admin sign ${target} --identity KEYFILE`,
    'Then: liaison admin genesis --finish SIGNED-FILE... --relay-url URL --out network.json',
  )
}

function planOf(text: string, path: string): GenesisPlan {
  const plan = parseGenesisPlan(text)
  if (plan.ok) return plan.value
  const [first] = plan.error
  const all = plan.error.map(({ field, code }) => `${field}: ${code}`).join('; ')
  throw new RelayError(first?.code ?? 'config_invalid', {
    field: `${path}${first?.field ?? ''}`,
    detail: all,
  })
}

async function finishFrom(
  context: Context,
  paths: readonly string[],
  options: Options,
): Promise<void> {
  const url = options.required('relayUrl')
  const out = options.required('out')
  const files = []
  for (const path of paths) files.push(parseStatementFile(await readTextFile(path)))
  const entry = finishGenesis(mergeStatementFiles(files, null))
  const directory = foundedBy(entry)
  await writeTextFile(out, formatNetworkFile(directory, [url]))
  tellFounded(context, directory, { network: out })
}

function foundedBy(entry: Uint8Array): Directory {
  const founded = Directory.fromGenesis(entry)
  if (!founded.ok) throw new RelayError(founded.error)
  return founded.value
}

function tellFounded(
  context: Context,
  directory: Directory,
  files: { readonly [name: string]: unknown },
): void {
  const fingerprint = networkFingerprint(directory.net)
  context.out.data({ name: directory.name, example: directory.example, fingerprint, files }, () => [
    `Network        ${directory.name}${directory.example ? ' (example)' : ''}`,
    `Fingerprint    ${fingerprint}`,
    ...Object.entries(files).flatMap(([name, file]) =>
      [file].flat().map((path, i) => `${(i === 0 ? name : '').padEnd(15)}${path}`),
    ),
  ])
}

async function quick(context: Context, options: Options): Promise<void> {
  const out = options.required('out')
  const name = options.required('name')
  const example = options.flag('example')
  if (options.flag('unprotected') && !example) {
    throw usage('--unprotected is for example networks: add --example.', 'unprotected')
  }
  const path = options.text('description')
  const description =
    path === undefined
      ? `${JSON.stringify(builtInDescription, null, 2)}\n`
      : await readTextFile(path)
  const { members } = parseNetworkDescription(description)
  const orgs = options.commas('org') ?? []
  if (orgs.length < 3)
    throw usage('Name three organisations or more, so that one may fall out.', 'org')
  const url = options.text('relayUrl') ?? defaultRelayUrl
  if (!URL.canParse(url))
    throw usage('--relay-url is an address such as wss://relay.example/relay.')
  const flu = members.some((member) => member.code === 'FLU') ? 'FLU' : members[0]?.code
  if (flu === undefined) throw usage('The description has no members.', 'description')
  const passphrase = options.flag('unprotected')
    ? null
    : await askNewPassphrase(context, 'the administrators of the pilot')
  await makeFolder(out)
  const keys = orgs.map(() => newIdentity('administrator'))
  const relay = newRelayKeys()
  const plan = quickPlan({ name, orgs, keys, relay, url, flu, example })
  // Judged before anything is written, so that a mistake leaves no files behind.
  const statement = draftGenesis(planOf(formatGenesisPlan(plan), 'plan'), context.clock())
  const files = await writeKeys(out, orgs, keys, passphrase)
  const directory = foundedBy(finishGenesis(signWith(statement, null, keys)))
  const at = (file: string): string => join(out, file)
  await writeTextFile(at('relay-keys.json'), relay.text, { secret: true })
  await writeTextFile(at('relay.json'), relayConfig(url))
  await writeTextFile(at('description.json'), description)
  await writeTextFile(at('network.json'), formatNetworkFile(directory, [url]))
  tellFounded(context, directory, {
    administrators: files,
    relay: [at('relay.json'), at('relay-keys.json')],
    network: at('network.json'),
    description: at('description.json'),
  })
  tellNext(context, out)
}

/** Options of `liaison relay serve`; paths are those of files beside it. */
function relayConfig(url: string): string {
  const { protocol, hostname, port } = new URL(url)
  // What speaks TLS, the relay or a proxy in front of it, is not known here.
  const listen = protocol === 'ws:' ? { host: hostname, port: port === '' ? 80 : Number(port) } : {}
  const config = {
    data: 'relay-data',
    network: 'network.json',
    keys: 'relay-keys.json',
    ...listen,
  }
  return `${JSON.stringify(config, null, 2)}\n`
}

interface QuickPlan {
  readonly name: string
  readonly orgs: readonly string[]
  readonly keys: readonly Identity[]
  readonly relay: RelayKeySet
  readonly url: string
  readonly flu: string
  readonly example: boolean
}

const quickPlan = ({ name, orgs, keys, relay, url, flu, example }: QuickPlan): GenesisPlan => ({
  name,
  administrators: orgs.map((org, i) => ({
    num: i + 1,
    org,
    name: `${org}, administrator`,
    key: keys[i]?.signingKey.publicKey ?? new Uint8Array(),
  })),
  m: 2,
  // One organisation must be able to fall out without stopping the network.
  r: Math.min(3, new Set(orgs).size - 1),
  relays: [{ num: 1, origin: new URL(url).host, key: relay.publicKeys.relay }],
  logs: { dir: relay.publicKeys.dirLog, audit: relay.publicKeys.auditLog },
  flu: [flu],
  freshness: { maxAge: dayMs, need: { flu: 0, admin: 0, witness: 0 } },
  recallHold: 3 * dayMs,
  cosigners: [],
  example,
})

async function writeKeys(
  out: string,
  orgs: readonly string[],
  keys: readonly Identity[],
  passphrase: string | null,
): Promise<string[]> {
  const files: string[] = []
  for (const [i, key] of keys.entries()) {
    const org = (orgs[i] ?? '').toLowerCase().replace(/[^a-z0-9]+/g, '-')
    const file = join(out, `admin-${i + 1}-${org}.json`)
    await writeKeyFile(file, await encryptKeyFile(key, passphrase))
    files.push(file)
  }
  return files
}

function tellNext({ out }: Context, folder: string): void {
  out.say(
    'A pilot only: the keys of all administrators were made on this one machine. In a',
    'real network each administrator makes theirs at home (liaison identity new',
    '--administrator), and all sign the genesis (liaison admin genesis --plan).',
    'Next, in another terminal, so that it keeps running:',
    `  liaison relay serve --config ${join(folder, 'relay.json')}`,
    'Then, here, to add the members, topics and rights:',
    `  liaison admin bootstrap --pilot ${folder}`,
  )
}
