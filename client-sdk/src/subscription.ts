import {
  type Directory,
  type ErrorCode,
  errorRow,
  handlingCodes,
  RelayError,
  textOf,
} from '@liaison/protocol'
import type { Report } from '@liaison/schemas'
import type { InboxRow, NoticeProof, ReportRow } from './inbox/inbox-row.ts'
import type { DeviceSession } from './session/device-session.ts'
import { Batch } from './store/batch.ts'

/** Place in what this device has received; opaque, and only of this device's store. */
export type Cursor = string

/** Which items are wanted. */
export interface FeedQuery {
  /** Names of topics; all that the device may read when absent. */
  readonly topics?: readonly string[]
}

/** Who sent an item. */
export interface Sender {
  readonly device: number
  /** Code of the member, such as `ML`. */
  readonly member: string
  readonly label: string | undefined
}

/** A report that was opened, verified and validated. */
export interface ReportDelivery {
  readonly kind: 'report'
  readonly cursor: Cursor
  readonly topic: string
  /** An exercise topic carries no actual report, and the other way round. */
  readonly status: 'exercise' | 'actual'
  readonly from: Sender
  /** Core hash, the name of the envelope. */
  readonly core: Uint8Array
  readonly schema: string
  /** The parsed body; for a schema that this release does not know, whatever it holds. */
  readonly report: Report
  readonly handling: string
  /**
   * `true`: signed by a device that was in force. Otherwise why a person should look twice: the
   * sending device was suspended meanwhile, its chain began anew, or another content has this name.
   */
  readonly verified: true | 'sender-suspended' | 'chain-restarted' | 'conflict'
  /**
   * Of a notice of a violation, which only devices of the FLU receive: whether the key that it holds
   * shows the fault. `not-proved` speaks against the member who sent the notice. Absent otherwise.
   */
  readonly proof?: NoticeProof
  /** When this device took it in, ms. */
  readonly receivedAt: number
  /** Tells the sender that a person has read it. */
  ack(o?: { readonly read?: boolean }): Promise<void>
}

/** One thing that reached this device. Gaps and closed items are values, so that nobody skips them unseen. */
export type Delivery =
  | ReportDelivery
  | {
      readonly kind: 'undecryptable'
      readonly cursor: Cursor
      readonly topic: string
      readonly from: Sender | null
      readonly reason: ErrorCode
      readonly remedy: string
      readonly core: Uint8Array | null
    }
  | {
      readonly kind: 'gap'
      readonly cursor: Cursor
      readonly topic: string
      readonly device: number
      /** First and last missing place of the sender's chain. */
      readonly from: number
      readonly to: number
      readonly reason: string
    }

/** Rows read from the store at a time. */
const pageRows = 128

/** Name of a cursor that the store has never given out. */
const badCursor = (text: string): RelayError =>
  new RelayError('not_found', { field: 'from', detail: text })

/** Number of a cursor. */
export function arrivalOf(cursor: Cursor): number {
  const n = Number(cursor)
  if (!Number.isSafeInteger(n) || n < 0) throw badCursor(cursor)
  return n
}

/** Turns a stored row into what a consumer sees. */
export function deliveryOf(engine: DeviceSession, arrival: number, row: InboxRow): Delivery {
  const { directory } = engine.deps.local
  const topic = directory.topic(row.topic)
  const base = { cursor: String(arrival), topic: topic?.name ?? String(row.topic) }
  switch (row.kind) {
    case 'report':
      return reportDelivery(engine, base, topic?.status ?? 'exercise', row)
    case 'undecryptable':
      return {
        ...base,
        kind: 'undecryptable',
        from: row.from === null ? null : senderOf(directory, row.from),
        reason: row.code,
        remedy: errorRow(row.code).remedy,
        core: row.core,
      }
    case 'gap':
      return {
        ...base,
        kind: 'gap',
        device: row.dev,
        from: row.from,
        to: row.to,
        reason: errorRow('chain_broken').text,
      }
  }
}

function reportDelivery(
  engine: DeviceSession,
  base: { readonly cursor: Cursor; readonly topic: string },
  status: 'exercise' | 'actual',
  row: ReportRow,
): ReportDelivery {
  return {
    ...base,
    kind: 'report',
    status,
    from: senderOf(engine.deps.local.directory, row.from),
    core: row.core,
    schema: row.schema,
    report: JSON.parse(textOf(row.body)) as Report,
    handling: handlingCodes[row.hc] ?? 'RED',
    verified: verdictOf(row),
    ...(row.proof === null ? {} : { proof: row.proof }),
    receivedAt: row.t,
    ack: async (o = {}) => {
      const batch = new Batch(engine.deps.store)
      await engine
        .acknowledgements()
        .add(batch, row.core, { kind: o.read === false ? 'ok' : 'read' })
      await batch.commit()
      if (engine.connection !== null) engine.acknowledgements().schedule(engine.connection)
    },
  }
}

function verdictOf(row: ReportRow): ReportDelivery['verified'] {
  if (row.conflict) return 'conflict'
  if (row.senderSuspended) return 'sender-suspended'
  return row.chainRestarted ? 'chain-restarted' : true
}

const senderOf = (
  directory: Directory,
  from: { readonly dev: number; readonly mem: number },
): Sender => ({
  device: from.dev,
  member: directory.member(from.mem)?.code ?? String(from.mem),
  label: directory.device(from.dev)?.label,
})

/** Items as they arrive. Iterate it; leaving the loop ends it. */
export class Subscription implements AsyncIterable<Delivery> {
  readonly #engine: DeviceSession
  readonly #topics: ReadonlySet<number> | null
  readonly #from: number
  readonly #signal: AbortSignal | undefined

  /** @param topics Numbers, or null for everything. @param from Arrival number, exclusive. */
  constructor(
    engine: DeviceSession,
    topics: ReadonlySet<number> | null,
    from: number,
    signal?: AbortSignal,
  ) {
    this.#engine = engine
    this.#topics = topics
    this.#from = from
    this.#signal = signal
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Delivery> {
    let at = this.#from
    let next: Promise<void> | null = null
    while (!this.#stopped()) {
      // One wait for a whole run of pages: it begins before the page that finds nothing is read.
      next ??= this.#engine.inboxChanged.next(this.#signal)
      const rows = await this.#engine.inbox.rows.after(at, pageRows)
      for (const [arrival, row] of rows) {
        at = arrival
        if (this.#topics !== null && !this.#topics.has(row.topic)) continue
        if (this.#stopped()) return
        yield deliveryOf(this.#engine, arrival, row)
      }
      if (rows.length > 0) continue
      if (this.#engine.state === 'closed') return
      await next
      next = null
    }
  }

  /** Asked again after every wait: the signal may have fired meanwhile. */
  #stopped(): boolean {
    return this.#signal?.aborted === true
  }
}
