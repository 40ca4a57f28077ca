import { basename } from 'node:path'
import {
  draftGrant,
  draftMember,
  draftPolicy,
  draftQuorum,
  draftSchema,
  draftTopic,
  type StatementFile,
} from '@liaison/client-sdk/admin'
import {
  type Administrator,
  type Directory,
  fromBase64url,
  fromHex,
  type Names,
  type Operations,
  RelayError,
} from '@liaison/protocol'
import { schemaRegistry } from '@liaison/schemas'
import { type Command, Option } from 'commander'
import { type Desk, deskOptions, openDesk } from './admin-desk.ts'
import { settle, tellSettled } from './admin-settle.ts'
import { clearanceOf } from './admin-statements.ts'
import { type Context, type Options, type Process, runs } from './context.ts'
import { usage } from './failure.ts'
import { readTextFile } from './files.ts'

/** Adds `liaison admin member|topic|grant|schema|quorum|policy`. */
export function addChanges(admin: Command, from: Process): void {
  addMember(admin, from)
  addTopic(admin, from)
  addGrant(admin, from)
  addSchemaChange(admin, from)
  addRootChanges(admin, from)
}

const names = (command: Command, what: string): Command =>
  command
    .option('--fr <text>', `${what} in French`)
    .option('--en <text>', `${what} in English`)
    .option('--ar <text>', `${what} in Arabic`)
    .option('--pt <text>', `${what} in Portuguese`)

const drafted = (command: Command): Command =>
  deskOptions(command).option('--out <file>', 'where to write the statement when more have to sign')

function namesOf(options: Options, before: Names | null): Names {
  const given = (['fr', 'en', 'ar', 'pt'] as const).flatMap((lang) => {
    const name = options.text(lang)
    return name === undefined ? [] : [[lang, name] as const]
  })
  const all = { ...before, ...Object.fromEntries(given) }
  if (Object.keys(all).length === 0) throw usage('A name is needed: --fr, --en, --ar or --pt.')
  return all
}

/** Drafts, signs, and appends or writes. */
async function make(
  context: Context,
  options: Options,
  name: string,
  draft: (desk: Desk) => StatementFile,
): Promise<void> {
  await using desk = await openDesk(context, options, 'try')
  const out = options.text('out') ?? `${name}.statement.json`
  tellSettled(context, await settle(desk, draft(desk), { out }))
}

function addMember(admin: Command, from: Process): void {
  const member = names(
    drafted(
      admin
        .command('member')
        .description('add a member, or change its names and kind')
        .argument('<code>', 'code, such as BF'),
    ),
    'name',
  )
    .addOption(
      new Option('--kind <kind>', 'kind of member').choices(['state', 'organisation', 'observer']),
    )
    .addHelpText(
      'after',
      '\nExample:\n  $ liaison admin member BF --kind state --fr "Burkina Faso" --identity auc.key.json\n',
    )
  runs(member, from, (context, [code = ''], options) =>
    make(context, options, `member-${code}`, ({ directory }) => {
      const known = directory.memberByCode(code)
      const kind = options.text('kind') ?? known?.kind
      if (kind === undefined) throw usage('A new member needs --kind.', 'kind')
      const body = {
        code,
        kind: kind as Operations['member']['kind'],
        name: namesOf(options, known?.name ?? null),
        ...(known === null ? {} : { num: known.num }),
      }
      return draftMember(directory, body, context.clock())
    }),
  )
}

function addTopic(admin: Command, from: Process): void {
  const topic = names(
    drafted(
      admin
        .command('topic')
        .description('add a topic, or change its titles and schemas')
        .argument('<name>', 'name, such as border-security'),
    ),
    'title',
  )
    .addOption(
      new Option('--status <status>', 'what may be published in it').choices([
        'exercise',
        'actual',
      ]),
    )
    .option('--schemas <names>', 'report types, separated by commas')
    .addHelpText(
      'after',
      '\nExample:\n  $ liaison admin topic arms --status actual --schemas spotrep,intrep --en Weapons --identity auc.key.json\n',
    )
  runs(topic, from, (context, [name = ''], options) =>
    make(context, options, `topic-${name}`, ({ directory }) => {
      const known = directory.topicByName(name)
      const status = options.text('status') ?? known?.status
      if (status === undefined) throw usage('A new topic needs --status.', 'status')
      const schemas = options.commas('schemas')?.map((one) => schemaNumber(directory, one))
      const sch = schemas ?? known?.schemas
      if (sch === undefined) throw usage('A new topic needs --schemas.', 'schemas')
      const body = {
        name,
        title: namesOf(options, known?.title ?? null),
        status: status as 'exercise' | 'actual',
        sch: [...new Set(sch)].sort((a, b) => a - b),
        ...(known === null ? {} : { num: known.num }),
      }
      return draftTopic(directory, body, context.clock())
    }),
  )
}

function schemaNumber(directory: Directory, name: string): number {
  const hash = fromHex(registered(name).hash)
  const found = hash === null ? null : directory.schemaByHash(hash)
  if (found !== null) return found.num
  throw new RelayError('schema_refused', {
    field: name,
    detail: `Allow it first: liaison admin schema ${name}`,
  })
}

function registered(name: string): (typeof schemaRegistry)[number] {
  const entry = schemaRegistry.find((one) => one.name === name)
  if (entry !== undefined) return entry
  const all = schemaRegistry.map((one) => one.name).join(', ')
  throw new RelayError('not_found', { field: name, detail: `There are: ${all}` })
}

