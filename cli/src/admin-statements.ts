import { dirname, join } from 'node:path'
import {
  draftEnrol,
  type EnrolmentRequest,
  formatStatementFile,
  mergeStatementFiles,
  parseEnrolmentRequest,
  parseStatementFile,
  requestFingerprint,
  reviewStatement,
  type StatementFile,
  statementProgress,
} from '@liaison/client-sdk/admin'
import { handlingCodes, RelayError, sodiumReady } from '@liaison/protocol'
import type { Command } from 'commander'
import { type Desk, deskOptions, openDesk, openKeys, signWith } from './admin-desk.ts'
import { append, progressText, reviewLines, settle, tellSettled } from './admin-settle.ts'
import { type Context, needed, type Options, type Process, runs } from './context.ts'
import { usage } from './failure.ts'
import { readTextFile, writeTextFile } from './files.ts'
import { networkOf } from './network-access.ts'
import { clean, moment } from './output.ts'
import { askYes } from './prompts.ts'

const dayMs = 86_400_000

/** Adds `liaison admin sign|merge|append|approve`. */
export function addStatements(admin: Command, from: Process): void {
  const sign = deskOptions(
    admin
      .command('sign')
      .description('review a statement, sign it, and append it when enough have signed')
      .argument('<file>', 'statement file, as another administrator sent it'),
  )
    .option('--out <file>', 'where to write it; the same file when absent')
    .option('--welcome <file>', 'where to write the welcome file of a new device')
    .option('--no-append', 'only sign, even when it is complete')
    .option('--yes', 'sign without asking: the statement was reviewed before')
    .addHelpText(
      'after',
      '\nExample:\n  $ liaison admin sign enrol-NE.json --identity auc.key.json\n',
    )
  runs(sign, from, signFile)
  const merge = admin
    .command('merge')
    .description('put the signatures of several copies of one statement together')
    .argument('<file...>', 'copies of one statement file')
    .addOption(needed('--out <file>', 'where to write it; - is stdout'))
    .option('--network <file>', 'network file; that of the home folder when absent')
    .addHelpText('after', '\nExample:\n  $ liaison admin merge a.json b.json --out both.json\n')
  runs(merge, from, mergeFiles)
  const appended = deskOptions(
    admin
      .command('append')
      .description('hand a complete statement to the relay')
      .argument('<file>', 'statement file'),
  )
    .option('--welcome <file>', 'where to write the welcome file of a new device')
    .addHelpText(
      'after',
      '\nExample:\n  $ liaison admin append enrol-NE.json --identity auc.key.json\n',
    )
  runs(appended, from, appendFile)
  addApprove(admin, from)
}

function addApprove(admin: Command, from: Process): void {
  const approve = deskOptions(
    admin
      .command('approve')
      .description('write and sign the statement that enrols a device')
      .argument('<request>', 'enrolment request, as the device wrote it'),
  )
    .option('--clearance <label>', `highest handling: ${handlingCodes.join(', ')}`, 'RED')
    .option('--until <date>', 'last day of the enrolment, such as 2027-06-30 (a year when absent)')
    .option('--fingerprint <digits>', 'the 40 digits as the device read them out')
    .option('--out <file>', 'where to write the statement')
    .option('--welcome <file>', 'where to write the welcome file')
    .addHelpText(
      'after',
      '\nExample:\n  $ liaison admin approve enrolment-request.json --identity auc.key.json --clearance AMBER\n',
    )
  runs(approve, from, approveRequest)
}

async function signFile(
  context: Context,
  [path = '']: readonly string[],
  options: Options,
): Promise<void> {
  await sodiumReady()
  const file = parseStatementFile(await readTextFile(path))
  const out = options.text('out') ?? path
  if (isGenesis(file)) return signGenesis(context, file, out, options)
  await using desk = await openDesk(context, options, options.noAppend() ? 'no' : 'try')
  await reviewed(context, desk, file, options)
  const settled = await settle(desk, file, {
    out,
    welcome: options.text('welcome'),
    hold: options.noAppend(),
  })
  tellSettled(context, settled)
}

const isGenesis = (file: StatementFile): boolean => {
  try {
    return reviewStatement(file, null).op === 'genesis'
  } catch (error) {
    if (error instanceof RelayError && error.code === 'network_mismatch') return false
    throw error
  }
}

async function signGenesis(
  context: Context,
  file: StatementFile,
  out: string,
  options: Options,
): Promise<void> {
  const review = reviewStatement(file, null)
  context.out.warn(...reviewLines(review))
  const { example } = review.body as { readonly example?: unknown }
  if (!options.flag('yes')) {
    const question = 'Do the others read the same 40 digits, and is the plan the agreed one?'
    if (!(await askYes(context, question, 'add --yes once it was reviewed.'))) throw declined()
  }
  const signed = signWith(file, null, await openKeys(context, options, example === 1, 1))
  await writeTextFile(out, formatStatementFile(signed), { replace: true })
  const progress = statementProgress(signed, null)
  context.out.data({ file: out, signatures: progress }, () => [`${progressText(progress)}: ${out}`])
  context.out.say('Next: send the file back to whoever finishes the genesis.')
}

