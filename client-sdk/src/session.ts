import { type Device, type Directory, RelayError } from '@liaison/protocol'
import type { ReportName } from '@liaison/schemas'
import type { Members } from './directory/members.ts'
import { Draft, type DraftValue } from './drafts/draft.ts'
import type { DraftInit } from './drafts/drafts.ts'
import { type HistoryQuery, heldReports, historyOf } from './history.ts'
import { composeItem, type Destination } from './outbox/compose.ts'
import type { OutboxItem } from './outbox/outbox-item.ts'
import type { SendProgress } from './outbox/send-progress.ts'
import { Submission } from './outbox/submission.ts'
import type { DeviceSession } from './session/device-session.ts'
import type { SessionEvents } from './session/emitter.ts'
import type { LinkStats } from './session/link-stats.ts'
import type { Change } from './store/client-store.ts'
import {
  arrivalOf,
  type Cursor,
  type Delivery,
  type FeedQuery,
  Subscription,
} from './subscription.ts'
import type {
  ActionOptions,
  ClockOptions,
  Corroboration,
  OpenAction,
  Thread,
} from './threads/index.ts'

/** Where a report goes, and what the caller wants to hear. */
export interface SubmitOptions extends Destination {
  /** Hears how much of the sealed report has left, until the relay has answered. */
  readonly onProgress?: (progress: SendProgress) => void
  /** Ends the call before the report is kept; afterwards it is in the outbox. */
  readonly signal?: AbortSignal
}

/** A device's session: the outbox, what arrives, and the directory. */
export class Session implements AsyncDisposable {
  readonly outbox: {
    list(): readonly OutboxItem[]
    get(id: string): OutboxItem | null
    retry(id: string): Promise<void>
    cancel(id: string): Promise<void>
    /** Resolves when nothing is left that could be sent. Hears meanwhile how much of each report has left. */
    flush(o?: {
      readonly signal?: AbortSignal
      readonly onProgress?: (id: string, progress: SendProgress) => void
    }): Promise<void>
  }
  /** Reports that are being written; they survive a restart. */
  readonly drafts: {
    list(): Promise<readonly Draft[]>
    get(id: string): Promise<Draft | null>
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
      flush: async ({ onProgress, signal } = {}) => {
        const stops =
          onProgress === undefined
            ? []
            : engine.outbox
                .list()
                .map(({ id }) => engine.progress.on(id, (progress) => onProgress(id, progress)))
        try {
          await engine.flush(signal)
        } finally {
          for (const stop of stops) stop()
        }
      },
    }
    this.drafts = {
      list: () => engine.drafts.list(),
      get: (id) => engine.drafts.get(id),
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

  /** The members with their safety numbers, and which of them the people here have verified. */
  get members(): Members {
    return this.#engine.members
  }

  /** Bytes so far, and why nothing is sent at the moment, if there is a reason. */
  get link(): LinkStats {
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
   * Begins a report. `type`, `version`, `meta.id` and `meta.originator` are filled in; the rest is the
   * author's. It is kept when the promise resolves.
   */
  compose(schema: ReportName, init: DraftInit = {}): Promise<Draft> {
    const { drafts, clock } = this.#engine
    const originator = this.directory.member(this.me.mem)?.code ?? ''
    return drafts.compose(schema, init, originator, clock.now())
  }

  /**
   * Keeps a report durably, then sends it as soon as there is a link. A draft leaves the drafts in the
   * same step in which it comes into the outbox; its time of issue is now unless it says another.
   *
   * @param report A draft, or the report as an object.
   * @throws ContentError with every field at fault, or RelayError; nothing is kept then, and a draft
   * stays one.
   */
  async submit(report: unknown, options: SubmitOptions): Promise<Submission> {
    if (!(report instanceof Draft)) return this.#submit(report, options, [])
    return report.handOver((value, end) => this.#submit(this.#issued(value), options, [end]))
  }

  async #submit(
    report: unknown,
    options: SubmitOptions,
    more: readonly Change[],
  ): Promise<Submission> {
    const engine = this.#engine
    const { idempotencyKey: key, onProgress, signal } = options
    const known = key === undefined ? null : engine.outbox.byIdempotencyKey(key)
    const now = engine.clock.now()
    const composed = await composeItem(this.directory, engine.deps.device, report, options, now)
    if (known !== null && known.id !== composed.id) {
      throw new RelayError('report_conflict', { field: 'idempotencyKey' })
    }
    if (signal?.aborted === true) throw new RelayError('cancelled')
    const stop = onProgress === undefined ? null : engine.progress.on(composed.id, onProgress)
    try {
      await engine.outbox.add(composed, more)
    } catch (error) {
      stop?.()
      throw error
    }
    engine.nudge()
    const submission = this.submission(composed.id)
    if (stop !== null) void untilAnswered(submission).finally(stop)
    return submission
  }

  #issued(value: DraftValue): DraftValue {
    const meta = value['meta'] as DraftValue
    const now = new Date(this.#engine.clock.now()).toISOString().replace(/\.\d+Z$/, 'Z')
    return { ...value, meta: { issued: now, ...meta } }
  }

  /** A report that is in the outbox. @throws RelayError `item_unknown` */
  submission(id: string): Submission {
    const engine = this.#engine
    if (engine.outbox.get(id) === null) throw new RelayError('item_unknown', { field: id })
    return new Submission(id, {
      changes: engine.outboxChanged,
      isClosed: () => engine.state === 'closed',
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
          from === 'new' ? await engine.inbox.rows.newest() : from === 'all' ? 0 : arrivalOf(from)
        yield* new Subscription(engine, topics, start, o.signal)
      },
    }
  }

  /**
   * What was received before, read from this device's store a page at a time, so that a long history
   * takes no more memory than a short one.
   *
   * @throws TypeError when both `before` and `after` are given.
   */
  async *history(query: HistoryQuery = {}): AsyncGenerator<Delivery> {
    const topics = query.topics === undefined ? null : this.#topicNumbers(query.topics)
    yield* historyOf(this.#engine, query, topics)
  }

  /**
   * The conversation that a report belongs to, of what this device has received and sent.
   *
   * @param id Id or core hash of any report of it.
   * @returns Null when nothing of it is held.
   */
  async thread(id: string, o: Partial<ClockOptions> = {}): Promise<Thread | null> {
    const { threadOf } = await import('./threads/index.ts')
    return threadOf(await heldReports(this.#engine), id, { now: this.#engine.clock.now(), ...o })
  }

  /** On how many independent sources a report rests, of what this device holds; null when it does not hold it. */
  async corroboration(id: string): Promise<Corroboration | null> {
    const { corroborationOf } = await import('./threads/index.ts')
    return corroborationOf(await heldReports(this.#engine), id)
  }

  /** What members have still to do, of what this device holds: first what is due first. */
  async openActions(o: Partial<ActionOptions> = {}): Promise<readonly OpenAction[]> {
    const { openActions } = await import('./threads/index.ts')
    return openActions(await heldReports(this.#engine), { now: this.#engine.clock.now(), ...o })
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

  /**
   * Sends what can be sent, acknowledgements too, then ends the session.
   *
   * @throws RelayError `timeout` when the signal fires first; the session goes on then.
   */
  async drain(o: { readonly signal?: AbortSignal } = {}): Promise<void> {
    await this.#engine.flush(o.signal)
    await this.close()
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

/** Waits until the relay has answered, or the session has ended. */
async function untilAnswered(submission: Submission): Promise<void> {
  for await (const { state } of submission) {
    if (state !== 'queued' && state !== 'sealed') return
  }
}
