import {
  formatEnrolmentRequest,
  keepEnrolment,
  makeEnrolmentRequest,
  requestFingerprint,
} from '@liaison/client-sdk/admin'
import { openLmdbStore } from '@liaison/client-sdk/node'
import { type Directory, equal, RelayError, sodiumReady } from '@liaison/protocol'
import type { Command } from 'commander'
import { type Context, needed, type Options, type Process, paths, runs } from './context.ts'
import { openSession } from './device-access.ts'
import { SilentExit } from './failure.ts'
import { writeTextFile } from './files.ts'
import { checkHome } from './home.ts'
import { readExistingKey, unlock } from './key-access.ts'
import { keyStateLines, keyStateOf } from './key-state.ts'
import { keepNetwork, networkOf, readNetwork } from './network-access.ts'

/** Adds `liaison enrol`. */
export function addEnrol(program: Command, from: Process): void {
  const enrol = program.command('enrol').description('becoming a device of a member')
  const request = enrol
    .command('request')
    .description('write the file that two administrators sign')
    .option('--network <file>', 'network file, as an administrator handed it out')
    .addOption(needed('--member <code>', 'code of the member, such as NE'))
    .addOption(needed('--org <text>', 'service or unit within the member'))
    .addOption(
      needed('--role <role>', 'what the device is for').choices([
        'officer',
        'analyst',
        'administrator',
      ]),
    )
    .option('--label <text>', 'name of the workstation, for others to see')
    .option('--out <file>', 'where to write it; enrol-MEMBER-DIGITS.json when absent')
    .addHelpText(
      'after',
      '\nExample:\n  $ liaison enrol request --network network.json --member NE --org "Focal point" --role officer\n',
    )
  runs(request, from, writeRequest)
  const status = enrol
    .command('status')
    .description('take in the welcome file, connect, and say how long the enrolment lasts')
    .argument('[welcome-file]', 'network file that an administrator sent back')
    .option('--relay <url>', 'another relay than that of the network file')
    .option('--offline', 'do not connect')
    .addHelpText('after', '\nExample:\n  $ liaison enrol status welcome-31.json\n')
  runs(status, from, showStatus)
}

async function writeRequest(
  context: Context,
  _args: readonly string[],
  options: Options,
): Promise<void> {
  await sodiumReady()
  await checkHome(context)
  const at = await networkOf(context, options.text('network'))
  const { directory } = at
  const code = options.required('member')
  const member = directory.memberByCode(code)
  if (member === null) throw memberUnknown(code, directory)
  const identity = await unlock(context, paths.identity(context), 'device', directory.example)
  const label = options.text('label')
  const enrolment = makeEnrolmentRequest({
    net: directory.net,
    genesisT: directory.genesisT,
    identity,
    member: member.num,
    memberCode: code,
    org: options.required('org'),
    role: options.required('role') as 'officer' | 'analyst' | 'administrator',
    ...(label === undefined ? {} : { label }),
    now: context.clock(),
  })
  await keepNetwork(context, at)
  await using store = await openLmdbStore(paths.store(context))
  // First the secrets are safe on this machine, then the request may leave it.
  await keepEnrolment(store, identity, enrolment)
  const fingerprint = requestFingerprint(directory.net, enrolment.request)
  const out = options.text('out') ?? `enrol-${code}-${fingerprint.slice(0, 5)}.json`
  await writeTextFile(out, formatEnrolmentRequest(enrolment.request))
  context.out.data({ file: out, member: code, network: directory.name, fingerprint }, () => [
    `Request     ${out}`,
    `Fingerprint ${fingerprint}`,
  ])
  context.out.say(
    'Next: send the file to an administrator. Read these 40 digits to two of them, by',
    'voice or face to face; they compare them before they sign:',
    `  liaison admin approve ${out} --identity KEYFILE`,
    '(in a pilot with --pilot FOLDER instead of --identity KEYFILE)',
    'Then, here, with the welcome file that they send back:',
    `  ${context.next('enrol status WELCOME-FILE')}`,
  )
}

function memberUnknown(code: string, directory: Directory): RelayError {
  const codes = directory.members().map((member) => member.code)
  const detail =
    codes.length === 0
      ? 'The network file brings no members: ask for one made by `liaison admin network`.'
      : `Members: ${codes.join(', ')}`
  return new RelayError('subject_unknown', { field: `member ${code}`, detail })
}

async function showStatus(
  context: Context,
  args: readonly string[],
  options: Options,
): Promise<void> {
  await sodiumReady()
  await checkHome(context)
  const [file] = args
  if (file !== undefined) await takeWelcome(context, file)
  await using opened = await openSession(context, {
    relay: options.text('relay'),
    waitSeconds: options.flag('offline') ? 0 : 20,
    offline: options.flag('offline'),
    follow: [],
  })
  const { session, online } = opened
  const state = keyStateOf(session.directory, session.me, context.clock())
  context.out.data({ online, network: session.directory.name, enrolment: state }, () => [
    `Network    ${session.directory.name}${session.directory.example ? ' (example)' : ''}`,
    ...keyStateLines(state),
    `Relay      ${online ? 'connected' : 'not reached'}`,
  ])
  if (file !== undefined) {
    context.out.say(
      'Next: see your topics, then send or read reports:',
      `  ${context.next('topics list')}`,
      ...(state.role === 'officer'
        ? [`  ${context.next('submit report.json --topic TOPIC --wait received')}`]
        : []),
      `  ${context.next('feed tail')}`,
    )
  }
  if (!online && !options.flag('offline')) {
    context.out.warn('liaison: the relay was not reached; this is as of the last connection.')
    throw new SilentExit(7)
  }
}

/** Checks that a welcome file is for this key and this network, and keeps it. */
async function takeWelcome(context: Context, file: string): Promise<void> {
  const welcome = await readNetwork(file)
  const { publicKey } = (await readExistingKey(paths.identity(context))).info
  const { device } = welcome.network
  const enrolled = device === null ? null : welcome.directory.device(device)
  if (enrolled === null) {
    throw new RelayError('not_enrolled', {
      field: file,
      detail: 'This network file names no device: it is not a welcome file.',
    })
  }
  if (!equal(enrolled.identityKey, publicKey)) {
    throw new RelayError('not_enrolled', {
      field: file,
      detail: `It welcomes device ${enrolled.num}, which has another key.`,
    })
  }
  await keepNetwork(context, welcome)
}
