import { join } from 'node:path'
import {
  type ClientStore,
  type ConnectOptions,
  connect,
  type Delivery,
  type Network,
  type Session,
} from '@liaison/client-sdk'
import { nodeWebSocket, openLmdbStore } from '@liaison/client-sdk/node'
import {
  decodeRelayFrame,
  type EpochMs,
  encodeRelayFrame,
  type RelayFrame,
  toBase64url,
} from '@liaison/protocol'
import { type Report, schemaHash } from '@liaison/schemas'
import { parseNetworkFile } from '../../client-sdk/src/identity/network-file.ts'
import { EpochKeys } from '../../client-sdk/src/keys/epoch-keys.ts'
import type { OpenWebSocket } from '../../client-sdk/src/session/transport.ts'
import { Vault } from '../../client-sdk/src/store/vault.ts'
import { interposedWebSocket } from '../../scripts/demo/interposed-socket.ts'
import { epochPair, makeSealingNetwork } from './epoch-keys.ts'
import { type NetworkOptions, seededBytes, type TestDevice, type TestNetwork } from './network.ts'
import { type RelayOptions, startScenario, type TestRelay } from './relay.ts'
import type { TempFolder } from './temp-folder.ts'

/** Network of {@link startReportScenario}; another process can make the same one. */
export const reportNetwork = (options: NetworkOptions = {}): TestNetwork =>
  makeSealingNetwork({ schemas: [{ name: 'spotrep', hash: schemaHash('spotrep') }], ...options })

/** A scenario whose topics allow the published `spotrep`. */
export const startReportScenario = (
  options: NetworkOptions = {},
  relay: RelayOptions = {},
): Promise<TestRelay> =>
  startScenario({ schemas: [{ name: 'spotrep', hash: schemaHash('spotrep') }], ...options }, relay)

/** The network file of a test network, with the whole directory in it. */
export function networkFileOf(network: TestNetwork, url: string): Network {
  const [genesis, ...rest] = network.entries().map(toBase64url)
  return parseNetworkFile(
    JSON.stringify({ v: 1, name: network.directory.name, genesis, relays: [url], directory: rest }),
  )
}

/** Writes the secret halves of a device's seeded keys into a store, as an enrolment would have. */
export async function provision(
  network: TestNetwork,
  device: TestDevice,
  store: ClientStore,
): Promise<void> {
  const vault = new Vault(store, storageKeyOf(device))
  for (const week of device.epochKeys.keys()) {
    await vault.commit(EpochKeys.changesFor([epochPair(network.seed, device.label, week)], week))
  }
}

/** Key under which a test device keeps its store. */
export const storageKeyOf = (device: TestDevice): Uint8Array =>
  seededBytes(`storage ${device.label}`, 32)

/** A device's SDK session against a test relay, or a relay in another process. */
export async function openDevice(
  relay: {
    readonly network: TestNetwork
    readonly url: string
    readonly folder: Pick<TempFolder, 'path'>
  },
  device: TestDevice,
  options: Partial<ConnectOptions> & {
    readonly folder?: string
    /** Stands between the session and its store. */
    readonly wrapStore?: (store: ClientStore) => ClientStore
  } = {},
): Promise<Session> {
  const { folder = join(relay.folder.path, 'devices', device.label), ...others } = options
  const { wrapStore = (store: ClientStore): ClientStore => store, ...rest } = others
  const store = await openLmdbStore(folder)
  await provision(relay.network, device, store)
  return connect({
    network: networkFileOf(relay.network, relay.url),
    identity: { kind: 'device', signingKey: device.key, storageKey: storageKeyOf(device) },
    store: wrapStore(store),
    webSocket: nodeWebSocket,
    clock: () => relay.network.now,
    random: () => 0.99,
    // Nobody is on the other side of the world here.
    reconnect: { minMs: 100, maxMs: 2_000 },
    ...rest,
  })
}

let reports = 0

/** A small valid report; every call gives another one. */
export function makeReport(network: TestNetwork, originator: string, changes: object = {}): Report {
  const serial = (++reports).toString(16).padStart(12, '0')
  return {
    type: 'spotrep',
    version: 1,
    meta: {
      id: `0195a1c0-0000-7000-8000-${serial}`,
      originator,
      issued: new Date(network.now).toISOString().replace(/\.\d+Z/, 'Z'),
      msgType: 'alert',
      references: [],
      status: 'exercise',
      precedence: 'routine',
      handling: { tlp: 'GREEN' },
      lang: 'en',
    },
    title: `Report ${serial}`,
    summary: `What report ${serial} says.`,
    activity: { code: 'movement' },
    place: { country: 'ML', precision: 'admin1' },
    time: { from: '2026-11-01T06:00:00Z', precision: 'day' },
    ...changes,
  } as Report
}

/** Takes `n` deliveries. @throws Error naming how many came within ten seconds. */
export async function take(session: Session, n: number): Promise<Delivery[]> {
  const out: Delivery[] = []
  const signal = AbortSignal.timeout(10_000)
  if (n === 0) return out
  for await (const delivery of session.subscribe({}, { from: 'all', signal })) {
    out.push(delivery)
    if (out.length === n) return out
  }
  throw new Error(`${out.length} of ${n} deliveries came`)
}

/** Everything a device shows now. */
export async function shown(session: Session): Promise<Delivery[]> {
  const out: Delivery[] = []
  for await (const delivery of session.history({ after: '0' })) out.push(delivery)
  return out
}

/** Waits until something is true. @throws Error naming it after ten seconds. */
export async function eventually(
  what: string,
  check: () => boolean | Promise<boolean>,
): Promise<void> {
  const end = performance.now() + 10_000
  while (!(await check())) {
    if (performance.now() > end) throw new Error(`never: ${what}`)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** What a relay that lies does to a frame on its way to the client: other frames, or none. */
export type Tamper = (frame: RelayFrame) => readonly RelayFrame[]

/** A WebSocket through which a hostile relay speaks: every frame to the client passes `tamper`. */
export const hostileWebSocket = (tamper: Tamper): OpenWebSocket =>
  interposedWebSocket((message) => {
    const decoded = decodeRelayFrame(message)
    if (!decoded.ok) throw new Error(decoded.error)
    return tamper(decoded.value).map(encodeRelayFrame)
  })

/** Time that a test network's clock shows. */
export const timeOf = (network: TestNetwork): EpochMs => network.now
