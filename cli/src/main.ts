import { CommanderError } from 'commander'
import type { Process } from './context.ts'
import { describeFailure, Interrupted, SilentExit } from './failure.ts'
import { program } from './program.ts'

/** How long a command may tidy up after a signal, ms; most have nothing to tidy. */
const tidyMs = 2000

const [interruptedExit, terminatedExit] = [130, 143]

const stop = new AbortController()
let signalExit: number | null = null
let endsByItself = false

const from: Process = {
  signal: stop.signal,
  endsByItself: () => {
    endsByItself = true
  },
}

function onSignal(exit: number): void {
  signalExit ??= exit
  stop.abort()
  // Unref'd: it only fires when something else keeps the process.
  if (!endsByItself) setTimeout(() => process.exit(exit), tidyMs).unref()
}

/** Runs the command line. @returns the exit code. */
async function main(argv: readonly string[]): Promise<number> {
  try {
    await program(from).parseAsync([...argv], { from: 'user' })
    // What was told to end by a signal, and did so in good order, did what it was told.
    return endsByItself ? 0 : (signalExit ?? 0)
  } catch (error) {
    return exitOf(error, argv.includes('--json'))
  }
}

function exitOf(error: unknown, json: boolean): number {
  if (error instanceof SilentExit) return signalExit ?? error.exit
  if (error instanceof Interrupted) return signalExit ?? interruptedExit
  if (error instanceof CommanderError && error.exitCode === 0) return 0
  // No command was given: commander has shown the help on stderr.
  if (error instanceof CommanderError && error.code === 'commander.help') return 2
  if (signalExit !== null) return signalExit
  if ((process.env['LIAISON_DEBUG'] ?? '') === '1') console.error(error)
  const { exit, lines, object } = describeFailure(error)
  process.stderr.write(json ? `${JSON.stringify(object)}\n` : `${lines.join('\n')}\n`)
  return exit
}

// The reader of a pipe has had enough, as `head` does: nothing went wrong.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 1)
})
process.stderr.on('error', () => undefined)
process.on('SIGINT', () => onSignal(interruptedExit))
process.on('SIGTERM', () => onSignal(terminatedExit))
process.on('SIGHUP', () => onSignal(129))

const exit = await main(process.argv.slice(2))
// Only after stdout has taken everything: on some systems pipes are written in the background.
process.stdout.write('', () => process.exit(exit))
