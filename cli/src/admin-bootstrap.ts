import { join } from 'node:path'
import {
  type AdminSession,
  bootstrapStatements,
  formatStatementFile,
  type NetworkDescription,
  nextBootstrap,
  parseNetworkDescription,
  statementProgress,
} from '@liaison/client-sdk/admin'
import { adminsInForce, networkFingerprint, RelayError, sodiumReady } from '@liaison/protocol'
import type { Command } from 'commander'
import { type Desk, deskOptions, networkPathOf, openDesk, signWith } from './admin-desk.ts'
import { progressText } from './admin-settle.ts'
import { type Context, needed, type Options, type Process, paths, runs } from './context.ts'
import { Interrupted } from './failure.ts'
import { readTextFile, writeTextFile } from './files.ts'
import { formatWholeNetwork, keepNetwork, makeFolder, readNetwork } from './network-access.ts'
import { columns, counted, moment } from './output.ts'

/** Adds `liaison admin bootstrap|network|status`. */
export function addBootstrap(admin: Command, from: Process): void {
  const bootstrap = deskOptions(
    admin
      .command('bootstrap')
      .description('append the members, topics and rights of a description; what is there stays'),
  )
    .option('--description <file>', 'JSON, as `admin genesis --quick` writes it')
    .option('--draft <folder>', 'only write the statements that can be signed now')
    .option('--out <file>', 'network file for devices; that of --network is renewed when absent')
    .addHelpText(
      'after',
      '\nExamples:\n  $ liaison admin bootstrap --pilot pilot\n  $ liaison admin bootstrap --description members.json --draft statements --identity auc.key.json\n',
    )
  runs(bootstrap, from, bootstrapNetwork)
  const network = deskOptions(
    admin.command('network').description('write the network file with the present directory'),
  )
    .addOption(needed('--out <file>', 'where to write it; - is stdout'))
    .addHelpText(
      'after',
      '\nExample:\n  $ liaison admin network --out network.json --identity auc.key.json\n',
    )
  runs(network, from, writeNetwork)
  const status = deskOptions(
    admin.command('status').description('the network, its administrators and the relay in figures'),
  ).addHelpText('after', '\nExample:\n  $ liaison admin status --identity auc.key.json\n')
  runs(status, from, showStatus)
}

const sessionOf = (desk: Desk): AdminSession => {
  if (desk.session === null) throw new RelayError('offline')
  return desk.session
}

async function bootstrapNetwork(
  context: Context,
  _args: readonly string[],
  options: Options,
): Promise<void> {
  await sodiumReady()
  const pilot = options.text('pilot')
  const path =
    options.text('description') ??
    (pilot === undefined ? options.required('description') : join(pilot, 'description.json'))
  const description = parseNetworkDescription(await readTextFile(path))
  await using desk = await openDesk(context, options, 'must')
  const draft = options.text('draft')
  if (draft !== undefined) return writeDrafts(context, desk, description, draft)
  const session = sessionOf(desk)
  let count = 0
  for (;;) {
    if (context.signal.aborted) throw new Interrupted()
    const next = nextBootstrap(session.directory, description, context.clock())
    if (next === null) break
    const file = signWith(next, session.directory, desk.keys)
    const progress = statementProgress(file, session.directory)
    if (!progress.complete) {
      throw new RelayError('quorum_missing', {
        detail: `${progressText(progress)}. Add --identity, or write the statements with --draft.`,
      })
    }
    await session.append(file)
    count++
    if (count % 10 === 0) context.out.say(`${count} statements appended`)
  }
  const out = options.text('out') ?? networkPathOf(options) ?? paths.network(context)
  await writeTextFile(out, formatWholeNetwork(session.directory, desk.relays), { replace: true })
  context.out.data({ appended: count, size: session.directory.size, network: out }, () => [
    `${counted(count, 'statement')} appended; the directory has ${session.directory.size} entries`,
    `Network file ${out}`,
  ])
  const codes = session.directory.members().map((member) => member.code)
  context.out.say(
    `Members: ${codes.join(', ')}`,
    'Next, on every device that is to be enrolled, with a copy of the network file:',
    `  liaison --home DEVICE identity new --network ${out}`,
  )
}

async function writeDrafts(
  context: Context,
  desk: Desk,
  description: NetworkDescription,
  folder: string,
): Promise<void> {
  await makeFolder(folder)
  const drafts = bootstrapStatements(desk.directory, description, context.clock())
  const files: string[] = []
  for (const [i, draft] of drafts.entries()) {
    const path = join(folder, `${String(i + 1).padStart(3, '0')}.statement.json`)
    await writeTextFile(path, formatStatementFile(signWith(draft, desk.directory, desk.keys)))
    files.push(path)
  }
  context.out.data({ files }, () => files)
  context.out.say(
    files.length === 0
      ? 'Nothing is missing.'
      : 'Next: sign each, append them, and run this again: topics need the members, rights the topics.',
  )
}

async function writeNetwork(
  context: Context,
  _args: readonly string[],
  options: Options,
): Promise<void> {
  await using desk = await openDesk(context, options, 'must')
  const out = options.required('out')
  const { directory, relays } = desk
  await writeTextFile(out, formatWholeNetwork(directory, relays), { replace: true })
  if (out === '-') return
  if (networkPathOf(options) === undefined) await keepNetwork(context, await readNetwork(out))
  const fingerprint = networkFingerprint(directory.net)
  context.out.data({ file: out, name: directory.name, size: directory.size, fingerprint }, () => [
    `Network file ${out}, ${directory.size} entries`,
    `Fingerprint  ${fingerprint}`,
  ])
}

async function showStatus(
  context: Context,
  _args: readonly string[],
  options: Options,
): Promise<void> {
  await using desk = await openDesk(context, options, 'must')
  const { directory } = desk
  const relay = await sessionOf(desk).status()
  const now = context.clock()
  const set = directory.admins()
  const administrators = [...set.admins.values()].map((admin) => ({
    num: admin.num,
    org: admin.org,
    name: admin.name,
    state: set.standing.get(admin.num) ?? 'active',
  }))
  const active = directory.devices().filter((d) => directory.deviceActive(d.num, now))
  const network = {
    name: directory.name,
    example: directory.example,
    fingerprint: networkFingerprint(directory.net),
    size: directory.size,
    founded: new Date(directory.genesisT).toISOString(),
  }
  const figures = {
    members: directory.members().length,
    topics: directory.topics().length,
    devices: directory.devices().length,
    activeDevices: active.length,
    fluDevices: directory.fluDevices(now).length,
  }
  const thresholds = { m: set.m, r: set.r, inForce: adminsInForce(set).length }
  context.out.data({ network, figures, thresholds, administrators, relay }, () => [
    `Network     ${network.name}${network.example ? ' (example)' : ''}, ${network.size} entries, founded ${moment(directory.genesisT)}`,
    `Fingerprint ${network.fingerprint}`,
    `Members     ${figures.members}, topics ${figures.topics}`,
    `Devices     ${figures.activeDevices} active of ${figures.devices}; FLU ${figures.fluDevices}`,
    `Signatures  ${set.m} organisations for everyday changes, ${set.r} at the root`,
    ...columns(administrators.map((a) => [`  admin:${a.num}`, a.org, a.name, a.state])),
    `Relay       ${moment(relay.t)}, ${counted(relay.sessions, 'session')}, ${relay.accepted} accepted, ${relay.refused} refused, ${relay.leaves} audit leaves`,
  ])
}
