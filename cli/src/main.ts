import type { Process } from './context.ts'
import { describeFailure } from './failure.ts'
import { interruptedExit, run } from './run.ts'
import { standardOutput } from './stdout.ts'
import { unavailable } from './unavailable.ts'

/** How long a command may tidy up after a signal, ms; most have nothing to tidy. */
const tidyMs = 2000

const terminatedExit = 143

const stop = new AbortController()
let signalExit: number | null = null
let endsByItself = false

const from: Process = {
  signal: stop.signal,
  streams: { stdout: standardOutput, stderr: process.stderr },
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

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // The reader of a pipe has had enough, as `head` does: nothing went wrong.
  if (error.code === 'EPIPE') process.exit(0)
  const { exit, lines } = describeFailure(unavailable('standard output', error))
  process.stderr.write(`${lines.join('\n')}\n`, () => process.exit(exit))
})
process.stderr.on('error', () => undefined)
process.on('SIGINT', () => onSignal(interruptedExit))
process.on('SIGTERM', () => onSignal(terminatedExit))
process.on('SIGHUP', () => onSignal(129))

const exit = await run(process.argv.slice(2), from)
// What was told to end by a signal, and did so in good order, did what it was told.
const told = exit === 0 && endsByItself ? 0 : (signalExit ?? exit)
// Only after a pipe has taken everything: on some systems pipes are written in the background.
if (standardOutput === process.stdout) process.stdout.write('', () => process.exit(told))
else process.exit(told)
