/** A relay of a chaos run: the product, with a clock that can be set and a record of what it sends. */
import { epochMs, type NetworkId } from '@liaison/protocol'
import {
  type ConfigInput,
  openLog,
  openRedisLog,
  type RedisOptions,
  type RunningRelay,
  readConfig,
  startRelay,
} from '@liaison/server'
import { Redis } from 'ioredis'
import { ViewLease } from '../../../server/src/directory/view-lease.ts'
import { WsPeer } from '../../../server/src/ingress/ws-peer.ts'
import { redisKeys } from '../../../server/src/log/redis/redis-keys.ts'
import { Sessions } from '../../../server/src/session/sessions.ts'
import { HistoryWriter, monotonicNs } from '../history.ts'
import { type Mutant, mutantListener, mutantLog } from './mutants.ts'
import { serveParent } from './processes.ts'

/** What the parent asks for. */
export type RelayOrder =
  | {
      readonly start: {
        readonly config: ConfigInput
        /** Instead of what the configuration says. */
        readonly redis: RedisOptions | null
        readonly mutant: Mutant | null
        readonly history: string
        readonly world: string
        readonly proc: string
        /** Devices whose frames are recorded. */
        readonly watch: readonly number[]
      }
    }
  | { readonly clockMs: number }
  | { readonly stop: true }

type Start = Extract<RelayOrder, { start: unknown }>['start']

let running: RunningRelay | null = null
let clockMs = 0

/** Records every frame to the watched devices, and when the relay last made sure of its right to send it. */
function recordSends({ history, world, proc, watch }: Start): void {
  const writer = new HistoryWriter(history, world, proc)
  const devices = new WeakMap<WsPeer, number>()
  let checked: number | null = null
  let added: number | null = null
  const { held } = ViewLease.prototype
  ViewLease.prototype.held = function (this: ViewLease) {
    const now = monotonicNs()
    const isHeld = held.call(this)
    checked = isHeld ? now : null
    return isHeld
  }
  const { add } = Sessions.prototype
  Sessions.prototype.add = function (this: Sessions, session) {
    add.call(this, session)
    added = session.principal.kind === 'device' ? session.principal.dev : null
  }
  const { send } = WsPeer.prototype
  WsPeer.prototype.send = function (this: WsPeer, bytes) {
    // The first frame after a session was added is its own: both happen in one turn.
    if (added !== null) devices.set(this, added)
    added = null
    const dev = devices.get(this)
    if (dev !== undefined && watch.includes(dev)) {
      const t = monotonicNs()
      const event = { type: 'ok', op: 'send', id: 'frame', dev, bytes: bytes.length } as const
      writer.add({ ...event, t, checked: checked ?? t })
    }
    checked = null
    send.call(this, bytes)
  }
}

async function start(order: Start): Promise<{ url: string; operatorUrl: string }> {
  recordSends(order)
  const { config, redis, mutant } = order
  const deleter = redis === null ? null : new Redis({ ...redis.nodes[0], lazyConnect: true })
  running = await startRelay(readConfig(config), {
    clock: () => epochMs(Date.now() + clockMs),
    openLog: async (options) => {
      const listener = mutantListener(mutant, options.listener)
      const { net } = options
      const log =
        redis === null
          ? await openLog({ ...options, listener })
          : await openRedisLog({ redis, net, listener })
      return mutantLog(mutant, log, { deleteLeaf: (index) => deleteLeaf(deleter, net, index) })
    },
  })
  const { url, operatorUrl } = running
  return { url, operatorUrl }
}

async function deleteLeaf(redis: Redis | null, net: NetworkId, index: number): Promise<void> {
  await redis?.xdel(redisKeys(net).leaves, `${index + 1}-0`)
}

async function stop(): Promise<void> {
  await running?.stop()
  process.exit(0)
}

serveParent(async (order: RelayOrder) => {
  if ('start' in order) return start(order.start)
  if ('clockMs' in order) clockMs = order.clockMs
  else await stop()
  return true
})
process.on('SIGTERM', () => void stop())
