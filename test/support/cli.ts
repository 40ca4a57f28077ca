import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { chmod, copyFile, mkdir, writeFile } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import { encryptKeyFile, type Identity } from '@liaison/client-sdk/admin'
import { openLmdbStore } from '@liaison/client-sdk/node'
import { systemClock, toBase64url } from '@liaison/protocol'
import { build } from 'esbuild'
import { run } from '../../cli/src/run.ts'
import { root } from '../architecture/sources.ts'
import { seededBytes, type TestDevice, type TestNetwork } from './network.ts'
import type { TestRelay } from './relay.ts'
import { provision, startReportScenario, storageKeyOf } from './sdk.ts'
import type { TempFolder } from './temp-folder.ts'

/** Below the repository, so that packages are found from there. */
const bundle = join(root, '.cache', `cli-${process.pid}`)

/** Ends what still runs; also when a test ends in a way that unwinds no scope. */
const running = new Set<() => void>()
process.once('exit', () => {
  for (const end of running) end()
  rmSync(bundle, { recursive: true, force: true })
})

// A command is started dozens of times: translating every source for each would take minutes.
await build({
  entryPoints: [join(root, 'cli/src/main.ts')],
  outdir: join(bundle, 'dist'),
  bundle: true,
  splitting: true,
  sourcemap: 'linked',
  platform: 'node',
  format: 'esm',
  target: 'node20',
  conditions: ['@liaison/source'],
  plugins: [
    {
      name: 'packages stay outside',
      setup: ({ onResolve }) => {
        onResolve({ filter: /^[^./#]/ }, ({ path }) =>
          path.startsWith('@liaison/') || isAbsolute(path) ? null : { path, external: true },
        )
      },
    },
  ],
})
await copyFile(join(root, 'cli/package.json'), join(bundle, 'package.json'))

/** How a command is run. */
export interface CliOptions {
  /** Working folder; the repository when absent. */
  readonly cwd?: string
  /** Home folder of the device. */
  readonly home?: string
  /** What stdin gives; nothing when absent. */
  readonly input?: string
  readonly env?: Readonly<Record<string, string>>
  /** Through cli/bin/liaison.mjs as it is installed; else the same sources, loaded in half the time. */
  readonly installed?: boolean
}

/** What a command left behind. */
export interface CliResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  /** Objects of stdout, one a line. */
  readonly json: () => readonly Json[]
}

/** An object that a command printed. */
export type Json = { readonly [key: string]: unknown }

/** Words that start the command, for tests in which a shell does. */
export const cliCommand: readonly string[] = [
  // tap has every Node below it load its own tools first, which takes as long as the command.
  ...['env', '-u', 'NODE_OPTIONS'],
  process.execPath,
  join(bundle, 'dist', 'main.js'),
]

/** A running `liaison`; it is killed when its scope ends. */
export class Cli implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #closed: Promise<unknown>
  #stdout = ''
  #stderr = ''

  constructor(args: readonly string[], options: CliOptions = {}) {
    const { cwd = root, home, input, env = {}, installed = false } = options
    const script = installed ? join(root, 'cli/bin/liaison.mjs') : join(bundle, 'dist', 'main.js')
    // tap has every Node below it load its own tools first, which takes as long as the command.
    const bare = ['-u', 'NODE_OPTIONS', process.execPath, script]
    this.#child = spawn('env', [...bare, ...args], {
      cwd,
      stdio: ['pipe', 'pipe', 'pipe'],
      // A group of its own: the installed command may run the program in a process below it.
      detached: true,
      env: {
        PATH: process.env['PATH'],
        // Nobody's real home folder may be touched, not even by mistake.
        LIAISON_HOME: home ?? join(cwd, 'no-home'),
        NO_COLOR: '1',
        ...env,
      },
    })
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text
    })
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text
    })
    this.#closed = once(this.#child, 'close')
    const end = (): void => this.#killAll('SIGKILL')
    running.add(end)
    this.#child.once('exit', () => running.delete(end))
    // A command that does not read stdin may end before it is written.
    this.#child.stdin?.on('error', () => undefined)
    this.#child.stdin?.end(input ?? '')
  }

  get stdout(): string {
    return this.#stdout
  }

  get stderr(): string {
    return this.#stderr
  }

  /** Waits for a text. @returns the match. @throws Error with everything said when it ends without. */
  async says(stream: 'stdout' | 'stderr', pattern: RegExp): Promise<RegExpExecArray> {
    const signal = AbortSignal.timeout(20_000)
    for (;;) {
      const match = pattern.exec(this[stream])
      if (match !== null) return match
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) await this.#closed
      const late = pattern.exec(this[stream])
      if (late !== null) return late
      if (this.#child.exitCode !== null) {
        throw new Error(`never said ${pattern}: ${this.#stdout}${this.#stderr}`)
      }
      await Promise.race([
        once(this.#child[stream] ?? this.#child, 'data', { signal }),
        this.#closed,
      ])
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  async ended(): Promise<CliResult> {
    await this.#closed
    return resultOf(this.#child.exitCode, this.#stdout, this.#stderr)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#killAll('SIGTERM')
      const gone = setTimeout(() => this.#killAll('SIGKILL'), 5000)
      await this.#closed
      clearTimeout(gone)
    }
  }

  #killAll(signal: NodeJS.Signals): void {
    const { pid } = this.#child
    try {
      if (pid !== undefined) process.kill(-pid, signal)
    } catch {
      // It has ended in the meantime.
    }
  }
}

const resultOf = (code: number | null, stdout: string, stderr: string): CliResult => ({
  code,
  stdout,
  stderr,
  json: () =>
    stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Json),
})

