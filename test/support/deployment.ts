/** The container files, read so that plain processes can be started exactly as they say. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { readGenesis } from '@liaison/server'
import { parse } from 'yaml'
import { networkIdOfGenesis } from '../../server/src/directory/genesis.ts'
import { redisInstallation } from '../../server/src/log/redis/install.ts'
import { root } from '../architecture/sources.ts'
import { freePort } from './redis-server.ts'
import type { TempFolder } from './temp-folder.ts'

/** A secret or configuration file of a service: its name in the compose file, its name inside. */
type Mounted = string | { readonly source: string; readonly target: string }

/** One service as a compose file describes it. */
export interface Service {
  readonly image?: string
  readonly user?: string
  readonly read_only?: boolean
  readonly cap_drop?: readonly string[]
  readonly cap_add?: readonly string[]
  readonly privileged?: boolean
  readonly network_mode?: string
  readonly security_opt?: readonly string[]
  readonly command?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly secrets?: readonly Mounted[]
  readonly configs?: readonly Mounted[]
  readonly volumes?: readonly string[]
  readonly ports?: readonly string[]
  readonly networks?: readonly string[]
  readonly tmpfs?: readonly string[]
}

/** What of a compose file matters here. */
export interface Compose {
  readonly services: Readonly<Record<string, Service>>
  readonly secrets: Readonly<Record<string, { readonly file: string }>>
  readonly configs: Readonly<Record<string, { readonly file: string }>>
  readonly networks: Readonly<Record<string, { readonly internal?: boolean } | null>>
}

/** Reads compose files, the later ones over the earlier, by the rules of `docker compose -f A -f B`. */
export async function readCompose(...names: readonly string[]): Promise<Compose> {
  let whole: Compose = { services: {}, secrets: {}, configs: {}, networks: {} }
  for (const name of names) {
    const text = await readFile(join(root, name), 'utf8')
    const next = parse(text, { merge: true }) as Partial<Compose>
    const services = { ...whole.services }
    for (const [service, over] of Object.entries(next.services ?? {})) {
      services[service] = mergeService(services[service] ?? {}, over)
    }
    whole = {
      services,
      secrets: { ...whole.secrets, ...next.secrets },
      configs: { ...whole.configs, ...next.configs },
      networks: { ...whole.networks, ...next.networks },
    }
  }
  return whole
}

const mergeService = (under: Service, over: Service): Service => ({
  ...under,
  ...over,
  environment: { ...under.environment, ...over.environment },
  secrets: [...(under.secrets ?? []), ...(over.secrets ?? [])],
  configs: [...(under.configs ?? []), ...(over.configs ?? [])],
  volumes: [...(under.volumes ?? []), ...(over.volumes ?? [])],
  ports: [...(under.ports ?? []), ...(over.ports ?? [])],
})

