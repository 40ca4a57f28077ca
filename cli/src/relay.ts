import { sodiumReady, toBase64url } from '@liaison/protocol'
import type { Command } from 'commander'
import { needed, type Process, runs } from './context.ts'
import { readTextFile, writeTextFile } from './files.ts'
import { logSeedsOf, newRelayKeys } from './relay-keys.ts'
import { withConfig } from './relay-options.ts'

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
    relay
      .command('check-config')
      .description('say every problem of the configuration and of its files, exit 78'),
  )
    .option('--online', 'also whether Redis keeps what the profile promises')
    .addHelpText(
      'after',
      '\nExample:\n  $ liaison relay check-config --config relay.json --online\n',
    )
  runs(check, from, async (context, _args, options) => {
    const { checkRelayConfig } = await import('./relay-serve.ts')
    await checkRelayConfig(context, options)
  })
  addInitRedis(relay, from)
  addKeys(relay, from)
  addBackup(relay, from)
}

function addInitRedis(relay: Command, from: Process): void {
  const init = withConfig(
    relay
      .command('init-redis')
      .description('load the functions into Redis and set up the network there, as its operator'),
  )
    .option('--user <name>', "the operator's user on the server")
    .option('--password-file <file>', 'file with the password of that user')
    .option('--print-acl <file>', 'write the lines for the users of relay and inspector; - prints')
    .option('--offline', 'connect to nothing, only say what would be set up and the lines')
    .addHelpText(
      'after',
      '\nExample:\n  $ liaison relay init-redis --config relay.json --user operator --password-file operator.password\n',
    )
  runs(init, from, async (context, _args, options) => {
    const { initRedis } = await import('./relay-init.ts')
    await initRedis(context, options)
  })
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
  const restore = withConfig(
    relay
      .command('restore')
      .description('check a backup and put it where a relay can start on it')
      .argument('<folder>', 'made by liaison relay backup'),
  )
    .option('--out <folder>', 'new folder for everything: relay.json, network.json, keys, data')
    .option('--redis', 'the log into Redis, where the network was set up and is still empty')
    .addHelpText(
      'after',
      '\nExamples:\n  $ liaison relay restore /mnt/backup/2026-11-25 --out restored\n  $ liaison relay restore /mnt/backup/2026-11-25 --redis --config relay.json\n',
    )
  runs(restore, from, async (context, [folder = ''], options) => {
    const { restoreRelay } = await import('./relay-backup.ts')
    await restoreRelay(context, folder, options)
  })
}

function addKeys(relay: Command, from: Process): void {
  const keys = relay
    .command('keys')
    .description('make the keys of a new relay, and print what the directory needs')
    .addOption(needed('--out <file>', 'where to write the secret file'))
    .option('--number <n>', 'number of the relay in the directory', '1')
    .option('--logs-of <file>', "key file of the network's first relay, for a further one")
    .addHelpText(
      'after',
      '\nExamples:\n  $ liaison relay keys --out relay-keys.json\n  $ liaison relay keys --number 2 --logs-of relay-keys.json --out relay-keys-2.json\n',
    )
  runs(keys, from, async ({ out }, _args, options) => {
    await sodiumReady()
    const number = options.whole('number', { min: 1, max: 65_535 }) ?? 1
    const first = options.text('logsOf')
    const made = newRelayKeys(
      number,
      first === undefined ? undefined : logSeedsOf(await readTextFile(first), first),
    )
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