function addGrant(admin: Command, from: Process): void {
  const grant = drafted(
    admin
      .command('grant')
      .description('set the rights of a member in a topic; what is not named is taken away')
      .argument('<topic>', 'name of the topic')
      .argument('<member>', 'code of the member'),
  )
    .option('--publish', 'may publish')
    .option('--read', 'may read')
    .option('--clearance <label>', 'highest handling', 'RED')
    .addHelpText(
      'after',
      '\nExample:\n  $ liaison admin grant arms BF --publish --read --clearance AMBER --identity auc.key.json\n',
    )
  runs(grant, from, (context, [topic = '', member = ''], options) =>
    make(context, options, `grant-${topic}-${member}`, ({ directory }) => {
      const top = directory.topicByName(topic)
      if (top === null) throw new RelayError('topic_unknown', { field: topic })
      const mem = directory.memberByCode(member)
      if (mem === null) throw new RelayError('subject_unknown', { field: member })
      const body = {
        top: top.num,
        mem: mem.num,
        pub: options.flag('publish') ? 1 : 0,
        read: options.flag('read') ? 1 : 0,
        hc: clearanceOf(options.required('clearance')),
      } as const
      return draftGrant(directory, body, context.clock())
    }),
  )
}

function addSchemaChange(admin: Command, from: Process): void {
  const schema = drafted(
    admin
      .command('schema')
      .description('allow a report type of this release, or retire it')
      .argument('<name>', 'name of a schema, such as spotrep'),
  )
    .option('--retire', 'nobody may publish it any more')
    .addHelpText('after', '\nExample:\n  $ liaison admin schema spotrep --identity auc.key.json\n')
  runs(schema, from, (context, [name = ''], options) =>
    make(context, options, `schema-${name}`, ({ directory }) => {
      const entry = registered(name)
      const hash = fromHex(entry.hash) ?? new Uint8Array()
      const known = directory.schemaByHash(hash)
      const state = options.flag('retire') ? 'retired' : 'active'
      const body = {
        name: entry.name,
        ver: entry.version,
        hash,
        state,
        ...(known === null ? {} : { num: known.num }),
      } as const
      return draftSchema(directory, body, context.clock())
    }),
  )
}

function addRootChanges(admin: Command, from: Process): void {
  const quorum = drafted(
    admin
      .command('quorum')
      .description('set administrators and thresholds; old and new ones sign')
      .argument('<file>', 'JSON: {"administrators": [{num, org, name, key}], "m": 2, "r": 3}'),
  ).addHelpText('after', '\nExample:\n  $ liaison admin quorum next.json --identity auc.key.json\n')
  runs(quorum, from, async (context, [path = ''], options) => {
    const next = await readObject(path)
    await make(context, options, basename(path, '.json'), ({ directory }) =>
      draftQuorum(directory, quorumOf(next, path), context.clock()),
    )
  })
  const policy = drafted(
    admin
      .command('policy')
      .description('change rules of the network; what is not named stays')
      .argument('<file>', 'JSON with freshness, recallHold, flu, auditDeliveries, relays'),
  ).addHelpText(
    'after',
    '\nExample:\n  $ liaison admin policy policy.json --identity auc.key.json\n',
  )
  runs(policy, from, async (context, [path = ''], options) => {
    const body = await readObject(path)
    const allowed = ['freshness', 'recallHold', 'flu', 'auditDeliveries', 'relays']
    const unknown = Object.keys(body).find((key) => !allowed.includes(key))
    if (unknown !== undefined) throw new RelayError('config_invalid', { field: `/${unknown}` })
    const change = body['relays'] === undefined ? body : { ...body, relays: relaysOf(body, path) }
    await make(context, options, basename(path, '.json'), ({ directory }) =>
      draftPolicy(directory, change as Operations['policy'], context.clock()),
    )
  })
}

type Fields = { readonly [key: string]: unknown }

async function readObject(path: string): Promise<Fields> {
  try {
    const value: unknown = JSON.parse(await readTextFile(path))
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields
  } catch (error) {
    if (error instanceof RelayError) throw error
  }
  throw new RelayError('config_invalid', { field: path, detail: 'It is no JSON object.' })
}

/** All relays of the network, as in the plan of a genesis: those that are not named are let go. */
function relaysOf({ relays }: Fields, path: string): Operations['genesis']['relays'] {
  if (!Array.isArray(relays)) throw new RelayError('config_invalid', { field: `${path}/relays` })
  return relays.map((item: unknown, i) => {
    const { num, origin, key } = (item ?? {}) as Fields
    const bytes = typeof key === 'string' ? fromBase64url(key) : null
    if (typeof num !== 'number' || typeof origin !== 'string' || bytes?.length !== 32) {
      throw new RelayError('config_invalid', { field: `${path}/relays/${i}` })
    }
    return { num, origin, key: bytes }
  })
}

function quorumOf(
  file: Fields,
  path: string,
): { readonly admins: readonly Administrator[]; readonly m: number; readonly r: number } {
  const bad = (field: string): RelayError =>
    new RelayError('config_invalid', { field: `${path}${field}` })
  const { administrators, m, r } = file
  if (typeof m !== 'number' || typeof r !== 'number') throw bad('/m, /r')
  if (!Array.isArray(administrators)) throw bad('/administrators')
  const admins = administrators.map((item: unknown, i): Administrator => {
    const { num, org, name, key } = (item ?? {}) as Fields
    const bytes = typeof key === 'string' ? fromBase64url(key) : null
    const fits = typeof num === 'number' && typeof org === 'string' && typeof name === 'string'
    if (!fits || bytes?.length !== 32) throw bad(`/administrators/${i}`)
    return { num, org, name, key: bytes }
  })
  return { admins, m, r }
}
