import { type Device, errorRow, RelayError } from '@liaison/protocol'
import { Members } from '../directory/members.ts'
import { Drafts } from '../drafts/drafts.ts'
import { type AckQueue, isLinkTrouble } from '../inbox/ack-queue.ts'
import { Inbox } from '../inbox/inbox.ts'
import type { Evidence } from '../inbox/intake.ts'
import type { Outbox, StagedItem } from '../outbox/outbox.ts'
import { ReaderReceipts } from '../outbox/reader-receipts.ts'
import { ProgressWatch } from '../outbox/send-progress.ts'
import { violationNotice } from '../outbox/violation-notice.ts'
import { AckFeed, ackSubscription } from './ack-feed.ts'
import type { ProvenClock } from './clock.ts'
import { Connections } from './connections.ts'
import { DeliveryQueue, type SubscribedFrame } from './delivery-queue.ts'
import { DirectorySync } from './directory-sync.ts'
import { Emitter, nextOf, Pulse, type SessionEvents } from './emitter.ts'
import { asRelayError } from './endings.ts'
import { FollowedTopics } from './followed-topics.ts'
import { KeyCare } from './key-care.ts'
import { clientLimits } from './limits.ts'
import type { Link, Unasked } from './link.ts'
import type { LinkStats } from './link-stats.ts'
import { Pause } from './pause.ts'
import { SendLoop, whyNotPublish } from './send-loop.ts'
import { type DeviceSessionDeps, openParts, type SessionParts } from './session-parts.ts'
import { errorOfFrame } from './told-error.ts'

/** The engine of a session: one device's connection, outbox, inbox and keys. */
export class DeviceSession {
  readonly deps: DeviceSessionDeps
  readonly events: Emitter<SessionEvents> = new Emitter()
  readonly clock: ProvenClock
  readonly inbox: Inbox
  readonly outbox: Outbox
  readonly receipts: ReaderReceipts
  /** Beats when an outbox item changed, and when rows arrived. */
  readonly outboxChanged: Pulse = new Pulse()
  readonly inboxChanged: Pulse = new Pulse()
  readonly directoryChanged: Pulse = new Pulse()
  readonly drafts: Drafts
  readonly members: Members
  readonly progress: ProgressWatch = new ProgressWatch()
  readonly closed: Promise<RelayError>
  readonly #acks: AckQueue
  readonly #stop = new AbortController()
  readonly #work = new Pulse()
  readonly #ackFeed: AckFeed
  readonly #topics: FollowedTopics
  readonly #directory: DirectorySync
  readonly #keys: KeyCare
  readonly #sending: SendLoop
  readonly #reading = new DeliveryQueue()
  readonly #connections: Connections
  readonly #running: Promise<void>
  #state: SessionEvents['state'] = 'connecting'
  /** The checkpoint of this very connection was verified. */
  #fresh = false
  #resolveClosed: (error: RelayError) => void = () => undefined

