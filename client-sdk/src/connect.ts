import { type Clock, RelayError, sodiumReady, systemClock } from '@liaison/protocol'
import { LocalDirectory } from './directory/local-directory.ts'
import type { Identity } from './identity/identity.ts'
import type { Network } from './identity/network-file.ts'
import { type Random, type ReconnectBounds, systemRandom, usualBounds } from './session/backoff.ts'
import { DeviceSession } from './session/device-session.ts'
import { guardedLog, type OnLog } from './session/log.ts'
import type { OpenWebSocket } from './session/transport.ts'
import { Session } from './session.ts'
import { type ClientStore, numberKey } from './store/client-store.ts'
import { Vault } from './store/vault.ts'

/** How to connect a device. */
export interface ConnectOptions {
  /** WebSocket address of a relay; the first of the network file when absent. */
  readonly url?: string
  readonly identity: Identity
  readonly network: Network
  /** This device's own store; rows are encrypted under the identity's storage key. */
  readonly store: ClientStore
  /** Number of the device; needed once, when the network file does not say it. */
  readonly device?: number
  readonly webSocket?: OpenWebSocket
  readonly clock?: Clock
  readonly random?: Random
  /** Ends the wait for the relay; a session that was given out is ended by `close`. */
  readonly signal?: AbortSignal
  /** Bounds of the pause before connecting again, ms: 500 and 60,000 when absent. */
  readonly reconnect?: Partial<ReconnectBounds>
  /** Hears what the session does, without any content; the SDK itself writes nothing anywhere. */
  readonly onLog?: OnLog
  /** `online` (the default): resolve when the relay has let the device in. `store`: at once, also without a link. */
  readonly waitFor?: 'online' | 'store'
  /** Topics to follow by name; all that the device may read when absent. */
  readonly follow?: readonly string[]
}

/**
 * Connects a device to its network.
 *
 * @throws RelayError `not_enrolled` when the number of the device is not known, `network_mismatch`
 * when the store is another network's, or the relay's refusal. The store is closed then.
 */
export async function connect(options: ConnectOptions): Promise<Session> {
  await sodiumReady()
  const { network, identity, signal } = options
  const url = options.url ?? network.relays[0]
  if (url === undefined) throw new RelayError('network_file_malformed', { field: '/relays' })
  const vault = new Vault(options.store, identity.storageKey)
  try {
    const local = await LocalDirectory.open(vault, network.genesis)
    await takeEntries(local, vault, network)
    const device = await deviceNumber(options, vault, local)
    const engine = await DeviceSession.start({
      url,
      identity,
      device,
      store: vault,
      local,
      open: options.webSocket ?? browserWebSocket,
      clock: options.clock ?? systemClock,
      random: options.random ?? systemRandom,
      follow: options.follow,
      reconnect: boundsOf(options.reconnect),
      log: guardedLog(options.onLog),
    })
    const session = new Session(engine)
    logEvents(session, guardedLog(options.onLog))
    if (options.waitFor === 'store') return session
    try {
      await session.online(signal)
      return session
    } catch (error) {
      await engine.close()
      throw error
    }
  } catch (error) {
    await vault[Symbol.asyncDispose]()
    throw error
  }
}

/** @throws RangeError for bounds that would hammer a relay or never come back. */
function boundsOf(asked: Partial<ReconnectBounds> = {}): ReconnectBounds {
  const bounds = { ...usualBounds, ...asked }
  const good = bounds.minMs >= 100 && bounds.maxMs >= bounds.minMs && bounds.maxMs <= 3_600_000
  if (!good) throw new RangeError('reconnect: 100 <= minMs <= maxMs <= 3600000')
  return bounds
}

function logEvents(session: Session, log: OnLog): void {
  session.on('state', (state) => log({ level: 'info', event: 'state', state }))
  session.on('notice', ({ code }) => log({ level: 'warn', event: 'notice', code }))
  session.on('gap', (gap) => log({ level: 'warn', event: 'gap', ...gap }))
  session.on('key-changed', ({ device, what, verified }) =>
    log({ level: verified ? 'warn' : 'info', event: 'directory', device, what }),
  )
}

/** Entries that came with the network file spare a new device a chicken-and-egg question. */
async function takeEntries(
  local: LocalDirectory,
  store: ClientStore,
  network: Network,
): Promise<void> {
  const { directory } = local
  for (const [i, entry] of network.entries.entries()) {
    const index = i + 1
    if (index < directory.size) continue
    const applied = directory.append(entry, null)
    if (!applied.ok) throw new RelayError('network_file_malformed', { field: `/directory/${i}` })
    await store.commit([{ table: 'directory', key: numberKey(index), value: entry }])
  }
}

/** The device's own number: by its key in the directory, as told, or as remembered. */
async function deviceNumber(
  options: ConnectOptions,
  store: ClientStore,
  local: LocalDirectory,
): Promise<number> {
  const { identity, network } = options
  const enrolled = local.directory.deviceByKey(identity.signingKey.publicKey)
  const stored = await store.get('state', 'device')
  const number =
    enrolled?.num ??
    options.device ??
    network.device ??
    (stored === null ? null : new DataView(stored.buffer, stored.byteOffset).getUint32(0))
  if (number === null) throw new RelayError('not_enrolled')
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, number)
  await store.commit([{ table: 'state', key: 'device', value: bytes }])
  return number
}

const browserWebSocket: OpenWebSocket = (url, subprotocol) =>
  new WebSocket(url, subprotocol) as unknown as ReturnType<OpenWebSocket>
