import { access, constants, mkdir } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { type Clock, RelayError, systemClock } from '@liaison/protocol'
import { type Command, Option } from 'commander'
import { usage } from './failure.ts'
import { Output, type Streams } from './output.ts'

/** What every command is given. */
export interface Context {
  /** Folder of this device: network.json, identity.json, store. */
  readonly home: string
  readonly out: Output
  /** Whether questions may be asked: a terminal is there and `--no-input` was not given. */
  readonly interactive: boolean
  readonly passphraseFile: string | undefined
  readonly clock: Clock
  /** Fires when the process is asked to end. */
  readonly signal: AbortSignal
  /** Lets a command end in its own time after a signal; without it the process ends soon. */
  readonly endsByItself: () => void
  /** A command to be typed next, with the home folder of this one when that was named. */
  readonly next: (command: string) => string
}

/** What the process gives. */
export interface Process {
  readonly signal: AbortSignal
  /** Where things are written; the process's own streams when absent. */
  readonly streams?: Streams
  readonly endsByItself: () => void
}

/** Options of a command, read by name. */
export class Options {
  readonly #values: { readonly [name: string]: unknown }

  constructor(values: { readonly [name: string]: unknown }) {
    this.#values = values
  }

  /** A text, or undefined when it was not given. */
  text(name: string): string | undefined {
    const value = this.#values[name]
    return typeof value === 'string' ? value : undefined
  }

  /** A text that must be there. */
  required(name: string): string {
    const value = this.text(name)
    if (value === undefined) throw usage(`The option --${dashed(name)} is needed.`, dashed(name))
    return value
  }

  flag(name: string): boolean {
    return this.#values[name] === true
  }

  /** Whether `--no-append` was given: commander turns it into `append: false`. */
  noAppend(): boolean {
    return this.#values['append'] === false
  }

  /** Every value of an option that may be repeated. */
  list(name: string): readonly string[] {
    const value = this.#values[name]
    return Array.isArray(value) ? value.map(String) : []
  }

  /** Values separated by commas. */
  commas(name: string): readonly string[] | undefined {
    return this.text(name)
      ?.split(',')
      .map((part) => part.trim())
      .filter((part) => part !== '')
  }

  /** A whole number within bounds. */
  whole(name: string, bounds: { readonly min: number; readonly max: number }): number | undefined {
    const value = this.text(name)
    if (value === undefined) return undefined
    const n = Number(value)
    if (/^\d+$/.test(value) && n >= bounds.min && n <= bounds.max) return n
    const range = `${bounds.min} to ${bounds.max}`
    throw usage(`--${dashed(name)} is a whole number from ${range}.`, dashed(name))
  }
}

const dashed = (name: string): string => name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)

/** The body of a command. */
export type Run = (context: Context, args: readonly string[], options: Options) => Promise<void>

const neededOptions = new WeakSet<Option>()

/**
 * An option without which the command cannot run. Commander's own kind would be missed before a
 * mistyped name is noticed: `--topik` is to be answered with `--topic`, not with "is missing".
 */
export function needed(flags: string, description: string): Option {
  const option = new Option(flags, description)
  neededOptions.add(option)
  return option
}

/** Ties a body to a command. */
export function runs(command: Command, from: Process, run: Run): void {
  command.action(async () => {
    const options = command.optsWithGlobals()
    for (const option of command.options) {
      if (!neededOptions.has(option) || options[option.attributeName()] !== undefined) continue
      throw usage(`Required option '${option.flags}' is missing.`, option.name())
    }
    const context = contextOf(options, from)
    await checkPassphraseFile(context)
    await run(context, command.args, new Options(options))
  })
}

/** A file that was named is read, even when nothing turns out to need it: a slip shows at once. */
async function checkPassphraseFile({ passphraseFile: path }: Context): Promise<void> {
  if (path === undefined || path === '-') return
  try {
    await access(path, constants.R_OK)
  } catch (cause) {
    const detail = 'The file with the passphrase cannot be read.'
    throw new RelayError('file_unavailable', { field: path, detail, cause })
  }
}

function contextOf(options: { readonly [name: string]: unknown }, from: Process): Context {
  const { env } = process
  const home = options['home'] ?? env['LIAISON_HOME'] ?? join(homedir(), '.liaison')
  const file = options['passphraseFile']
  return {
    home: resolve(String(home)),
    out: new Output(from.streams ?? process, {
      json: options['json'] === true,
      quiet: options['quiet'] === true,
      colour: (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb',
      dumb: env['TERM'] === 'dumb',
    }),
    // Commander turns `--no-input` into `input: false`. Questions are asked on the terminal itself.
    interactive:
      options['input'] !== false && process.stdin.isTTY === true && process.stderr.isTTY === true,
    passphraseFile: typeof file === 'string' ? file : undefined,
    clock: systemClock,
    signal: from.signal,
    endsByItself: from.endsByItself,
    next: (command) =>
      typeof options['home'] === 'string'
        ? `liaison --home ${options['home']} ${command}`
        : `liaison ${command}`,
  }
}

/** Paths inside the home folder. */
export const paths = {
  network: (context: Context): string => join(context.home, 'network.json'),
  identity: (context: Context): string => join(context.home, 'identity.json'),
  store: (context: Context): string => join(context.home, 'store'),
  directories: (context: Context): string => join(context.home, 'directories'),
}

/** Makes the home folder, for its owner only. */
export async function makeHome(context: Context): Promise<void> {
  await mkdir(context.home, { recursive: true, mode: 0o700 })
}

/** A signal that fires with the process's own, or after a while. @param seconds Infinity: never. */
export function within(context: Context, seconds: number): AbortSignal {
  if (!Number.isFinite(seconds)) return context.signal
  return AbortSignal.any([
    context.signal,
    AbortSignal.timeout(Math.max(1, Math.ceil(seconds * 1000))),
  ])
}

/** A time limit that is lifted once what it was for has come about. */
export interface TimeLimit {
  /** Fires when the process is told to end, or when the time is over before the limit is lifted. */
  readonly signal: AbortSignal
  lift(): void
}

/** Begins a time limit. @param ending Fires when the process is told to end. */
export function timeLimit(ending: AbortSignal, seconds: number): TimeLimit {
  const over = new AbortController()
  const timer = setTimeout(() => over.abort(), seconds * 1000)
  return { signal: AbortSignal.any([ending, over.signal]), lift: () => clearTimeout(timer) }
}
