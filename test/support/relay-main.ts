import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { variableOf } from '@liaison/server'
import { root } from '../architecture/sources.ts'

/** The relay's own program while it runs. */
export interface RelayMain extends AsyncDisposable {
  readonly child: ChildProcessByStdio<null, Readable, Readable>
  /** What it has printed so far. */
  output(): string
  /** Waits until it has ended. */
  ended(): Promise<{ readonly code: number | null; readonly out: string }>
}

/** Starts the relay's own program with some options in its environment. */
export function startMain(options: Readonly<Record<string, string>>): RelayMain {
  const flags = ['--conditions=@liaison/source', '--import=./scripts/ts.mjs']
  const child = spawn(process.execPath, [...flags, 'server/src/main.ts'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      ...Object.fromEntries(Object.entries(options).map(([k, v]) => [variableOf(k), v])),
    },
  })
  let out = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      out += text
    })
  }
  const closed = once(child, 'close')
  return {
    child,
    output: () => out,
    ended: async () => {
      await closed
      return { code: child.exitCode, out }
    },
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL')
      await closed
    },
  }
}
