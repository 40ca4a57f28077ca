import { envelopeKinds, textOf } from '@liaison/protocol'
import type { DeviceSession } from './session/device-session.ts'
import {
  arrivalOf,
  type Cursor,
  type Delivery,
  deliveryOf,
  type FeedQuery,
} from './subscription.ts'
import type { ThreadItem } from './threads/index.ts'

/** Rows read from the store at a time. */
const pageRows = 128

/** Which received items, and from where on. */
export interface HistoryQuery extends FeedQuery {
  readonly limit?: number
  /** Newest first, beginning before this item; at the newest when absent. */
  readonly before?: Cursor
  /** Oldest first instead, beginning after this item; `0` is before the first. Not with `before`. */
  readonly after?: Cursor
}

/**
 * What was received before, a page of the store at a time.
 *
 * @param topics Numbers, or null for everything.
 * @throws TypeError when both `before` and `after` are given.
 */
export async function* historyOf(
  engine: DeviceSession,
  query: HistoryQuery,
  topics: ReadonlySet<number> | null,
): AsyncGenerator<Delivery> {
  const { before, after, limit = Number.POSITIVE_INFINITY } = query
  if (before !== undefined && after !== undefined) throw new TypeError('before or after, not both')
  const { rows: stored } = engine.inbox
  let at = after ?? before
  let left = limit
  while (left > 0) {
    const rows =
      after === undefined
        ? await stored.before(at === undefined ? Number.MAX_SAFE_INTEGER : arrivalOf(at), pageRows)
        : await stored.after(arrivalOf(at ?? '0'), pageRows)
    if (rows.length === 0) return
    for (const [arrival, row] of rows) {
      at = String(arrival)
      if (topics !== null && !topics.has(row.topic)) continue
      if (left-- <= 0) return
      yield deliveryOf(engine, arrival, row)
    }
  }
}

/** Reports that this device received, and its own that the relay has accepted. */
export async function heldReports(engine: DeviceSession): Promise<readonly ThreadItem[]> {
  const items: ThreadItem[] = []
  for await (const delivery of historyOf(engine, { after: '0' }, null)) {
    if (delivery.kind === 'report') items.push(delivery)
  }
  const { num, mem, label } = engine.me
  const member = engine.deps.local.directory.member(mem)?.code ?? ''
  const from = { device: num, member, label }
  for (const { k, receipt, state, sealed, body, schema, created } of engine.outbox.list()) {
    if (k !== envelopeKinds.report || receipt === null || state === 'refused') continue
    if (sealed === null) continue
    const report = JSON.parse(textOf(body)) as ThreadItem['report']
    const own = { core: sealed.core, from, report, schema, receivedAt: created }
    items.push({ ...own, verified: true })
  }
  return items
}
