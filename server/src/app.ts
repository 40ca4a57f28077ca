import { readFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { cpus } from 'node:os'
import { type Clock, RelayError, sodiumReady, systemClock } from '@liaison/protocol'
import Fastify, { type FastifyInstance, LogController } from 'fastify'
import type { Logger } from 'pino'
import { type RelayConfig, type RelayKeys, readGenesis, readRelayKeys } from './config.ts'
import { DirectoryHost } from './directory/directory-host.ts'
import { networkIdOfGenesis } from './directory/genesis.ts'
import { operatorPlugin } from './ingress/operator-plugin.ts'
import { wsPlugin } from './ingress/ws-plugin.ts'
import { relayLimits } from './limits.ts'
import { type Load, LoadWatch } from './load-watch.ts'
import { type OpenLogOptions, openLog } from './log/open-log.ts'
import type { LogListener, RelayLog } from './log/relay-log.ts'
import { createLogger } from './logger.ts'
import { Metrics } from './metrics.ts'
import { Relay } from './relay.ts'
import { SignatureChecker } from './signatures/signature-checker.ts'

/** What tests and embedders may replace. Contracts, not switches. */
export interface Overrides {
  readonly clock?: Clock
  readonly monotonic?: () => number
  /** From the upgrade to a good signature, ms. */
  readonly authMsMax?: number
  /** What the relay takes for its load, instead of measuring it. */
  readonly load?: () => Load
  readonly logger?: Logger
  /** Wraps the log, for instance with one that fails on purpose. */
  readonly openLog?: (options: OpenLogOptions) => Promise<RelayLog>
}

/** A relay that listens. */
export interface RunningRelay extends AsyncDisposable {
  /** WebSocket address of the relay's door. */
  readonly url: string
  /** Address of the operator's door. */
  readonly operatorUrl: string
  readonly relay: Relay
  /** Stops taking new work, finishes what was begun, tells clients when to come back. */
  stop(): Promise<void>
}

/** Starts one relay process on the log that the configuration names. @throws ConfigError, RelayError */
export async function startRelay(
  config: RelayConfig,
  overrides: Overrides = {},
): Promise<RunningRelay> {
  await sodiumReady()
  const clock = overrides.clock ?? systemClock
  const logger = overrides.logger ?? createLogger(config.logLevel)
  const [keys, genesis] = await Promise.all([
    readRelayKeys(config.keys),
    readGenesis(config.network),
  ])
  let relay: Relay | null = null
  const listener: LogListener = {
    topicGrew: (topic) => relay?.sessions.topicGrew(topic),
    acksGrew: (member) => relay?.sessions.acksGrew(member),
    directoryGrew: () => relay?.directoryGrew(),
  }
  const open = overrides.openLog ?? openLog
  const log = await open({ config, net: networkIdOfGenesis(genesis), listener })
  let signatures: SignatureChecker | null = null
  const watch = new LoadWatch()
  try {
    const host = await DirectoryHost.open(log, genesis, clock, keys.dirLog)
    checkKeys(host, keys)
    const metrics = new Metrics(await ownVersion())
    const { relay: key, number } = keys
    const monotonic = overrides.monotonic ?? (() => performance.now())
    signatures = await SignatureChecker.open(config.signatureThreads ?? threadsOf(cpus().length))
    const load = overrides.load ?? (() => watch.latest)
    const basics = { log, host, key, number, clock, logger, metrics, monotonic }
    relay = new Relay({ ...basics, signatures, load })
    await relay.start()
    return await listen(config, { relay, log, signatures, watch }, overrides)
  } catch (error) {
    watch[Symbol.dispose]()
    await signatures?.[Symbol.asyncDispose]()
    await log[Symbol.asyncDispose]()
    throw error
  }
}

async function ownVersion(): Promise<string> {
  const text = await readFile(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { readonly version: string }).version
}

/** Refuses keys that the directory does not list: clients would refuse them too, one by one. */
function checkKeys(host: DirectoryHost, keys: RelayKeys): void {
  const listed = host.directory.relay(keys.number)
  const { logs } = host.directory.policy()
  const same = (a: Uint8Array | undefined, b: Uint8Array): boolean =>
    a !== undefined && Buffer.compare(a, b) === 0
  if (!same(listed?.key, keys.relay.publicKey) || !same(logs.dir, keys.dirLog.publicKey)) {
    throw new RelayError('config_invalid', {
      field: 'keys',
      detail: 'keys are not in the directory',
    })
  }
}

/** How much and how slowly somebody may say before the upgrade. */
const slowness = {
  maxHeaderSize: 8192,
  headersTimeout: relayLimits.headersMsMax,
  // Otherwise slow headers are looked for only every half minute.
  connectionsCheckingInterval: 1_000,
} as const

/** What is opened before the relay listens, and closed after it. */
interface Parts {
  readonly relay: Relay
  readonly log: RelayLog
  readonly signatures: SignatureChecker
  readonly watch: LoadWatch
}

/** Threads that check signatures: all cores but the one of the event loop. */
const threadsOf = (cores: number): number =>
  Math.min(relayLimits.signatureThreadsMax, Math.max(1, cores - 1))

async function listen(
  config: RelayConfig,
  { relay, log, signatures, watch }: Parts,
  overrides: Overrides,
): Promise<RunningRelay> {
  let stopping = false
  const tls = config.tls
  const app: FastifyInstance = Fastify({
    loggerInstance: relay.logger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: 1024,
    forceCloseConnections: true,
    requestTimeout: relayLimits.headersMsMax,
    http: slowness,
    ...(tls === undefined
      ? {}
      : {
          https: {
            cert: await readFile(tls.cert),
            key: await readFile(tls.key),
            minVersion: 'TLSv1.3',
            handshakeTimeout: relayLimits.headersMsMax,
            ...slowness,
          },
        }),
    ajv: { customOptions: { coerceTypes: false, useDefaults: false, removeAdditional: false } },
  } as object) as unknown as FastifyInstance
  app.server.maxConnections = relayLimits.socketsMax
  app.removeAllContentTypeParsers()
  app.addHook('onRequest', async (_request, reply) => {
    if (!stopping) return undefined
    return reply.code(503).header('retry-after', '2').send({ code: 'shutting_down' })
  })
  await app.register(wsPlugin, {
    relay,
    origins: config.origins,
    monotonic: overrides.monotonic ?? (() => performance.now()),
    authMsMax: overrides.authMsMax ?? relayLimits.authMsMax,
  })
  const operator = Fastify({
    loggerInstance: relay.logger,
    logController: new LogController({ disableRequestLogging: true }),
  }) as unknown as FastifyInstance
  await operator.register(operatorPlugin, {
    waitingFor: () => [
      ...(stopping ? ['stopping'] : []),
      ...(log.writable() ? [] : ['log']),
      ...(relay.serving() ? [] : ['lease']),
    ],
    alive: () => log.failure() === null,
    metrics: relay.metrics,
  })
  await app.listen({ ...config.listen })
  await operator.listen({ ...config.operator })

  let stopped: Promise<void> | null = null
  const stopOnce = async (): Promise<void> => {
    stopping = true
    relay.logger.info('stopping')
    const spread = relayLimits.restartSpreadMs
    const sessions = Math.max(1, relay.sessions.size)
    relay.sessions.endAll('shutting_down', (index) => 500 + Math.floor((spread * index) / sessions))
    await Promise.race([app.close(), afterMs(relayLimits.drainMsMax)])
    await operator.close()
    await relay.stop()
    watch[Symbol.dispose]()
    await signatures[Symbol.asyncDispose]()
    await log[Symbol.asyncDispose]()
    relay.logger.info('stopped')
  }
  // Whoever asks a second time waits for the end as well.
  const stop = (): Promise<void> => {
    stopped ??= stopOnce()
    return stopped
  }
  const scheme = tls === undefined ? 'ws' : 'wss'
  return {
    url: `${scheme}://${hostPort(config.listen.host, app)}/relay`,
    operatorUrl: `http://${hostPort(config.operator.host, operator)}`,
    relay,
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

function hostPort(host: string, app: FastifyInstance): string {
  const { port } = app.server.address() as AddressInfo
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

const afterMs = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms).unref()
  })
