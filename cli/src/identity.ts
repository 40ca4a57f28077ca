import { encryptKeyFile, newIdentity } from '@liaison/client-sdk/admin'
import { writeKeyFile } from '@liaison/client-sdk/node'
import { deviceFingerprint, RelayError, sodiumReady, toBase64url } from '@liaison/protocol'
import type { Command } from 'commander'
import { type Context, makeHome, type Options, type Process, paths, runs } from './context.ts'
import { openOnline } from './device-access.ts'
import { usage } from './failure.ts'
import { checkHome } from './home.ts'
import { addIdentityBackup } from './identity-backup.ts'
import { addIdentityRestore } from './identity-restore.ts'
import { readExistingKey } from './key-access.ts'
import { keyStateLines, keyStateOf } from './key-state.ts'
import { keepNetwork, type NetworkAtHand, networkOf, readNetwork } from './network-access.ts'
import { moment } from './output.ts'
import { askNewPassphrase } from './prompts.ts'

/** Adds `liaison identity`. */
export function addIdentity(program: Command, from: Process): void {
  const identity = program.command('identity').description('the keys of this device')
  const made = identity
    .command('new')
    .description('make a new key file; it is never replaced')
    .option('--administrator', "an administrator's key instead of a device's")
    .option('--network <file>', 'network file, as an administrator handed it out')
    .option('--out <file>', 'where to write it; identity.json of the home folder when absent')
    .option('--unprotected', 'without a passphrase; only example networks accept that')
    .addHelpText('after', '\nExample:\n  $ liaison identity new --network network.json\n')
  runs(made, from, newKeyFile)
  const show = identity
    .command('show')
    .description('what the key file says, and the enrolment as this device knows it')
    .option('--identity <file>', 'another key file')
    .addHelpText('after', '\nExample:\n  $ liaison identity show --json\n')
  runs(show, from, showIdentity)
  const fingerprint = identity
    .command('fingerprint')
    .description('the 40 digits that are read to the administrators')
    .option('--identity <file>', 'another key file')
    .option('--network <file>', 'another network file')
    .addHelpText('after', '\nExample:\n  $ liaison identity fingerprint\n')
  runs(fingerprint, from, showFingerprint)
  const rotate = identity
    .command('rotate')
    .description('replace the keys of all coming weeks, for instance after a theft')
    .option('--relay <url>', 'another relay than that of the network file')
    .addHelpText('after', '\nExample:\n  $ liaison identity rotate\n')
  runs(rotate, from, rotateKeys)
  addIdentityBackup(identity, from)
  addIdentityRestore(identity, from)
}

async function newKeyFile(
  context: Context,
  _args: readonly string[],
  options: Options,
): Promise<void> {
  await sodiumReady()
  await checkHome(context)
  const file = options.text('network')
  const network = file === undefined ? null : await readNetwork(file)
  const unprotected = options.flag('unprotected')
  if (unprotected && network?.directory.example !== true) {
    throw usage('--unprotected needs --network with the file of an example network.', 'unprotected')
  }
  const kind = options.flag('administrator') ? 'administrator' : 'device'
  const out = options.text('out') ?? paths.identity(context)
  if (kind === 'administrator' && options.text('out') === undefined) {
    throw usage('--administrator needs --out FILE: this home is for a device.', 'out')
  }
  if (options.text('out') === undefined) await makeHome(context)
  const identity = newIdentity(kind)
  const passphrase = unprotected ? null : await askNewPassphrase(context, out)
  await writeKeyFile(out, await encryptKeyFile(identity, passphrase))
  if (network !== null && kind === 'device') await keepNetwork(context, network)
  const publicKey = toBase64url(identity.signingKey.publicKey)
  context.out.data({ kind, file: out, publicKey }, () => [
    `Key file   ${out}`,
    `Public key ${publicKey}`,
  ])
  context.out.say(
    unprotected
      ? 'It has no passphrase: for exercises and trials only.'
      : 'There is no way to open it without the passphrase. Keep a copy in a safe.',
    ...(kind === 'device'
      ? nextOfDevice(context, network)
      : ['Next: send the public key to whoever writes the genesis plan.']),
  )
}

function nextOfDevice(context: Context, network: NetworkAtHand | null): string[] {
  const codes = network?.directory.members().map((member) => member.code) ?? []
  const options = '--member CODE --org TEXT --role officer'
  return [
    ...(codes.length === 0 ? [] : [`Members: ${codes.join(', ')}`]),
    'Next, with your member, your service and the role, officer or analyst:',
    `  ${context.next(`enrol request ${network === null ? '--network network.json ' : ''}${options}`)}`,
  ]
}

async function showIdentity(
  context: Context,
  _args: readonly string[],
  options: Options,
): Promise<void> {
  await sodiumReady()
  const path = options.text('identity') ?? paths.identity(context)
  const { info } = await readExistingKey(path)
  const at = await networkOf(context, undefined).catch((error: unknown) => {
    if (error instanceof RelayError && error.code === 'network_file_malformed') return null
    throw error
  })
  const enrolled = at === null ? null : at.directory.deviceByKey(info.publicKey)
  const state =
    enrolled === null || at === null ? null : keyStateOf(at.directory, enrolled, context.clock())
  const publicKey = toBase64url(info.publicKey)
  context.out.data(
    {
      kind: info.kind,
      file: path,
      publicKey,
      created: new Date(info.created).toISOString(),
      protected: info.protected,
      network: at?.directory.name ?? null,
      enrolment: state,
    },
    () => [
      `Key file   ${path}`,
      `Kind       ${info.kind}`,
      `Public key ${publicKey}`,
      `Made       ${moment(info.created)}`,
      `Passphrase ${info.protected ? 'yes' : 'none (example networks only)'}`,
      `Network    ${at?.directory.name ?? 'none yet'}`,
      ...(state === null ? ['Enrolment  none yet'] : keyStateLines(state)),
    ],
  )
}

async function showFingerprint(
  context: Context,
  _args: readonly string[],
  options: Options,
): Promise<void> {
  await sodiumReady()
  const path = options.text('identity') ?? paths.identity(context)
  const { publicKey } = (await readExistingKey(path)).info
  const { directory } = await networkOf(context, options.text('network'))
  const fingerprint = deviceFingerprint(directory.net, publicKey)
  context.out.data({ fingerprint, network: directory.name }, () => [fingerprint])
}

async function rotateKeys(
  context: Context,
  _args: readonly string[],
  options: Options,
): Promise<void> {
  await using opened = await openOnline(context, {
    relay: options.text('relay'),
    waitSeconds: 30,
    follow: [],
  })
  const { session } = opened
  await session.rotateKeys()
  const state = keyStateOf(session.directory, session.me, context.clock())
  context.out.data({ device: session.me.num, enrolment: state }, () => keyStateLines(state))
  context.out.say('The keys of all coming weeks are new. Those of this week stay until it ends.')
}
