import { Command } from 'commander'
import { addAdmin } from './admin.ts'
import { addCompletion } from './completion.ts'
import type { Process } from './context.ts'
import { addDirectory } from './directory.ts'
import { addDoctor } from './doctor.ts'
import { addEnrol } from './enrol.ts'
import { addExport } from './export.ts'
import { addFeed } from './feed.ts'
import { addIdentity } from './identity.ts'
import { addOutbox } from './outbox.ts'
import { addRelay } from './relay.ts'
import { addSchema } from './schema.ts'
import { addSearch } from './search.ts'
import { addSubmit } from './submit.ts'
import { addVerifyDevice } from './verify-device.ts'
import { addVersion, releaseOf } from './version.ts'

/** The whole command tree; nothing runs before it is given arguments. */
export function program(from: Process): Command {
  const liaison = new Command('liaison')
    .description(
      'End-to-end-encrypted exchange of reports between the focal points of states and organisations.',
    )
    .option('--home <dir>', 'folder of this device ($LIAISON_HOME, else ~/.liaison)')
    .option(
      '--json',
      'one JSON object on stdout (one a line for streams); errors as JSON on stderr',
    )
    .option('--no-input', 'never ask; fail where a question would be needed')
    .option(
      '--passphrase-file <file>',
      'read passphrases from the first line of a file (- is stdin)',
    )
    .option('--quiet', 'no words on stderr but warnings and errors')
    .version(releaseOf(), '--version', 'say the release')
    .helpOption('-h, --help', 'help on any command')
    .showSuggestionAfterError(true)
    .exitOverride()
    .configureOutput({
      outputError: () => undefined,
      writeOut: (text) => void (from.streams ?? process).stdout.write(text),
    })
    .configureHelp({ showGlobalOptions: true })
    .addHelpText(
      'after',
      '\nExample:\n  $ liaison submit report.json --topic border-security --wait received\n\nExit codes and files: docs/cli.md\n',
    )
  addIdentity(liaison, from)
  addEnrol(liaison, from)
  addSchema(liaison, from)
  addSubmit(liaison, from)
  addOutbox(liaison, from)
  addFeed(liaison, from)
  addSearch(liaison, from)
  addExport(liaison, from)
  addDirectory(liaison, from)
  addVerifyDevice(liaison, from)
  addAdmin(liaison, from)
  addRelay(liaison, from)
  addDoctor(liaison, from)
  addVersion(liaison, from)
  addCompletion(liaison, from)
  return liaison
}
