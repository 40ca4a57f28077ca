import type { Clock, ErrorCode } from '@liaison/protocol'
import type { LocalDirectory } from '../directory/local-directory.ts'
import { readVerified, type VerifiedMembers } from '../directory/members.ts'
import type { Identity } from '../identity/identity.ts'
import { AckQueue } from '../inbox/ack-queue.ts'
import { EpochKeys } from '../keys/epoch-keys.ts'
import { PublicKeys } from '../keys/public-keys.ts'
import { Outbox, type OutboxDeps } from '../outbox/outbox.ts'
import type { OutboxItem } from '../outbox/outbox-item.ts'
import { OwnChains } from '../outbox/own-chains.ts'
import { Sealer } from '../outbox/sealer.ts'
import type { ClientStore } from '../store/client-store.ts'
import type { Random, ReconnectBounds } from './backoff.ts'
import { ProvenClock } from './clock.ts'
import type { Link } from './link.ts'
import type { OnLog } from './log.ts'
import type { OpenWebSocket } from './transport.ts'

/** What a device session is made of. */
export interface DeviceSessionDeps {
  readonly url: string
  readonly identity: Identity
  readonly device: number
  readonly store: ClientStore
  readonly local: LocalDirectory
  readonly open: OpenWebSocket
  readonly clock: Clock
  readonly random: Random
  /** Bounds of the pause before connecting again. */
  readonly reconnect: ReconnectBounds
  /** Guarded: it does not throw. */
  readonly log: OnLog
  /** Topics to follow by name; every topic that the device may read when absent. */
  readonly follow: readonly string[] | undefined
}

/** What the outbox asks of the session that it is a part of. */
export interface OutboxHooks {
  syncDirectory: (link: Link) => Promise<void>
  mayPublish: () => ErrorCode | null
  onSending: OutboxDeps['onSending']
  onChange: (item: OutboxItem) => void
}

/** The parts of a session that live in its store. */
export interface SessionParts {
  readonly clock: ProvenClock
  readonly keys: PublicKeys
  readonly acks: AckQueue
  readonly epochs: EpochKeys
  /** The outbox, once there is a session that it can ask. */
  readonly outboxFor: (hooks: OutboxHooks) => Outbox
  readonly verified: VerifiedMembers
}

/** Opens them; what was left in the store by an earlier session is there. */
export async function openParts(deps: DeviceSessionDeps): Promise<SessionParts> {
  const { store, local, identity, device } = deps
  const clock = new ProvenClock(deps.clock, local.directory)
  const now: Clock = () => clock.now()
  const { signingKey: key } = identity
  const keys = new PublicKeys(store)
  const chains = new OwnChains(store)
  const sealer = new Sealer({ directory: local.directory, device, key, keys, chains, clock: now })
  const acks = new AckQueue(store, { net: local.directory.net, device, key }, now)
  const hooks: OutboxHooks = {
    syncDirectory: async () => undefined,
    mayPublish: () => 'offline',
    onSending: () => () => undefined,
    onChange: () => undefined,
  }
  const outbox = await Outbox.open({
    store,
    directory: local.directory,
    chains,
    sealer,
    clock: now,
    syncDirectory: (link) => hooks.syncDirectory(link),
    mayPublish: () => hooks.mayPublish(),
    onSending: (...sent) => hooks.onSending(...sent),
    onChange: (item) => hooks.onChange(item),
  })
  const outboxFor = (real: OutboxHooks): Outbox => {
    Object.assign(hooks, real)
    return outbox
  }
  const epochs = new EpochKeys(store)
  const verified = await readVerified(store)
  return { clock, keys, acks, epochs, outboxFor, verified }
}
