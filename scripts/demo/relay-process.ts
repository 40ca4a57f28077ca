import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, type WriteStream } from 'node:fs'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('relay-main.ts', import.meta.url))
const loader = new URL('../ts.mjs', import.meta.url).href

/** Longest wait for the relay to listen, ms. */
const startMsMax = 20_000

/** Where the relay listens. */
interface Addresses {
  readonly url: string
  readonly operatorUrl: string
}

/** What the relay process is told; see server/src/config.ts. */
export type RelayOptions = Readonly<Record<string, unknown>>

/** The relay as a child process: started, killed without warning, started again on the same port. */
export class RelayProcess {
  readonly #options: RelayOptions
  readonly #log: WriteStream
  #child: ChildProcess | null = null
  #port = 0
  url = ''
  operatorUrl = ''

  /** @param logFile Receives everything that the relay prints. */
  constructor(options: RelayOptions, logFile: string) {
    this.#options = options
    this.#log = createWriteStream(logFile, { flags: 'a' })
  }

  get pid(): number {
    return this.#child?.pid ?? 0
  }

  /** Starts the relay and waits until it listens. */
  async start(): Promise<void> {
    const config = JSON.stringify({ ...this.#options, port: this.#port, operatorPort: 0 })
    const child = spawn(
      process.execPath,
      ['--conditions=@liaison/source', `--import=${loader}`, main, config],
      { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] },
    )
    this.#child = child
    let errors = ''
    child.stdout?.on('data', (data: Buffer) => this.#log.write(data))
    child.stderr?.on('data', (data: Buffer) => {
      errors += data.toString()
      this.#log.write(data)
    })
    const signal = AbortSignal.timeout(startMsMax)
    const first = await Promise.race([
      once(child, 'message', { signal }).then(([message]) => message as Addresses),
      once(child, 'exit').then(() => null),
    ])
    if (first === null) throw new Error(`the relay did not start: ${errors.slice(0, 2000)}`)
    this.url = first.url
    this.operatorUrl = first.operatorUrl
    this.#port = Number(new URL(first.url).port)
  }

  /** Ends the process as a power cut of the process would: no handler runs. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  /** Asks the relay to stop, and waits until it has and its log is written. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM')
    await new Promise<void>((resolve, reject) => {
      this.#log.write('', (error) => (error ? reject(error) : resolve()))
    })
  }

  /** Stops for good. */
  async end(): Promise<void> {
    await this.#end('SIGTERM')
    await new Promise((resolve) => this.#log.end(resolve))
  }

  async #end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const child = this.#child
    this.#child = null
    if (child === null || child.exitCode !== null) return
    const ended = once(child, 'exit')
    child.kill(signal)
    await ended
  }
}
