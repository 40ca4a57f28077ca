import type { Process } from './context.ts'
import { interruptedExit, run } from './run.ts'

/** How long a command may tidy up after a signal, ms; most have nothing to tidy. */
const tidyMs = 2000

const terminatedExit = 143

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

// The reader of a pipe has had enough, as `head` does: nothing went wrong.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 1)
})
process.stderr.on('error', () => undefined)
process.on('SIGINT', () => onSignal(interruptedExit))
process.on('SIGTERM', () => onSignal(terminatedExit))
process.on('SIGHUP', () => onSignal(129))

const exit = await run(process.argv.slice(2), from)
// What was told to end by a signal, and did so in good order, did what it was told.
const told = exit === 0 && endsByItself ? 0 : (signalExit ?? exit)
// Only after stdout has taken everything: on some systems pipes are written in the background.
process.stdout.write('', () => process.exit(told))
