import type { Names } from '@liaison/protocol'
import { type Directory, handlingCodes, RelayError, toHex } from '@liaison/protocol'
import type { Command } from 'commander'
import { type Context, type Options, type Process, runs } from './context.ts'
import { openSession } from './device-access.ts'
import { clean, columns, counted, moment } from './output.ts'

/** Adds `liaison members` and `liaison topics`. */
export function addDirectory(program: Command, from: Process): void {
  const members = program.command('members').description('who is in the network')
  const list = withLink(members.command('list').description('all members'))
  list.addHelpText('after', '\nExample:\n  $ liaison members list\n')
  runs(list, from, listMembers)
  const show = withLink(
    members.command('show').description('one member with its devices and rights'),
  )
  show
    .argument('<code>', 'code of the member, such as ML')
    .addHelpText('after', '\nExample:\n  $ liaison members show ML\n')
  runs(show, from, showMember)
  const topics = program.command('topics').description('the feeds of the network')
  const listed = withLink(
    topics.command('list').description('all topics and the rights of this device'),
  )
  listed.addHelpText('after', '\nExample:\n  $ liaison topics list\n')
  runs(listed, from, listTopics)
}

const withLink = (command: Command): Command =>
  command
    .option('--offline', 'as of the last connection')
    .option('--relay <url>', 'another relay than that of the network file')

/** The directory as fresh as it can be had. */
async function withDirectory(
  context: Context,
  options: Options,
  use: (directory: Directory, device: number) => void,
): Promise<void> {
  const offline = options.flag('offline')
  await using opened = await openSession(context, {
    relay: options.text('relay'),
    waitSeconds: offline ? 0 : 10,
    offline,
    follow: [],
  })
  if (!opened.online && !offline) {
    context.out.warn('liaison: the relay was not reached; this is as of the last connection.')
  }
  use(opened.session.directory, opened.session.me.num)
}

/** A name in the language that most readers here know. */
const nameOf = (names: Names): string => clean(names.en ?? names.fr ?? names.pt ?? names.ar ?? '')

async function listMembers(
  context: Context,
  _args: readonly string[],
  options: Options,
): Promise<void> {
  await withDirectory(context, options, (directory) => {
    const now = context.clock()
    const members = directory.members().map((member) => ({
      ...member,
      devices: directory
        .devices()
        .filter((d) => d.mem === member.num && directory.deviceActive(d.num, now)).length,
    }))
    context.out.data({ network: directory.name, members }, () =>
      columns(
        members.map((m) => [
          m.code,
          nameOf(m.name),
          m.kind,
          m.state,
          counted(m.devices, 'device'),
          m.flu ? 'gets all' : '',
        ]),
      ),
    )
  })
}

async function showMember(
  context: Context,
  [code = '']: readonly string[],
  options: Options,
): Promise<void> {
  await withDirectory(context, options, (directory) => {
    const member = directory.memberByCode(code)
    if (member === null) throw new RelayError('subject_unknown', { field: code })
    const now = context.clock()
    const devices = directory
      .devices()
      .filter((d) => d.mem === member.num)
      .map((d) => ({
        device: d.num,
        role: d.role,
        org: d.org,
        label: d.label ?? null,
        state: directory.deviceActive(d.num, now)
          ? 'active'
          : d.state === 'active'
            ? 'not active'
            : d.state,
        clearance: handlingCodes[d.clearance] ?? null,
        until: new Date(d.notAfter).toISOString(),
        identityKey: toHex(d.identityKey),
      }))
    const rights = directory.topics().flatMap((topic) => {
      const grant = directory.grant(topic.num, member.num)
      return grant === null ? [] : [{ topic: topic.name, status: topic.status, ...grant }]
    })
    context.out.data({ ...member, devices, rights }, () => [
      `${member.code}  ${nameOf(member.name)}  ${member.kind}  ${member.state}${member.flu ? '  receives everything' : ''}`,
      'Devices',
      ...columns(
        devices.map((d) => [
          `  ${d.device}`,
          d.role,
          d.state,
          `until ${moment(Date.parse(d.until))}`,
          clean(d.label ?? d.org),
        ]),
      ),
      'Rights',
      ...columns(
        rights.map((r) => [`  ${r.topic}`, r.status, rightsText(r), clearanceText(r.clearance)]),
      ),
    ])
  })
}

const rightsText = ({
  publish,
  read,
}: {
  readonly publish: boolean
  readonly read: boolean
}): string =>
  [publish ? 'publish' : '', read ? 'read' : ''].filter((w) => w !== '').join(', ') || 'none'

const clearanceText = (code: number): string => `up to TLP:${handlingCodes[code] ?? '?'}`

async function listTopics(
  context: Context,
  _args: readonly string[],
  options: Options,
): Promise<void> {
  await withDirectory(context, options, (directory, device) => {
    const topics = directory.topics().map((topic) => {
      const clearance = directory.clearance(device, topic.num)
      return {
        name: topic.name,
        title: topic.title,
        status: topic.status,
        schemas: topic.schemas.map((num) => directory.schema(num)?.name ?? String(num)),
        publish: directory.mayPublish(device, topic.num, 0) === 'ok',
        read: directory.mayRead(device, topic.num),
        clearance: handlingCodes[clearance] ?? null,
      }
    })
    context.out.data({ network: directory.name, topics }, () =>
      columns(
        topics.map((topic) => [
          topic.name,
          topic.status.toUpperCase(),
          rightsText(topic),
          topic.clearance === null ? '' : `up to TLP:${topic.clearance}`,
          topic.schemas.join(', '),
        ]),
      ),
    )
  })
}
