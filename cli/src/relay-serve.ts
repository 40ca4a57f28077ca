import { dirname, resolve } from 'node:path'
import { isRelayError } from '@liaison/protocol'
import {
  ConfigError,
  type ConfigInput,
  configFromEnvironment,
  createLogger,
  fileProblems,
  networkIdOfGenesis,
  openRedisLog,
  type RelayConfig,
  readConfig,
  readGenesis,
  readRedisOptions,
  startRelay,
} from '@liaison/server'
import { configOptions, pathOptions } from '@liaison/server/options'
import type { Context, Options } from './context.ts'
import { SilentExit, usage } from './failure.ts'
import { readTextFile } from './files.ts'
import { schemaVersion } from './output.ts'

/** Exit code of a configuration that cannot be used (EX_CONFIG of sysexits.h). */
const configExit = 78

/** Options in the order in which the later ones win: file, environment, flags. */
export async function gather(options: Options): Promise<ConfigInput> {
  const path = options.text('config')
  const input: { [name: string]: unknown } = path === undefined ? {} : { ...(await fromFile(path)) }
  Object.assign(input, configFromEnvironment())
  for (const name of configOptions) {
    const value = options.text(name) ?? (options.flag(name) ? true : undefined)
    if (value !== undefined) input[name] = value
  }
  return input
}

async function fromFile(path: string): Promise<object> {
  const problem = (text: string): ConfigError =>
    new ConfigError([{ option: 'config', problem: text }])
  const text = await readTextFile(path).catch((error: unknown) => {
    throw problem(isRelayError(error) ? (error.detail ?? 'cannot be read') : 'cannot be read')
  })
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return besideFile(path, value as ConfigInput)
    }
  } catch {
    throw problem('is not JSON')
  }
  throw problem('is not a JSON object')
}

const pathNames: readonly string[] = pathOptions

/** Paths in a file are those of things beside it, from wherever the relay is started. */
const besideFile = (path: string, config: ConfigInput): ConfigInput =>
  Object.fromEntries(
    Object.entries(config).map(([name, value]) =>
      pathNames.includes(name) && typeof value === 'string' && value !== ''
        ? [name, resolve(dirname(path), value)]
        : [name, value],
    ),
  )

/** Says every problem at once. @returns what ends the command. */
function refused(context: Context, error: ConfigError): SilentExit {
  const { problems } = error
  if (context.out.json) {
    const body = { code: error.code, text: error.message, exit: configExit, problems }
    context.out.warn(JSON.stringify({ schemaVersion, error: body }))
  } else {
    context.out.warn(
      'liaison: the relay does not start with this configuration.',
      ...problems.map(({ option, problem }) => `  ${option}: ${problem}`),
      '  What to do: correct these; see liaison relay serve --help.',
      `  Code: ${error.code} (exit ${configExit})`,
    )
  }
  return new SilentExit(configExit)
}

/** Options of a relay, checked. @throws what ends the command, with every problem said. */
export function checkedConfig(context: Context, input: ConfigInput): RelayConfig {
  try {
    return readConfig(input)
  } catch (error) {
    throw error instanceof ConfigError ? refused(context, error) : error
  }
}

/** The options of a relay, gathered and checked. @throws what ends the command, with every problem said. */
export async function configOf(context: Context, options: Options): Promise<RelayConfig> {
  try {
    return readConfig(await gather(options))
  } catch (error) {
    throw error instanceof ConfigError ? refused(context, error) : error
  }
}

/** Checks the options of a relay and the files that they name without starting it. */
export async function checkRelayConfig(context: Context, options: Options): Promise<void> {
  const config = await configOf(context, options)
  const problems = await fileProblems(config, context.clock)
  if (problems.length > 0) throw refused(context, new ConfigError(problems))
  const online = options.flag('online') ? await checkOnline(context, config) : null
  context.out.data({ ok: true, config, online }, () => [
    'The configuration is usable.',
    ...(online === null ? [] : [`The store keeps profile ${online.profile}.`]),
  ])
}

/** Opens the log as the relay would, and closes it again. */
async function checkOnline(
  context: Context,
  { redis, network }: RelayConfig,
): Promise<{ readonly profile: string; readonly leaves: number }> {
  if (redis === undefined) {
    throw usage('With the store lmdb there is nothing to connect to.', 'online')
  }
  const net = networkIdOfGenesis(await readGenesis(network))
  try {
    await using log = await openRedisLog({ redis: await readRedisOptions(redis), net })
    return { profile: redis.profile, leaves: log.leafCount() }
  } catch (error) {
    throw notStarted(context, error)
  }
}

/** Runs a relay until the process is told to end; then it finishes what it began. */
export async function serveRelay(context: Context, options: Options): Promise<void> {
  const config = await configOf(context, options)
  context.endsByItself()
  const logger = createLogger(config.logLevel, process.stderr)
  const relay = await startRelay(config, { logger }).catch((error: unknown) => {
    throw notStarted(context, error)
  })
  context.out.data({ state: 'listening', url: relay.url, operatorUrl: relay.operatorUrl }, () => [
    `Relay    ${relay.url}`,
    `Operator ${relay.operatorUrl}`,
  ])
  await new Promise<void>((resolve) => {
    context.signal.addEventListener('abort', () => resolve(), { once: true })
    if (context.signal.aborted) resolve()
  })
  context.out.say('Stopping: what was begun is finished first.')
  await relay.stop()
  context.out.data({ state: 'stopped' }, () => ['Stopped.'])
}

const errnoText: { readonly [errno: string]: string } = {
  EADDRINUSE: 'another program listens on this port',
  EADDRNOTAVAIL: 'this machine does not have that address',
  EACCES: 'this user may not use that port, folder or file',
  ENOENT: 'a file or folder that it names does not exist',
}

/** Codes that only a person can do something about. */
const personal: ReadonlySet<string> = new Set(['config_invalid', 'store_mismatch', 'log_corrupt'])

/** What hinders a relay from starting is nearly always its configuration. */
export function notStarted(context: Context, error: unknown): unknown {
  if (error instanceof ConfigError) return refused(context, error)
  if (isRelayError(error) && personal.has(error.code)) {
    const problem = error.detail ?? error.message
    return refused(context, new ConfigError([{ option: error.field ?? 'data', problem }]))
  }
  const errno = error instanceof Error && 'code' in error ? String(error.code) : ''
  const problem = errnoText[errno]
  if (problem === undefined) return error
  const option =
    errno === 'EADDRINUSE' || errno === 'EADDRNOTAVAIL' ? 'host, port' : 'data, tlsCert, tlsKey'
  return refused(context, new ConfigError([{ option, problem }]))
}