const declined = (): RelayError => usage('Nothing was signed.')

/** Shows a statement and asks whether to sign it. */
async function reviewed(
  context: Context,
  desk: Desk,
  file: StatementFile,
  options: Options,
): Promise<void> {
  context.out.warn(...reviewLines(reviewStatement(file, desk.directory)))
  if (options.flag('yes')) return
  if (!(await askYes(context, 'Sign this?', 'add --yes once it was reviewed.'))) throw declined()
}

async function mergeFiles(
  context: Context,
  paths: readonly string[],
  options: Options,
): Promise<void> {
  await sodiumReady()
  const files: StatementFile[] = []
  for (const path of paths) files.push(parseStatementFile(await readTextFile(path)))
  const [first] = files
  const founding = first !== undefined && isGenesis(first)
  const directory = founding ? null : (await networkOf(context, options.text('network'))).directory
  const merged = mergeStatementFiles(files, directory)
  const out = options.required('out')
  await writeTextFile(out, formatStatementFile(merged), { replace: true })
  const progress = statementProgress(merged, directory)
  if (out !== '-') {
    context.out.data({ file: out, signatures: progress }, () => [
      `${progressText(progress)}: ${out}`,
    ])
  }
}

async function appendFile(
  context: Context,
  [path = '']: readonly string[],
  options: Options,
): Promise<void> {
  await sodiumReady()
  const file = parseStatementFile(await readTextFile(path))
  await using desk = await openDesk(context, options, 'must')
  const progress = statementProgress(file, desk.directory)
  const settled = await append(desk, file, progress, {
    out: path,
    welcome: options.text('welcome'),
  })
  tellSettled(context, settled)
}

async function approveRequest(
  context: Context,
  [path = '']: readonly string[],
  options: Options,
): Promise<void> {
  await sodiumReady()
  const text = await readTextFile(path)
  const clearance = clearanceOf(options.required('clearance'))
  const now = context.clock()
  const until = untilOf(options.text('until'), now)
  await using desk = await openDesk(context, options, 'try')
  const request = parseEnrolmentRequest(text, desk.directory.net)
  const fingerprint = requestFingerprint(desk.directory.net, request)
  context.out.warn(...requestLines(request, fingerprint, clearance, until))
  await compareFingerprint(context, fingerprint, options.text('fingerprint'))
  const statement = draftEnrol(desk.directory, request, {
    clearance,
    // A device whose clock is a little behind must not find itself not yet enrolled.
    validFrom: now - 300_000,
    validUntil: until,
    now,
  })
  const name = `enrol-${request.memberCode}-${fingerprint.slice(0, 5)}.statement.json`
  const out = options.text('out') ?? join(dirname(path), name)
  const settled = await settle(desk, statement, { out, welcome: options.text('welcome') })
  tellSettled(context, settled, { fingerprint, member: request.memberCode })
}

/** The number of a handling label; numbers are taken as well. */
export function clearanceOf(label: string): number {
  const index = /^[0-4]$/.test(label)
    ? Number(label)
    : handlingCodes.map(String).indexOf(label.toUpperCase())
  if (index >= 0) return index
  throw usage(`--clearance is one of ${handlingCodes.join(', ')}.`, 'clearance')
}

function untilOf(date: string | undefined, now: number): number {
  if (date === undefined) return now + 365 * dayMs
  const day = /^\d{4}-\d{2}-\d{2}$/.test(date) ? Date.parse(`${date}T00:00:00Z`) : Number.NaN
  if (Number.isNaN(day)) throw usage('--until is a date such as 2027-06-30.', 'until')
  const end = day + dayMs
  if (end <= now) throw usage('--until lies in the past.', 'until')
  return end
}

const requestLines = (
  request: EnrolmentRequest,
  fingerprint: string,
  clearance: number,
  until: number,
): string[] => [
  `Member      ${request.memberCode}`,
  `Service     ${clean(request.org)}${request.label === undefined ? '' : `, ${clean(request.label)}`}`,
  `Role        ${request.role}`,
  `Clearance   up to TLP:${handlingCodes[clearance] ?? '?'}`,
  `Enrolment   until ${moment(until)}`,
  `Fingerprint ${fingerprint}`,
]

const digits = (text: string): string => text.replace(/\s+/g, '')

/** The person compares the digits, or a script is told what the device read out. */
async function compareFingerprint(
  context: Context,
  fingerprint: string,
  told: string | undefined,
): Promise<void> {
  const same =
    told === undefined
      ? await askYes(
          context,
          'Does the device read out the same 40 digits, by voice or face to face?',
          'add --fingerprint with the 40 digits that the device read out.',
        )
      : digits(told) === digits(fingerprint)
  if (!same) throw new RelayError('fingerprint_mismatch', { field: 'fingerprint' })
}
