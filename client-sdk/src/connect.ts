import {
  type Clock,
  type Device,
  type Directory,
  RelayError,
  sodiumReady,
  systemClock,
} from '@liaison/protocol'
import { LocalDirectory } from './directory/local-directory.ts'
import type { Identity } from './identity/identity.ts'
import type { Network } from './identity/network-file.ts'
import { composeItem, type Destination } from './outbox/compose.ts'
import type { OutboxItem } from './outbox/outbox-item.ts'
import { Submission } from './outbox/submission.ts'
import { type Random, systemRandom } from './session/backoff.ts'
import { DeviceSession } from './session/device-session.ts'
import type { SessionEvents } from './session/emitter.ts'
import type { OpenWebSocket } from './session/transport.ts'
import { type ClientStore, numberKey } from './store/client-store.ts'
import { Vault } from './store/vault.ts'
import {
  arrivalOf,
  type Cursor,
  type Delivery,
  deliveryOf,
  type FeedQuery,
  Subscription,
} from './subscription.ts'

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
  readonly signal?: AbortSignal
  /** `online` (the default): resolve when the relay has let the device in. `store`: at once, also without a link. */
  readonly waitFor?: 'online' | 'store'
  /** Topics to follow by name; all that the device may read when absent. */
  readonly follow?: readonly string[]
}

/** A device's session: the outbox, what arrives, and the directory. */
export class Session implements AsyncDisposable {
  readonly outbox: {
    list(): readonly OutboxItem[]
    get(id: string): OutboxItem | null
    retry(id: string): Promise<void>
    cancel(id: string): Promise<void>
    /** Resolves when nothing is left that could be sent. */
    flush(o?: { readonly signal?: AbortSignal }): Promise<void>
  }
  readonly #engine: DeviceSession

  /** Use `connect`. */
  constructor(engine: DeviceSession) {
    this.#engine = engine
    this.outbox = {
      list: () => engine.outbox.list(),
      get: (id) => engine.outbox.get(id),
      retry: async (id) => {
        await engine.outbox.retry(id)
        engine.nudge()
      },
      cancel: (id) => engine.outbox.cancel(id),
      flush: (o = {}) => engine.flush(o.signal),
    }
  }

  get state(): SessionEvents['state'] {
    return this.#engine.state
  }

  /** This device as the directory has it. */
  get me(): Device {
    return this.#engine.me
  }

  /** This device's verified copy of the directory. */
  get directory(): Directory {
    return this.#engine.deps.local.directory
  }

  /** Bytes so far, and why nothing is sent at the moment, if there is a reason. */
  get link(): DeviceSession['link'] {
    return this.#engine.link
  }

  /** Resolves with the reason once the session is closed for good. */
  get closed(): Promise<RelayError> {
    return this.#engine.closed
  }

  on<K extends keyof SessionEvents>(
    type: K,
    listener: (event: SessionEvents[K]) => void,
    o: { readonly signal?: AbortSignal } = {},
  ): void {
    this.#engine.events.on(type, listener, o)
  }

  /** Resolves once the relay has let the device in. @throws RelayError when it never will. */
  online(signal?: AbortSignal): Promise<void> {
    return this.#engine.until(['online'], signal)
  }

  /**
   * Keeps a report durably, then sends it as soon as there is a link.
   *
   * @throws ContentError with every field at fault, or RelayError; nothing is kept then.
   */
  async submit(report: unknown, destination: Destination): Promise<Submission> {
    const engine = this.#engine
    const key = destination.idempotencyKey
    const known = key === undefined ? null : engine.outbox.byIdempotencyKey(key)
    const now = engine.clock.now()
    const composed = composeItem(this.directory, engine.deps.device, report, destination, now)
    if (known !== null && known.id !== composed.id) {
      throw new RelayError('report_conflict', { field: 'idempotencyKey' })
    }
    const item = await engine.outbox.add(composed)
    engine.nudge()
    return this.submission(item.id)
  }

  /** A report that is in the outbox. @throws RelayError `item_unknown` */
  submission(id: string): Submission {
    const engine = this.#engine
    if (engine.outbox.get(id) === null) throw new RelayError('item_unknown', { field: id })
    return new Submission(id, {
      changes: engine.outboxChanged,
      item: (name) => engine.outbox.get(name),
      receipts: async (name) => {
        const core = engine.outbox.get(name)?.sealed?.core
        return core === undefined ? new Map() : engine.receipts.of(core)
      },
    })
  }

  /** Follows topics and yields what arrives; `from` is exclusive. */
  subscribe(
    query: FeedQuery = {},
    o: { readonly from?: Cursor | 'new' | 'all'; readonly signal?: AbortSignal } = {},
  ): AsyncIterable<Delivery> {
    const topics = query.topics === undefined ? null : this.#topicNumbers(query.topics)
    const engine = this.#engine
    return {
      async *[Symbol.asyncIterator](): AsyncGenerator<Delivery> {
        const from = o.from ?? 'new'
        const start =
          from === 'new' ? await engine.inbox.newest() : from === 'all' ? 0 : arrivalOf(from)
        yield* new Subscription(engine, topics, start, o.signal)
      },
    }
  }

  /** What was received before, oldest first. */
  async *history(
    query: FeedQuery & { readonly limit?: number; readonly after?: Cursor } = {},
  ): AsyncGenerator<Delivery> {
    const topics = query.topics === undefined ? null : this.#topicNumbers(query.topics)
    let at = query.after === undefined ? 0 : arrivalOf(query.after)
    let left = query.limit ?? Number.POSITIVE_INFINITY
    for (;;) {
      const rows = await this.#engine.inbox.rows(at, 128)
      if (rows.length === 0) return
      for (const [arrival, row] of rows) {
        at = arrival
        if (topics !== null && !topics.has(row.topic)) continue
        if (left-- <= 0) return
        yield deliveryOf(this.#engine, arrival, row)
      }
    }
  }

  #topicNumbers(names: readonly string[]): ReadonlySet<number> {
    return new Set(
      names.map((name) => {
        const topic = this.directory.topicByName(name)
        if (topic === null) throw new RelayError('topic_unknown', { field: name })
        return topic.num
      }),
    )
  }

  /**
   * Whether this device can open what is sealed for it now: `here`, or what became of the secret half
   * of this week's key; null when no key of this week is in the directory.
   */
  presentKey(): Promise<'here' | 'destroyed' | 'unknown' | null> {
    return this.#engine.presentKey()
  }

  /**
   * Tries to reach the relay now instead of at the end of the pause, because a person asks or the
   * machine says that its network is back. A pause that the relay asked for is kept.
   */
  connectNow(): void {
    this.#engine.nudge()
  }

  /** Replaces the keys of all coming weeks. */
  rotateKeys(): Promise<void> {
    return this.#engine.rotateKeys()
  }

  /** Ends the session. What is in the outbox stays there and goes out next time. */
  async close(): Promise<void> {
    await this.#engine.close()
    await this.#engine.deps.store[Symbol.asyncDispose]()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
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
    })
    const session = new Session(engine)
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
