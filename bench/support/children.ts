import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { ConfigInput } from '@liaison/server'

const root = fileURLToPath(new URL('../..', import.meta.url))
const tsHook = new URL('../../scripts/ts.mjs', import.meta.url).href

/** How long a child may take to end by itself, ms. */
const endMsMax = 15_000

/** A server in a process of its own; it ends with its scope. */
export interface Child extends AsyncDisposable {
  readonly url: string
  /** Asks the child something and takes its answer. */
  ask<T>(question: object): Promise<T>
}

async function start(script: string, first: object): Promise<Child> {
  const child = fork(fileURLToPath(new URL(script, import.meta.url)), [], {
    cwd: root,
    execArgv: ['--conditions=@liaison/source', `--import=${tsHook}`, '--expose-gc'],
    stdio: ['ignore', 2, 2, 'ipc'],
  })
  const end = (): void => void child.kill('SIGKILL')
  process.once('exit', end)
  const { url } = await askChild<{ readonly url: string }>(child, first)
  return {
    url,
    ask: (question) => askChild(child, question),
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) {
        const ended = once(child, 'exit')
        const timer = setTimeout(end, endMsMax)
        child.send({ stop: true })
        await ended
        clearTimeout(timer)
      }
      process.off('exit', end)
    },
  }
}

async function askChild<T>(child: ChildProcess, question: object): Promise<T> {
  const gone = new AbortController()
  const answer = once(child, 'message', { signal: gone.signal })
  const exit = (): void => gone.abort(new Error('a server of the benchmark ended early'))
  child.once('exit', exit)
  try {
    child.send(question)
    const [message] = (await answer) as [T]
    return message
  } finally {
    child.off('exit', exit)
  }
}

/** Starts the real relay in a process of its own. */
export const startRelayChild = (config: ConfigInput): Promise<Child> =>
  start('./relay-child.ts', { config })

/** Starts a server that does nothing but send frames: the limit of what a relay could deliver. */
export const startBroadcastChild = (): Promise<Child> =>
  start('./broadcast-child.ts', { listen: true })

/** Starts a server that answers every message and does nothing else. */
export const startEchoChild = (): Promise<Child> => start('./echo-child.ts', { listen: true })
