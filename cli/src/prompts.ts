import { stat } from 'node:fs/promises'
import { confirm, isCancel, password, text } from '@clack/prompts'
import { isRelayError } from '@liaison/protocol'
import type { Context } from './context.ts'
import { Interrupted, usage } from './failure.ts'
import { readTextFile } from './files.ts'

/** Questions go to stderr: stdout is for data. */
const channel = { input: process.stdin, output: process.stderr }

/** Stdin can be read once, while a command may open several key files. */
let fromFile: string | null = null

/** Passphrase from the file that was named, or null when none was. */
async function passphraseFromFile(context: Context): Promise<string | null> {
  const path = context.passphraseFile
  if (path === undefined) return null
  if (fromFile !== null) return fromFile
  if (path !== '-') await warnIfOpen(context, path)
  const [line = ''] = (await readTextFile(path)).split(/\r?\n/)
  if (line === '') throw usage('The first line of the passphrase file is empty.', 'passphrase-file')
  fromFile = line
  return line
}

async function warnIfOpen(context: Context, path: string): Promise<void> {
  const mode = await stat(path).then(
    (info) => info.mode,
    () => 0,
  )
  if (process.platform === 'win32' || (mode & 0o077) === 0) return
  context.out.warn(`liaison: others can read the passphrase file ${path}; chmod 600 it.`)
}

/** Asks for the passphrase that opens a key file. @param whose What is asked for, such as a path. */
export async function askPassphrase(context: Context, whose: string): Promise<string> {
  const given = await passphraseFromFile(context)
  if (given !== null) return given
  if (!context.interactive) {
    throw usage(
      `A passphrase is needed for ${whose}, and nobody can be asked: name a file with --passphrase-file.`,
      'passphrase-file',
    )
  }
  return answered(await password({ ...channel, message: `Passphrase of ${whose}` }))
}

/** How often a person may type a passphrase that does not fit. */
const tries = 3

/** Does something with a passphrase; a person who mistyped it is asked again. */
export async function askAgain<T>(
  context: Context,
  ask: () => Promise<string>,
  use: (passphrase: string) => Promise<T>,
): Promise<T> {
  for (let left = tries - 1; ; left--) {
    try {
      return await use(await ask())
    } catch (error) {
      const mistyped = isRelayError(error) && error.code === 'passphrase_wrong'
      const again = mistyped && context.interactive && context.passphraseFile === undefined
      if (!again || left <= 0) throw error
      context.out.warn('That passphrase does not open it. Try again.')
    }
  }
}

/** Asks for a new passphrase, twice. */
export async function askNewPassphrase(context: Context, whose: string): Promise<string> {
  const given = await passphraseFromFile(context)
  if (given !== null) return given
  if (!context.interactive) {
    throw usage(
      `A new passphrase is needed for ${whose}, and nobody can be asked: name a file with --passphrase-file.`,
      'passphrase-file',
    )
  }
  for (;;) {
    const first = answered(
      await password({
        ...channel,
        message: `New passphrase for ${whose} (12 characters or more)`,
        validate: (value) =>
          [...(value ?? '').normalize('NFKC')].length < 12
            ? 'Use 12 characters or more.'
            : undefined,
      }),
    )
    const second = answered(await password({ ...channel, message: 'The same again' }))
    if (first === second) return first
    context.out.warn('The two differ. Try again.')
  }
}

/** Asks yes or no. @param otherwise What a script can do instead, such as `--yes`. */
export async function askYes(
  context: Context,
  question: string,
  otherwise: string,
): Promise<boolean> {
  if (!context.interactive) {
    throw usage(`This needs a person's yes, and nobody can be asked: ${otherwise}`)
  }
  return answered(await confirm({ ...channel, message: question, initialValue: false }))
}

/** Has a name typed before something severe. @param given The value of `--confirm`. */
export async function confirmByName(
  context: Context,
  what: string,
  name: string,
  given: string | undefined,
): Promise<void> {
  if (given === undefined && !context.interactive) {
    throw usage(`${what} has to be confirmed: add --confirm=${name}`, 'confirm')
  }
  const typed =
    given ?? answered(await text({ ...channel, message: `${what}. Type ${name} to go on` }))
  if (typed.trim() !== name) {
    throw usage(`The name does not match, so nothing was done. Expected: ${name}`, 'confirm')
  }
}

function answered<T>(answer: T): Exclude<T, symbol> {
  if (isCancel(answer)) throw new Interrupted()
  return answer as Exclude<T, symbol>
}