/** Runs a command in this process: for what a process of its own adds nothing to but half a second. */
export async function inProcess(home: string, args: readonly string[]): Promise<CliResult> {
  const written = { stdout: '', stderr: '' }
  const stream = (name: keyof typeof written) => ({
    isTTY: false,
    write: (text: string | Uint8Array) => {
      written[name] += String(text)
      return true
    },
  })
  const code = await run(['--json', '--no-input', '--home', home, ...args], {
    signal: new AbortController().signal,
    endsByItself: () => undefined,
    streams: { stdout: stream('stdout'), stderr: stream('stderr') },
  })
  return resultOf(code, written.stdout, written.stderr)
}

/** Runs a command to its end in a process of its own. */
export async function liaison(
  args: readonly string[],
  options: CliOptions = {},
): Promise<CliResult> {
  await using cli = new Cli(args, options)
  return await cli.ended()
}

/** The one error object that `--json` puts on stderr. @throws Error when there is none. */
export function errorIn({ stderr }: CliResult): Json {
  const line = stderr
    .split('\n')
    .reverse()
    .find((one) => one.startsWith('{'))
  if (line === undefined) throw new Error(`no error object in: ${stderr}`)
  const { schemaVersion, error } = JSON.parse(line) as Json
  if (schemaVersion !== 1) throw new Error(`schemaVersion ${String(schemaVersion)}`)
  return error as Json
}

/** State of each check of `doctor --json` by its name. */
export const checksOf = (result: CliResult): Json =>
  Object.fromEntries(
    ((result.json()[0]?.['checks'] ?? []) as readonly Json[]).map(({ check, state }) => [
      String(check),
      state,
    ]),
  )

/** A relay and a network of the present time: commands go by the machine's clock. */
export const startCliScenario = (): Promise<TestRelay> =>
  startReportScenario({ genesisT: Date.now() - 3_600_000 }, { clock: systemClock })

/** Writes the network file of a test network. */
async function writeNetworkFile(network: TestNetwork, url: string, path: string): Promise<void> {
  const [genesis, ...directory] = network.entries().map(toBase64url)
  const name = network.directory.name
  await writeFile(path, JSON.stringify({ v: 1, name, genesis, relays: [url], directory }))
}

/**
 * Makes the home folder that a device of a test network has after its enrolment.
 *
 * @param passphrase Protects the key file, at the least cost that is permitted; none when absent.
 */
export async function makeHome(
  network: TestNetwork,
  device: TestDevice,
  where: { readonly folder: TempFolder; readonly url: string; readonly passphrase?: string },
): Promise<string> {
  const home = join(where.folder.path, 'homes', device.label)
  await mkdir(home, { recursive: true, mode: 0o700 })
  await writeNetworkFile(network, where.url, join(home, 'network.json'))
  await writeKey(join(home, 'identity.json'), where.passphrase ?? null, {
    kind: 'device',
    signingKey: device.key,
    storageKey: storageKeyOf(device),
  })
  await using store = await openLmdbStore(join(home, 'store'))
  await provision(network, device, store)
  return home
}

/** Writes an administrator's key file and the network file. @returns the options that name both. */
export async function makeDesk(
  network: TestNetwork,
  admins: readonly number[],
  where: { readonly folder: TempFolder; readonly url: string },
): Promise<string[]> {
  const file = join(where.folder.path, 'desk-network.json')
  await writeNetworkFile(network, where.url, file)
  const options = ['--network', file]
  for (const number of admins) {
    const signingKey = network.adminKeys.get(number)
    if (signingKey === undefined) throw new Error(`no administrator ${number}`)
    const path = join(where.folder.path, `desk-admin-${number}.json`)
    const storageKey = seededBytes(`admin ${number}`, 32)
    await writeKey(path, null, { kind: 'administrator', signingKey, storageKey })
    options.push('--identity', path)
  }
  return options
}

/** Writes a key file; under a passphrase at the least cost that is permitted. */
export async function writeKey(
  path: string,
  passphrase: string | null,
  identity: Identity,
): Promise<void> {
  const least = { mem: 67_108_864, ops: 3 }
  await writeFile(path, await encryptKeyFile(identity, passphrase, least))
  await chmod(path, 0o600)
}