/** Runs a program to its end. @throws with what it said when it fails */
export async function runProgram(
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<string> {
  const child = spawn('env', ['-u', 'NODE_OPTIONS', program, ...args], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let out = ''
  let said = ''
  child.stdout.on('data', (data: Buffer) => {
    out += data.toString()
  })
  child.stderr.on('data', (data: Buffer) => {
    said += data.toString()
  })
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${code}: ${said}`)
  return out
}

/** The deployment of the compose files as processes of this machine, under its own paths and ports. */
export class Deployment implements AsyncDisposable {
  readonly compose: Compose
  readonly folder: TempFolder
  readonly #ports = new Map<string, number>()
  readonly #running: ChildProcess[] = []

  private constructor(compose: Compose, folder: TempFolder) {
    this.compose = compose
    this.folder = folder
  }

  /**
   * Makes certificates and passwords with the scripts that operators use.
   *
   * @param folder Holds `network.json` and `relay-N-keys.json` in the folder `deploy`.
   */
  static async prepare(folder: TempFolder, ...files: readonly string[]): Promise<Deployment> {
    const deployment = new Deployment(await readCompose(...files), folder)
    const { path } = folder
    await runProgram('sh', ['deploy/make-certificates.sh', join(path, 'deploy/tls')])
    const genesis = await readGenesis(join(path, 'deploy/network.json'))
    const { prefix } = redisInstallation(networkIdOfGenesis(genesis))
    await runProgram('sh', ['deploy/make-secrets.sh', prefix, join(path, 'deploy/secrets')])
    for (const [name, { command }] of Object.entries(deployment.compose.services)) {
      if (command?.join(' ').includes('redis-server')) deployment.#ports.set(name, await freePort())
    }
    return deployment
  }

  service(name: string): Service {
    const service = this.compose.services[name]
    if (service === undefined) throw new Error(`no service ${name}`)
    return service
  }

  port(name: string): number {
    return this.#ports.get(name) ?? 0
  }

  /** Where a secret of a service lies on this machine. */
  secret(service: string, target: string): string {
    const found = (this.service(service).secrets ?? []).find((one) => targetOf(one) === target)
    const file = found === undefined ? undefined : this.compose.secrets[sourceOf(found)]?.file
    if (file === undefined) throw new Error(`${service} has no secret ${target}`)
    return join(this.folder.path, file)
  }

  /** A text of the compose files with this machine's paths, ports and addresses in it. */
  #here(service: string, text: string): string {
    return text
      .replaceAll(/\/run\/secrets\/([\w.-]+)/g, (_, target: string) => this.secret(service, target))
      .replaceAll(/(^|[\s,])((?:redis|sentinel)[\w-]*):\d+/g, (_, before: string, name: string) => {
        return `${before}127.0.0.1:${this.port(name)}`
      })
  }

  /** The environment of a service. */
  environment(name: string): Record<string, string> {
    const entries = Object.entries(this.service(name).environment ?? {})
    return Object.fromEntries(entries.map(([key, text]) => [key, this.#here(name, String(text))]))
  }

  /** Starts a server of the store: the same file and the same arguments. */
  async startServer(name: string): Promise<void> {
    const { command = [], configs = [] } = this.service(name)
    const data = join(this.folder.path, name)
    await mkdir(data, { recursive: true })
    const [mounted] = configs
    const source =
      mounted === undefined ? '' : (this.compose.configs[sourceOf(mounted)]?.file ?? '')
    let text = this.#here(name, await readFile(join(root, source), 'utf8'))
    const isSentinel = basename(source) === 'sentinel.conf'
    if (isSentinel) text += await readFile(this.secret(name, 'sentinel-auth'), 'utf8')
    const file = await this.folder.write(
      join(name, 'server.conf'),
      `${text
        .replace(/^tls-port \d+$/m, `tls-port ${this.port(name)}`)
        .replace(/^dir \/data$/m, `dir ${data}`)
        .replace(/monitor liaison redis 6379/, `monitor liaison 127.0.0.1 ${this.port('redis')}`)}
bind 127.0.0.1
`,
    )
    const args = isSentinel ? ['--sentinel'] : this.#arguments(name, command)
    const child = spawn('redis-server', [file, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
    this.#running.push(child)
    const kill = (): void => void child.kill('SIGKILL')
    process.once('exit', kill)
    child.once('exit', () => process.off('exit', kill))
    let said = ''
    const ready = new Promise<void>((resolve, reject) => {
      child.stdout?.on('data', (chunk: Buffer) => {
        said = (said + chunk.toString()).slice(-8192)
        if (/Ready to accept|Sentinel ID is/.test(said)) resolve()
      })
      child.once('error', reject)
      child.once('exit', (code) => reject(new Error(`${name} ended with ${code}: ${said}`)))
    })
    await ready
  }

  /** What stands behind the file; a name and its port stand in two arguments there. */
  #arguments(name: string, command: readonly string[]): string[] {
    const args = command.slice(2).map((arg) => this.#here(name, arg))
    const at = args.indexOf('--replicaof')
    if (at >= 0) args.splice(at + 1, 2, '127.0.0.1', String(this.port(args[at + 1] ?? '')))
    const announced = args.indexOf('--replica-announce-ip')
    if (announced >= 0) args[announced + 1] = '127.0.0.1'
    return args
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#running.reverse()) {
      if (child.exitCode !== null || child.signalCode !== null) continue
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    }
  }
}

const sourceOf = (one: Mounted): string => (typeof one === 'string' ? one : one.source)
const targetOf = (one: Mounted): string => (typeof one === 'string' ? one : one.target)
