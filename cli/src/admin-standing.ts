import {
  type DraftStanding,
  draftResume,
  draftRevoke,
  draftSuspend,
  planRevocation,
  type RevocationPlan,
  type RevocationTarget,
} from '@liaison/client-sdk/admin'
import { adminsInForce, type Directory, RelayError } from '@liaison/protocol'
import type { Command } from 'commander'
import { deskOptions, deskWords, openDesk } from './admin-desk.ts'
import { settle, tellSettled } from './admin-settle.ts'
import { type Context, needed, type Options, type Process, runs } from './context.ts'
import { usage } from './failure.ts'
import { clean, counted } from './output.ts'
import { confirmByName } from './prompts.ts'

/** Adds `liaison admin suspend|revoke|resume`. */
export function addStanding(admin: Command, from: Process): void {
  const verbs = [
    ['suspend', 'stop a device, a member or an administrator at once', draftSuspend],
    ['revoke', 'end the enrolment of a device or a member for good', draftRevoke],
    ['resume', 'end a suspension', draftResume],
  ] as const
  for (const [verb, description, draft] of verbs) {
    const command = deskOptions(
      admin
        .command(verb)
        .description(description)
        .argument('<target>', 'number of a device, code of a member, or admin:NUMBER'),
    )
      .addOption(needed('--why <text>', 'reason; everybody in the network can read it'))
      .option('--confirm <name>', 'the name to be confirmed, for scripts')
      .option('--out <file>', 'where to write the statement when more have to sign')
      .addHelpText(
        'after',
        `\nExample:\n  $ liaison admin ${verb} 31 --why "${verb === 'resume' ? 'Laptop found' : 'Laptop stolen'}" --identity auc.key.json\n`,
      )
    if (verb !== 'resume') command.option('--dry-run', 'only say what it would do')
    runs(command, from, (context, args, options) => change(context, verb, draft, args, options))
  }
}

interface Target {
  readonly what: RevocationTarget
  /** What a person types to confirm it. */
  readonly name: string
}

async function change(
  context: Context,
  verb: 'suspend' | 'revoke' | 'resume',
  draft: DraftStanding,
  [text = '']: readonly string[],
  options: Options,
): Promise<void> {
  await using desk = await openDesk(context, options, 'try')
  const { directory } = desk
  const target = targetOf(directory, text)
  const now = context.clock()
  if (verb !== 'resume') {
    const plan = planRevocation(directory, target.what, now)
    const dry = options.flag('dryRun')
    if (dry) {
      context.out.data({ dryRun: true, ...plan, confirm: target.name }, () => planLines(plan, verb))
      return context.out.say(
        'Nothing was done. To do it, the same without --dry-run; it asks for the name',
        `${target.name}, which scripts give: --confirm=${target.name}`,
      )
    }
    context.out.warn(...planLines(plan, verb))
  }
  await confirmByName(context, `To ${verb} ${target.name}`, target.name, options.text('confirm'))
  const statement = draft(directory, { ...target.what, why: options.required('why') }, now)
  const out = options.text('out') ?? `${verb}-${target.name}.statement.json`
  const settled = await settle(desk, statement, { out })
  tellSettled(context, settled, { target: target.name, op: verb })
  if (settled.index !== null && verb !== 'resume') {
    context.out.say(
      'Nothing is taken from it or sent to it any more.',
      ...(verb === 'suspend'
        ? [`To end it: liaison admin resume ${text} --why TEXT ${deskWords(options)}`]
        : []),
    )
  }
}

function targetOf(directory: Directory, text: string): Target {
  if (/^\d+$/.test(text)) {
    const device = directory.device(Number(text))
    if (device === null) throw new RelayError('subject_unknown', { field: `device ${text}` })
    const code = directory.member(device.mem)?.code ?? 'device'
    return { what: { dev: device.num }, name: `${code}-${device.num}` }
  }
  const admin = /^admin:(\d+)$/.exec(text)?.[1]
  if (admin !== undefined) {
    const found = directory.admins().admins.get(Number(admin))
    if (found === undefined) {
      const known = adminsInForce(directory.admins()).map((a) => `admin:${a.num} ${a.org}`)
      throw new RelayError('subject_unknown', { field: text, detail: known.join(', ') })
    }
    return { what: { adm: found.num }, name: `admin-${found.num}` }
  }
  const member = directory.memberByCode(text)
  if (member === null) {
    if (!/^[A-Z][A-Z0-9]*$/.test(text)) {
      throw usage('The target is the number of a device, the code of a member, or admin:NUMBER.')
    }
    throw new RelayError('subject_unknown', { field: text })
  }
  return { what: { mem: member.num }, name: member.code }
}

function planLines(plan: RevocationPlan, verb: 'suspend' | 'revoke'): string[] {
  const need = plan.signatures[verb]
  return [
    `${verb === 'suspend' ? 'Suspend' : 'Revoke'} ${clean(plan.label)}`,
    `  Cut off      ${counted(plan.devices.length, 'device')}: ${plan.devices.map((d) => `${d.num} (${d.member}, ${d.role})`).join(', ') || 'none'}`,
    ...plan.topics.map(
      (topic) =>
        `  ${topic.name.padEnd(12)} ${topic.readersBefore} -> ${topic.readersAfter} readers${topic.publishersLost.length === 0 ? '' : `; nobody left to publish for ${topic.publishersLost.join(', ')}`}`,
    ),
    `  FLU          ${plan.flu.before} -> ${counted(plan.flu.after, 'active device')}${plan.flu.after === 0 ? ': NOTHING CAN BE SENT THEN' : ''}`,
    ...(plan.withoutOfficer.length === 0
      ? []
      : [`  No officer   ${plan.withoutOfficer.join(', ')}`]),
    `  Signatures   ${counted(need.orgs, 'organisation')}`,
  ]
}
