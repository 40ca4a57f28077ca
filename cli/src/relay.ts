import { sodiumReady, toBase64url } from '@liaison/protocol'
import type { Command } from 'commander'
import { needed, type Process, runs } from './context.ts'
import { writeTextFile } from './files.ts'
import { newRelayKeys } from './relay-keys.ts'

/** Adds `liaison relay`. */
export function addRelay(program: Command, from: Process): void {
  const relay = program.command('relay').description('running a relay')
  const serve = withConfig(relay.command('serve').description('run the relay until it is stopped'))
  serve.addHelpText(
    'after',
    '\nExamples:\n  $ liaison relay serve --config pilot/relay.json\n  $ liaison relay serve --data /var/lib/liaison --network network.json --keys relay-keys.json\n',
  )
  // Loaded on use: the relay's parts are large, and officers never need them.
  runs(serve, from, async (context, _args, options) => {
    const { serveRelay } = await import('./relay-serve.ts')
    await serveRelay(context, options)
  })
  const check = withConfig(
    relay.command('check-config').description('say every problem of the configuration, exit 78'),
  )
  check.addHelpText('after', '\nExample:\n  $ liaison relay check-config --config relay.json\n')
  runs(check, from, async (context, _args, options) => {
    const { checkRelayConfig } = await import('./relay-serve.ts')
    await checkRelayConfig(context, options)
  })
  addKeys(relay, from)
  addBackup(relay, from)
}

function addBackup(relay: Command, from: Process): void {
  const backup = withConfig(
    relay
      .command('backup')
      .description('copy a consistent state of the relay, which may be running, into a new folder')
      .argument('<folder>', 'new or empty'),
  )
    .option('--with-keys', "the relay's keys too, under a passphrase; else they are left out")
    .addHelpText(
      'after',
      '\nExample:\n  $ liaison relay backup --config relay.json /mnt/backup/2026-11-25\n',
    )
  runs(backup, from, async (context, [folder = ''], options) => {
    const { backUpRelay } = await import('./relay-backup.ts')
    await backUpRelay(context, folder, options)
  })
  const restore = relay
    .command('restore')
    .description('check a backup and put it where a relay can start on it')
    .argument('<folder>', 'made by liaison relay backup')
    .option('--out <folder>', 'new folder for everything: relay.json, network.json, keys, data')
    .option('--data <dir>', 'only the log, into this new or empty data folder')
    .addHelpText(
      'after',
      '\nExample:\n  $ liaison relay restore /mnt/backup/2026-11-25 --out restored\n',
    )
  runs(restore, from, async (context, [folder = ''], options) => {
    const { restoreRelay } = await import('./relay-backup.ts')
    await restoreRelay(context, folder, options)
  })
}

const withConfig = (command: Command): Command =>
  command
    .option('--config <file>', 'JSON with the same options; the environment and flags win over it')
    .option('--data <dir>', 'folder of the log')
    .option('--network <file>', 'network file')
    .option('--keys <file>', "the relay's key file")
    .option('--host <host>', 'address to listen on (127.0.0.1)')
    .option('--port <port>', 'port to listen on (8443; 0 takes a free one)')
    .option('--operator-host <host>', "address of the operator's door (127.0.0.1)")
    .option('--operator-port <port>', "port of the operator's door (9464)")
    .option('--tls-cert <file>', 'TLS certificate')
    .option('--tls-key <file>', 'its key')
    .option('--origins <urls>', 'web origins that may connect, by commas')
    .option('--log-level <level>', 'fatal, error, warn, info, debug, trace or silent')
    .option('--behind-tls-proxy', 'TLS is spoken by a proxy in front')

function addKeys(relay: Command, from: Process): void {
  const keys = relay
    .command('keys')
    .description('make the keys of a new relay, and print what the genesis plan needs')
    .addOption(needed('--out <file>', 'where to write the secret file'))
    .option('--number <n>', 'number of the relay in the directory', '1')
    .addHelpText('after', '\nExample:\n  $ liaison relay keys --out relay-keys.json\n')
  runs(keys, from, async ({ out }, _args, options) => {
    await sodiumReady()
    const number = options.whole('number', { min: 1, max: 65_535 }) ?? 1
    const made = newRelayKeys(number)
    const file = options.required('out')
    await writeTextFile(file, made.text, { secret: true })
    const { publicKeys } = made
    const plan = {
      relay: toBase64url(publicKeys.relay),
      dirLog: toBase64url(publicKeys.dirLog),
      auditLog: toBase64url(publicKeys.auditLog),
    }
    out.data({ file, number, publicKeys: plan }, () => [
      `Key file    ${file}`,
      `relay key   ${plan.relay}`,
      `logs.dir    ${plan.dirLog}`,
      `logs.audit  ${plan.auditLog}`,
    ])
  })
}
