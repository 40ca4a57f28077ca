import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs'
import { copyFile, mkdir, symlink } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('../../..', import.meta.url))

/**
 * Puts programs of a run into one file each, so that a process that is started many times loads in a
 * third of the time. @returns the full path of each program's file, in their order
 */
export async function bundlePrograms(folder: string, scripts: readonly URL[]): Promise<string[]> {
  const outdir = join(folder, 'programs', 'bundle')
  await mkdir(outdir, { recursive: true })
  await build({
    entryPoints: scripts.map((script) => ({ in: fileURLToPath(script), out: nameOf(script) })),
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    conditions: ['@liaison/source'],
    external: ['lmdb', 'sodium-native', '*.node'],
    banner: {
      js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
    },
  })
  // Where a program looks for its version, and for packages.
  await copyFile(join(root, 'server/package.json'), join(folder, 'programs', 'package.json'))
  await symlink(join(root, 'node_modules'), join(outdir, 'node_modules'))
  return scripts.map((script) => join(outdir, `${nameOf(script)}.mjs`))
}

const nameOf = (script: URL): string => basename(script.pathname, '.ts')

/** One message of the parent, and its answer. */
export interface Call<T> {
  readonly call: number
  readonly order: T
}
export interface Answer {
  readonly call: number
  readonly answer?: unknown
  readonly error?: string
}

/** Every process of this run that is alive: ended whatever happens to this one. */
const alive = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of alive) child.kill('SIGKILL')
})

/** Remembers a process so that it cannot outlive this one. */
export function watched<T extends ChildProcess>(child: T): T {
  alive.add(child)
  child.once('exit', () => alive.delete(child))
  return child
}

/** A program of the run in a process of its own. */
export class ChaosProcess {
  readonly #child: ChildProcess
  readonly ended: Promise<void>
  readonly #waiting = new Map<number, (answer: Answer) => void>()
  #calls = 0

  /** @param logFile Everything that it prints is appended here. */
  constructor(program: string, logFile: string) {
    const log = openSync(logFile, 'a')
    this.#child = watched(
      fork(program, [], { cwd: root, execArgv: [], stdio: ['ignore', log, log, 'ipc'] }),
    )
    closeSync(log)
    this.ended = once(this.#child, 'exit').then(() => {
      for (const tell of this.#waiting.values()) tell({ call: 0, error: 'the process ended' })
      this.#waiting.clear()
    })
    this.#child.on('error', () => undefined)
    this.#child.on('message', (message: Answer) => {
      this.#waiting.get(message.call)?.(message)
      this.#waiting.delete(message.call)
    })
  }

  get alive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** @throws Error what the program says, or that it ended or was silent for too long. */
  ask<R>(order: object, msMax = 30_000): Promise<R> {
    return new Promise((resolve, reject) => {
      const call = ++this.#calls
      const timer = setTimeout(() => {
        this.#waiting.delete(call)
        reject(new Error(`no answer within ${msMax} ms: ${JSON.stringify(order).slice(0, 80)}`))
      }, msMax)
      this.#waiting.set(call, ({ answer, error }) => {
        clearTimeout(timer)
        if (error === undefined) resolve(answer as R)
        else reject(new Error(error))
      })
      if (!this.alive) this.#waiting.get(call)?.({ call, error: 'the process has ended' })
      else this.#child.send({ call, order }, () => undefined)
    })
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT' | 'SIGTERM'): void {
    if (this.alive) this.#child.kill(signal)
  }

  async kill(): Promise<void> {
    if (this.alive) this.#child.kill('SIGKILL')
    await this.ended
  }
}

/** What a program does with the orders of its parent. Ends with its parent. */
export function serveParent<T>(obey: (order: T) => Promise<unknown>): void {
  const tell = (answer: Answer): void => {
    if (process.connected) process.send?.(answer, () => undefined)
  }
  process.on('message', ({ call, order }: Call<T>) => {
    obey(order).then(
      (answer) => tell({ call, answer }),
      (error: unknown) => {
        console.error(error)
        tell({ call, error: error instanceof Error ? error.message : String(error) })
      },
    )
  })
  process.on('disconnect', () => process.exit(0))
}

/** Memory and open handles of a process; null when it is gone. */
export function measured(pid: number): { readonly rss: number; readonly handles: number } | null {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    const kib = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0)
    return { rss: kib * 1024, handles: readdirSync(`/proc/${pid}/fd`).length }
  } catch {
    return null
  }
}

/** A pause; ends early when the signal fires. */
export const pause = (ms: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(done, ms)
    function done(): void {
      clearTimeout(timer)
      signal?.removeEventListener('abort', done)
      resolve()
    }
    if (signal?.aborted === true) done()
    else signal?.addEventListener('abort', done, { once: true })
  })

/** Waits until something is so. @throws Error naming it after `msMax`. */
export async function until(
  what: string,
  is: () => boolean | Promise<boolean>,
  msMax = 30_000,
): Promise<void> {
  const end = performance.now() + msMax
  while (!(await is())) {
    if (performance.now() > end) throw new Error(`not within ${msMax} ms: ${what}`)
    await pause(20)
  }
}