  private constructor(deps: DeviceSessionDeps, parts: SessionParts) {
    this.deps = deps
    this.clock = parts.clock
    this.drafts = new Drafts(deps.store)
    this.members = new Members({
      directory: deps.local.directory,
      store: deps.store,
      clock: () => this.clock.now(),
      changed: this.directoryChanged,
      isClosed: () => this.#state === 'closed',
      verified: parts.verified,
    })
    this.receipts = new ReaderReceipts(deps.store, deps.local.directory)
    this.#acks = parts.acks
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve
    })
    this.inbox = new Inbox({
      store: deps.store,
      directory: deps.local.directory,
      device: deps.device,
      epochs: parts.epochs,
      acks: parts.acks,
      keys: parts.keys,
      random: deps.random,
      clock: () => this.clock.now(),
      syncDirectory: (link) => this.#directory.sync(link),
      noticeOf: (evidence) => this.#noticeOf(evidence),
      onRows: () => this.inboxChanged.beat(),
      onGap: (gap) => this.events.emit('gap', gap),
    })
    this.outbox = parts.outboxFor({
      syncDirectory: (link) => this.#directory.sync(link),
      mayPublish: () => whyNotPublish(deps.local.directory, this.clock, this.#fresh),
      onSending: (link, begin, items) => this.progress.follow(link, begin, items),
      onChange: () => this.outboxChanged.beat(),
    })
    this.#ackFeed = new AckFeed(this.receipts, this.outbox)
    const { device, follow, local } = deps
    const { directory } = local
    this.#topics = new FollowedTopics({ directory, device, follow, rows: this.inbox.rows })
    this.#directory = new DirectorySync({
      local,
      members: this.members,
      events: this.events,
      onGrown: (link) => this.#directoryGrew(link),
    })
    this.#keys = new KeyCare({
      epochs: parts.epochs,
      directory,
      device,
      key: deps.identity.signingKey,
      machineClock: deps.clock,
      clock: () => this.clock.now(),
      syncDirectory: (link) => this.#directory.sync(link),
      isOnline: () => this.connection !== null,
    })
    this.#sending = new SendLoop({
      outbox: this.outbox,
      work: this.#work,
      stop: this.#stop.signal,
      onFailure: (link, error) => this.#fail(link, error),
    })
    this.#connections = new Connections(deps, this.#stop.signal, {
      onState: (state) => this.#setState(state),
      onFrame: (link, frame) => this.#onFrame(link, frame),
      welcome: (link) => this.#welcome(link),
      use: (link, isPresent) => this.#sending.run(link, isPresent),
      onEnded: () => {
        this.#fresh = false
        this.#work.beat()
      },
    })
    this.#running = this.#run()
  }

  /** Opens the parts that live in the store, then begins to connect. */
  static async start(deps: DeviceSessionDeps): Promise<DeviceSession> {
    return new DeviceSession(deps, await openParts(deps))
  }

  get state(): SessionEvents['state'] {
    return this.#state
  }

  /** This device as the directory has it. */
  get me(): Device {
    const device = this.deps.local.directory.device(this.deps.device)
    if (device === null) throw new RelayError('not_enrolled')
    return device
  }

  get link(): LinkStats {
    return {
      ...this.#connections.counters.of(this.connection),
      waiting: this.#sending.waiting,
      relayAheadMs: this.clock.relayAheadMs,
    }
  }

  /** The present connection, or null. */
  get connection(): Link | null {
    return this.#connections.link
  }

  /** Looks for work now, and for a link if there is none: something was submitted, or a person asks. */
  nudge(): void {
    this.#work.beat()
    this.#connections.nudge()
  }

  /** Resolves once the state is one of those given. @throws RelayError when the session closes first. */
  async until(states: readonly SessionEvents['state'][], signal?: AbortSignal): Promise<void> {
    while (!states.includes(this.#state)) {
      if (this.#state === 'closed') throw await this.closed
      await nextOf(this.events, 'state', signal)
    }
  }

  /** Sends what waits, acknowledgements too, and resolves when nothing is left that can be sent. */
  async flush(signal?: AbortSignal): Promise<void> {
    while (this.outbox.hasUnsent) {
      if (signal?.aborted === true) throw new RelayError('timeout')
      if (this.#state === 'closed') throw await this.closed
      const next = this.outboxChanged.next(signal)
      this.nudge()
      await next
    }
    if (this.connection !== null) await this.#acks.flush(this.connection)
  }

  /** Marks an item as read by a person. */
  acknowledgements(): AckQueue {
    return this.#acks
  }

  /** What became of the secret half of the key that others seal to now; null when none is published. */
  presentKey(): Promise<'here' | 'destroyed' | 'unknown' | null> {
    return this.#keys.presentKey()
  }

  /** Makes and publishes keys for all coming weeks. */
  async rotateKeys(): Promise<void> {
    await this.until(['online'])
    if (this.connection === null) throw new RelayError('offline')
    const refused = await this.#keys.renew(this.connection, true)
    if (refused !== null) throw new RelayError(refused)
  }

  /** Ends the session; what is in the outbox stays there. */
  async close(): Promise<void> {
    const link = this.connection
    // A link that is half open answers nothing; what is not said now is said next time.
    const lastWords = link === null ? null : this.#acks.flush(link).catch(() => undefined)
    const pause = new Pause(clientLimits.closeMsMax, this.#stop.signal)
    await Promise.race([lastWords, pause.over])
    pause.end()
    this.#stop.abort()
    this.connection?.close()
    this.#work.beat()
    await lastWords
    await this.#running
    await this.#reading.idle()
  }

  #setState(state: SessionEvents['state']): void {
    if (this.#state === state) return
    this.#state = state
    this.events.emit('state', state)
  }

  async #run(): Promise<void> {
    const fatal = await this.#connections.run()
    this.#acks.close()
    this.#keys.close()
    this.#setState('closed')
    this.outboxChanged.beat()
    this.inboxChanged.beat()
    this.directoryChanged.beat()
    this.#resolveClosed(fatal ?? new RelayError('session_closed'))
  }

  async #welcome(link: Link): Promise<void> {
    this.clock.heardRelay(link.info.ready.t)
    if (this.clock.skewMs !== null) {
      this.events.emit('notice', { code: 'clock_skew', text: errorRow('clock_skew').text })
    }
    await this.#directory.apply(link, link.info.ready.dir)
    this.#fresh = true
    // Before anything is asked for: what is past its last day opens nothing any more.
    await this.#keys.destroyDue(false)
    this.#connections.admit(link)
    await this.#topics.subscribeAll(link)
    await this.#ackFeed.subscribe(link)
    this.#acks.schedule(link)
    const refused = await this.#keys.renew(link, false)
    if (refused !== null) {
      this.events.emit('notice', { code: refused, text: errorRow(refused).text })
    }
    this.#keys.heardDelivery()
  }

  /** A right that came while this device was connected, a new topic above all, holds at once. */
  async #directoryGrew(link: Link): Promise<void> {
    this.directoryChanged.beat()
    const added = this.#topics.update()
    // Before this is the link, its beginning subscribes to everything.
    if (this.connection !== link) return
    for (const topic of added) await this.#topics.subscribe(link, topic)
  }

  #onFrame(link: Link, frame: Unasked): void {
    switch (frame.kind) {
      case 'deliver': {
        const topic = this.#topics.topicOf(frame.sub)
        if (topic === null) this.#unexpected(link, 'deliver')
        else this.#take(link, frame, () => this.inbox.take(topic, frame.items, link))
        return
      }
      case 'acks':
        if (frame.sub !== ackSubscription) this.#unexpected(link, 'acks')
        else this.#take(link, frame, () => this.#ackFeed.take(frame.items))
        return
      case 'dir':
        this.#background(link, this.#directory.apply(link, frame.page))
        return
      case 'error': {
        const error = errorOfFrame(frame)
        this.events.emit('notice', { code: error.code, text: error.message })
        if (error.code === 'cursor_ahead') this.#background(link, this.#rewind(link, frame.rq))
        if (error.code === 'subscription_refused') this.#topics.refused(frame.rq)
        return
      }
      default:
        return
    }
  }

  #take(link: Link, frame: SubscribedFrame, take: () => Promise<void>): void {
    this.#keys.heardDelivery()
    this.#background(link, this.#reading.add(link, frame, take))
  }

  /** A frame that no subscription of this connection explains. */
  #unexpected(link: Link, detail: string): void {
    this.#fail(link, new RelayError('frame_unexpected', { detail }))
  }

  /**
   * The relay has less than this device was told of: it was restored, or an earlier one lied. Read
   * from the beginning; chains tell what was seen before.
   *
   * @param sub The refused subscription.
   */
  async #rewind(link: Link, sub: number): Promise<void> {
    if (sub === ackSubscription) return this.#ackFeed.rewind(link)
    const topic = this.#topics.topicOf(sub)
    if (topic !== null) await this.#topics.rewind(link, topic)
  }

  #background(link: Link, work: Promise<unknown>): void {
    work.catch((error: unknown) => {
      if (!isLinkTrouble(error)) this.#fail(link, asRelayError(error))
    })
  }

  /** Ends a link. Nothing was kept of what failed, so it comes again with the next connection. */
  #fail(link: Link, error: RelayError): void {
    this.events.emit('notice', { code: error.code, text: error.message })
    this.#connections.fail(link, error)
  }

  /** What tells the FLU about a broken rule, with what proves it. */
  #noticeOf(evidence: Evidence): StagedItem | null {
    const notice = violationNotice(evidence, this.clock.now())
    const staged = notice === null ? null : this.outbox.stage(notice)
    if (staged === null) return null
    const kept = (): void => {
      staged.kept()
      this.nudge()
    }
    return { ...staged, kept }
  }
}
