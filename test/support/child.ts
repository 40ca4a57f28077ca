import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, symlink } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import type { TempFolder } from './temp-folder.ts'

const here = fileURLToPath(new URL('.', import.meta.url))
const root = fileURLToPath(new URL('../..', import.meta.url))
const tsHook = new URL('../../scripts/ts.mjs', import.meta.url).href

/** How a process ended. */
export interface Ending {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A process of a test, with the messages it sends; killed when its scope ends. */
export class Child implements AsyncDisposable {
  readonly ended: Promise<Ending>
  readonly #process: ChildProcess
  readonly #onExit: () => void

  private constructor(child: ChildProcess) {
    this.#process = child
    this.ended = new Promise((resolve) => {
      child.once('exit', (code, signal) => resolve({ code, signal }))
    })
    // Also when the test itself ends in a way that unwinds no scope.
    this.#onExit = () => void child.kill('SIGKILL')
    process.once('exit', this.#onExit)
    child.once('exit', () => process.off('exit', this.#onExit))
  }

  /** Starts a script and waits until it has loaded everything. @param script Path in `test/support`, or full. */
  static async start(script: string): Promise<Child> {
    const child = new Child(
      fork(isAbsolute(script) ? script : join(here, script), [], {
        cwd: root,
        execArgv: ['--conditions=@liaison/source', `--import=${tsHook}`],
        // Only errors are of interest; standard output belongs to the test's own report.
        stdio: ['ignore', 2, 2, 'ipc'],
      }),
    )
    await child.#message()
    return child
  }

  get alive(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null
  }

  /** Sends an order that gets no answer. */
  tell(order: object): void {
    this.#process.send(order)
  }

  /** Sends an order and takes the answer. @throws Error when the process ends first. */
  ask<T>(order: object): Promise<T> {
    const answer = this.#message<T>()
    this.#process.send(order)
    return answer
  }

  async #message<T>(): Promise<T> {
    const gone = new AbortController()
    const exit = (): void => gone.abort(new Error('the process ended before it answered'))
    this.#process.once('exit', exit)
    try {
      const [message] = (await once(this.#process, 'message', { signal: gone.signal })) as [T]
      return message
    } finally {
      this.#process.off('exit', exit)
    }
  }

  /** Ends the process at once, as a power cut would. */
  async kill(): Promise<Ending> {
    if (this.alive) this.#process.kill('SIGKILL')
    return this.ended
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
  }
}

/**
 * Puts a script and everything that it needs into one file, so that a process that is started many times
 * loads in a third of the time. @returns the full path of the file, in `folder`
 */
export async function bundled(script: string, folder: TempFolder): Promise<string> {
  const outfile = join(folder.path, 'bundle', script.replace(/\.ts$/, '.mjs'))
  await build({
    entryPoints: [join(here, script)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    conditions: ['@liaison/source'],
    // Native code stays outside; packages of the older module system need their `require`.
    external: ['lmdb', 'sodium-native', '*.node'],
    banner: {
      js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
    },
  })
  // Where the program looks for its version, and for packages.
  await copyFile(join(root, 'server/package.json'), join(folder.path, 'package.json'))
  await symlink(join(root, 'node_modules'), join(folder.path, 'bundle', 'node_modules'))
  return outfile
}
