import { CommanderError } from 'commander'
import type { Process } from './context.ts'
import { describeFailure, Interrupted, SilentExit } from './failure.ts'
import { program } from './program.ts'

/** Exit code after Ctrl-C. */
export const interruptedExit = 130

/**
 * Runs one command and says on stderr why it failed.
 *
 * @param argv Words after the name of the command.
 * @returns the exit code.
 */
export async function run(argv: readonly string[], from: Process): Promise<number> {
  try {
    await program(from).parseAsync([...argv], { from: 'user' })
    return 0
  } catch (error) {
    return exitOf(error, from, argv.includes('--json'))
  }
}

function exitOf(error: unknown, from: Process, json: boolean): number {
  if (error instanceof SilentExit) return error.exit
  if (error instanceof Interrupted) return interruptedExit
  if (error instanceof CommanderError && error.exitCode === 0) return 0
  // No command was given: commander has shown the help on stderr.
  if (error instanceof CommanderError && error.code === 'commander.help') return 2
  // What fails because it was told to end is no failure of its own.
  if (from.signal.aborted) return interruptedExit
  if ((process.env['LIAISON_DEBUG'] ?? '') === '1') console.error(error)
  const { exit, lines, object } = describeFailure(error)
  const { stderr } = from.streams ?? process
  stderr.write(json ? `${JSON.stringify(object)}\n` : `${lines.join('\n')}\n`)
  return exit
}
