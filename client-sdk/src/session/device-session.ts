import {
  type AckItem,
  type Clock,
  codeOfNumber,
  creditBytes,
  type Device,
  type DirectoryPage,
  decodeReceipt,
  type ErrorCode,
  errorRow,
  isRelayError,
  RelayError,
} from '@liaison/protocol'
import type { LocalDirectory } from '../directory/local-directory.ts'
import { Members, readVerified, type VerifiedMembers } from '../directory/members.ts'
import { Drafts } from '../drafts/drafts.ts'
import type { Identity } from '../identity/identity.ts'
import { AckQueue, isLinkTrouble } from '../inbox/ack-queue.ts'
import { Inbox } from '../inbox/inbox.ts'
import type { Evidence } from '../inbox/intake.ts'
import { EpochKeys } from '../keys/epoch-keys.ts'
import { PublicKeys } from '../keys/public-keys.ts'
import { Outbox, type OutboxDeps, type StagedItem } from '../outbox/outbox.ts'
import type { OutboxItem } from '../outbox/outbox-item.ts'
import { OwnChains } from '../outbox/own-chains.ts'
import { ReaderReceipts } from '../outbox/reader-receipts.ts'
import { Sealer } from '../outbox/sealer.ts'
import { ProgressWatch } from '../outbox/send-progress.ts'
import { violationNotice } from '../outbox/violation-notice.ts'
import type { ClientStore } from '../store/client-store.ts'
import { backoffMs, type Random, type ReconnectBounds } from './backoff.ts'
import { ProvenClock } from './clock.ts'
import { Emitter, Pulse, type SessionEvents } from './emitter.ts'
import { clientLimits } from './limits.ts'
import { errorOfFrame, Link, type Unasked } from './link.ts'
import type { OnLog } from './log.ts'
import { OwedCredit } from './owed-credit.ts'
import { Pause } from './pause.ts'
import type { OpenWebSocket } from './transport.ts'

/** Number of the subscription to acknowledgements; topics use their own numbers above it. */
const ackSubscription = 0

/** A connection that lasted so long, ms, ends the series of failures before it. */
const steadyMs = 10_000

/** Silence of all feeds after which this device counts as caught up, ms. */
const quietMs = 60_000

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

/** What a session says about its connections. */
export interface LinkStats {
  /** Bytes of frames since the session began, over all connections. */
  readonly sent: number
  readonly received: number
  /** Bytes handed to the present connection that are still in this program. */
  readonly unsent: number
  /** Connections that let this device in, since the session began. */
  readonly connections: number
  /** Why nothing is sent now, or null. */
  readonly waiting: ErrorCode | null
  /** The relay's time minus this machine's, ms, once it has let this device in. */
  readonly relayAheadMs: number | null
}

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
  readonly #epochs: EpochKeys
  readonly #acks: AckQueue
  readonly #stop = new AbortController()
  readonly #work = new Pulse()
  readonly #running: Promise<void>
  /** The pause before the next connection; null when there is none, or it must be kept. */
  #pause: Pause | null = null
  /** Credit of the present connection, by subscription. */
  #owed: { readonly link: Link | null; readonly subs: Map<number, OwedCredit> } = {
    link: null,
    subs: new Map(),
  }
  /** When this connection was let in, on the monotonic clock, ms. */
  #onlineSince = Number.POSITIVE_INFINITY
  #state: SessionEvents['state'] = 'connecting'
  #link: Link | null = null
  /** The checkpoint of this very connection was verified. */
  #fresh = false
  #waiting: { readonly code: ErrorCode } | null = null
  /** Topics that are followed, on this connection or the next. */
  readonly #topics = new Set<number>()
  #reading: Promise<unknown> = Promise.resolve()
  #resolveClosed: (error: RelayError) => void = () => undefined
  #bytes = { sent: 0, received: 0 }
  #connections = 0
  /** What makes it pointless to connect again. */
  #failure: RelayError | null = null
  /** Runs out when nothing was delivered for a while. */
  #quiet: ReturnType<typeof setTimeout> | undefined

  private constructor(deps: DeviceSessionDeps, parts: Parts) {
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
    this.#epochs = parts.epochs
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
      syncDirectory: (link) => this.#sync(link),
      noticeOf: (evidence) => this.#noticeOf(evidence),
      onRows: () => this.inboxChanged.beat(),
      onGap: (gap) => this.events.emit('gap', gap),
    })
    this.outbox = parts.outboxFor(this.#outboxHooks())
    this.#wanted()
    this.#running = this.#run()
  }

  /** Opens the parts that live in the store, then begins to connect. */
  static async start(deps: DeviceSessionDeps): Promise<DeviceSession> {
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
    return new DeviceSession(deps, { clock, keys, acks, epochs, outboxFor, verified })
  }

  #outboxHooks(): OutboxHooks {
    return {
      syncDirectory: (link) => this.#sync(link),
      mayPublish: () => this.#mayPublish(),
      onSending: (link, begin, items) => this.progress.follow(link, begin, items),
      onChange: () => this.outboxChanged.beat(),
    }
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
    const { sent, received } = this.#link?.bytes ?? { sent: 0, received: 0 }
    return {
      sent: this.#bytes.sent + sent,
      received: this.#bytes.received + received,
      unsent: this.#link?.unsentBytes ?? 0,
      connections: this.#connections,
      waiting: this.#waiting?.code ?? null,
      relayAheadMs: this.clock.relayAheadMs,
    }
  }

  /** The present connection, or null. */
  get connection(): Link | null {
    return this.#link
  }

  /** Looks for work now, and for a link if there is none: something was submitted, or a person asks. */
  nudge(): void {
    this.#work.beat()
    this.#pause?.shorten(clientLimits.backoffMsMin)
  }

  /** Resolves once the state is one of those given. @throws RelayError when the session closes first. */
  async until(states: readonly SessionEvents['state'][], signal?: AbortSignal): Promise<void> {
    while (!states.includes(this.#state)) {
      if (this.#state === 'closed') throw await this.closed
      await new Promise<void>((resolve, reject) => {
        const done = new AbortController()
        const finish = (): void => {
          done.abort()
          resolve()
        }
        this.events.on('state', finish, { signal: done.signal })
        const cancelled = (): void => {
          done.abort()
          reject(new RelayError('cancelled'))
        }
        signal?.addEventListener('abort', cancelled, { signal: done.signal })
        if (signal?.aborted === true) cancelled()
      })
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
    if (this.#link !== null) await this.#acks.flush(this.#link)
  }

  /** Marks an item as read by a person. */
  acknowledgements(): AckQueue {
    return this.#acks
  }

  /** What became of the secret half of the key that others seal to now; null when none is published. */
  async presentKey(): Promise<'here' | 'destroyed' | 'unknown' | null> {
    const { local, device } = this.deps
    const kid = local.directory.kidFor(device, this.clock.now())
    return kid === null ? null : (await this.#epochs.secretFor(kid)).kind
  }

  /** Makes and publishes keys for all coming weeks. */
  async rotateKeys(): Promise<void> {
    await this.until(['online'])
    if (this.#link === null) throw new RelayError('offline')
    const refused = await this.#renew(this.#link, true)
    if (refused !== null) throw new RelayError(refused)
  }

  /** Ends the session; what is in the outbox stays there. */
  async close(): Promise<void> {
    if (this.#link !== null) await this.#acks.flush(this.#link).catch(() => undefined)
    this.#stop.abort()
    this.#link?.close()
    this.#work.beat()
    await this.#running
    await this.#reading.catch(() => undefined)
  }

  #setState(state: SessionEvents['state']): void {
    if (this.#state === state) return
    this.#state = state
    this.events.emit('state', state)
  }

  #mayPublish(): ErrorCode | null {
    if (!this.#fresh) return 'checkpoint_stale'
    if (this.clock.skewMs !== null) return 'clock_skew'
    const { need } = this.deps.local.directory.policy().freshness
    // Cosignatures are not part of this release; a network that demands them is not sent to.
    return need.flu + need.admin + need.witness > 0 ? 'checkpoint_stale' : null
  }

  async #run(): Promise<void> {
    let failures = 0
    let fatal: RelayError | null = null
    while (!this.#stop.signal.aborted && fatal === null) {
      this.#setState(failures === 0 ? 'connecting' : 'offline')
      this.#onlineSince = Number.POSITIVE_INFINITY
      const closed = await this.#connection()
      const ended = this.#failure ?? closed
      if (this.#stop.signal.aborted) break
      if (performance.now() - this.#onlineSince > steadyMs) failures = 0
      if (isFinal(ended)) fatal = ended
      else {
        this.#setState('offline')
        const advice = ended.retryAfterMs ?? 0
        const { random, reconnect } = this.deps
        const pauseMs = backoffMs(failures, random, advice, reconnect)
        this.deps.log({ level: 'info', event: 'link-ended', code: ended.code, pauseMs })
        const pause = new Pause(pauseMs, this.#stop.signal)
        // What the relay asks for is kept; otherwise a person need not wait for the end of it.
        this.#pause = advice > 0 ? null : pause
        await pause.over
        this.#pause = null
        failures++
      }
    }
    this.#acks.close()
    clearTimeout(this.#quiet)
    this.#setState('closed')
    this.outboxChanged.beat()
    this.inboxChanged.beat()
    this.directoryChanged.beat()
    this.#resolveClosed(fatal ?? new RelayError('session_closed'))
  }

  /** One connection from its beginning to its end. @returns why it ended. */
  async #connection(): Promise<RelayError> {
    const { url, open, local, device, identity } = this.deps
    let link: Link
    try {
      link = await Link.connect({
        url,
        open,
        directory: local.directory,
        principal: { kind: 'device', number: device },
        key: identity.signingKey,
        signal: this.#stop.signal,
      })
    } catch (error) {
      return asRelayError(error)
    }
    link.onFrame = (frame) => this.#onFrame(link, frame)
    try {
      await this.#welcome(link)
      this.#onlineSince = performance.now()
      this.#connections++
      this.#setState('online')
      const sending = this.#sendLoop(link)
      const ended = await link.closed
      // Cleared first: the loop runs for as long as this is the link.
      this.#link = null
      this.#work.beat()
      await sending
      return ended
    } catch (error) {
      link.close()
      return asRelayError(error)
    } finally {
      const { sent, received } = link.bytes
      this.#bytes = { sent: this.#bytes.sent + sent, received: this.#bytes.received + received }
      this.#link = null
      this.#fresh = false
    }
  }

  async #welcome(link: Link): Promise<void> {
    this.clock.heardRelay(link.info.ready.t)
    if (this.clock.skewMs !== null) {
      this.events.emit('notice', { code: 'clock_skew', text: errorRow('clock_skew').text })
    }
    await this.#apply(link, link.info.ready.dir)
    this.#fresh = true
    // Before anything is asked for: what is past its last day opens nothing any more.
    await this.#destroyKeys(false)
    this.#link = link
    this.#wanted()
    for (const topic of [...this.#topics]) await this.#subscribe(link, topic)
    const from = await this.receipts.cursor()
    link.send({ kind: 'subscribe-acks', sub: ackSubscription, from })
    this.#acks.schedule(link)
    const refused = await this.#renew(link, false)
    if (refused !== null) {
      this.events.emit('notice', { code: refused, text: errorRow(refused).text })
    }
    this.#heardDelivery()
  }

  /**
   * By this machine's own clock: what is destroyed cannot be had again, and a single entry with a date
   * in the future, from a stolen device through a relay that lies, must not destroy everybody's keys.
   */
  #destroyKeys(caughtUp: boolean): Promise<number> {
    const { local, clock } = this.deps
    return this.#epochs.destroyDue(local.directory, clock(), caughtUp)
  }

  /** After a quiet minute on a live connection nothing sealed for old keys is still to come. */
  #heardDelivery(): void {
    clearTimeout(this.#quiet)
    if (this.#stop.signal.aborted) return
    this.#quiet = setTimeout(() => {
      if (this.#link !== null) this.#destroyKeys(true).catch(() => undefined)
    }, quietMs)
  }

  /** Publishes key weeks that are missing. @returns why the relay refused them, or null */
  async #renew(link: Link, replace: boolean): Promise<ErrorCode | null> {
    const { local, device, identity } = this.deps
    const now = this.clock.now()
    const key = identity.signingKey
    const renewal = await this.#epochs.renew(local.directory, device, key, now, replace)
    if (renewal === null) return null
    const blobs = renewal.publicKeys.map((k) => ['key', k] as const)
    let receipts: readonly Uint8Array[]
    try {
      await link.request({ kind: 'blob-put', blobs }, 'blobs')
      ;({ receipts } = await link.request({ kind: 'append', entry: renewal.entry }, 'result'))
    } catch (error) {
      // "Later" holds for the keys alone: with those of before, the session goes on.
      const known = asRelayError(error)
      if (isLinkTrouble(known) || errorRow(known.code).retry !== 'later') throw error
      return known.code
    }
    const receipt = decodeReceipt(receipts[0] ?? new Uint8Array())
    if (!receipt.ok) return 'receipt_invalid'
    await this.#sync(link)
    return receipt.value.rc === 0 ? null : codeOfNumber(receipt.value.rc)
  }

  async #subscribe(link: Link, topic: number): Promise<void> {
    const from = await this.inbox.rows.cursor(topic)
    // Checked here so that a topic without the right does not end in an error of the whole session.
    if (!this.deps.local.directory.mayRead(this.deps.device, topic)) return
    link.send({ kind: 'subscribe', sub: topic + 1, top: topic, from, fluPaths: false })
  }

  /** Brings the list of followed topics up to the directory. @returns the topics that are new in it. */
  #wanted(): number[] {
    const { follow, device, local } = this.deps
    const added: number[] = []
    for (const { num, name } of local.directory.topics()) {
      const wanted = follow?.includes(name) !== false && local.directory.mayRead(device, num)
      if (!wanted) this.#topics.delete(num)
      else if (!this.#topics.has(num)) added.push(num)
    }
    for (const topic of added) this.#topics.add(topic)
    return added
  }

  /** A right that came while this device was connected, a new topic above all, holds at once. */
  async #followNew(link: Link): Promise<void> {
    const added = this.#wanted()
    // Before this is the link, its beginning subscribes to everything.
    if (this.#link !== link) return
    for (const topic of added) await this.#subscribe(link, topic)
  }

  async #sync(link: Link): Promise<void> {
    const from = this.deps.local.directory.size
    const { page } = await link.request({ kind: 'dir-want', from }, 'dir')
    await this.#apply(link, page)
  }

  async #apply(link: Link, first: DirectoryPage): Promise<void> {
    let page = first
    for (;;) {
      const { applied, wantFrom } = await this.deps.local.apply(page)
      for (const entry of applied) this.#announce(entry.change)
      if (applied.length > 0) {
        this.directoryChanged.beat()
        await this.#followNew(link)
      }
      if (wantFrom === null) return
      page = (await link.request({ kind: 'dir-want', from: wantFrom }, 'dir')).page
    }
  }

  #announce(change: { readonly what: string; readonly [key: string]: unknown }): void {
    const emit = (n: unknown, what: SessionEvents['key-changed']['what']): void => {
      const device = typeof n === 'number' ? n : 0
      const { directory } = this.deps.local
      const mem = directory.device(device)?.mem
      const member = mem === undefined ? null : (directory.member(mem)?.code ?? null)
      const verified = this.members.hasVerified(device)
      this.events.emit('key-changed', { device, member, what, verified })
    }
    if (change.what === 'device') emit(change['num'], 'enrolled')
    else if (change.what === 'keys') emit(change['dev'], 'keys')
    else if (change.what === 'standing' && change['of'] === 'dev') {
      const state = change['state']
      const what = state === 'active' ? 'resumed' : state === 'revoked' ? 'revoked' : 'suspended'
      emit(change['num'], what)
    }
  }

  #onFrame(link: Link, frame: Unasked): void {
    switch (frame.kind) {
      case 'deliver': {
        const topic = frame.sub - 1
        if (!this.#topics.has(topic)) this.#unexpected(link, 'deliver')
        else this.#queue(link, frame, () => this.inbox.take(topic, frame.items, link))
        return
      }
      case 'acks':
        if (frame.sub !== ackSubscription) this.#unexpected(link, 'acks')
        else this.#queue(link, frame, () => this.#takeAcks(frame.items))
        return
      case 'dir':
        this.#background(link, this.#apply(link, frame.page))
        return
      case 'error': {
        const error = errorOfFrame(frame)
        this.events.emit('notice', { code: error.code, text: error.message })
        if (error.code === 'cursor_ahead') this.#background(link, this.#rewind(link, frame.rq))
        // The right to read was taken; should it come back, the topic is followed again.
        if (error.code === 'subscription_refused') this.#topics.delete(frame.rq - 1)
        return
      }
      default:
        return
    }
  }

  async #takeAcks(items: readonly AckItem[]): Promise<void> {
    for (const { core, receipt } of await this.receipts.take(items)) {
      const item = this.outbox.byCore(core)
      if (item === null || receipt.code !== null) continue
      await this.outbox.progress(item.id, receipt.read ? 'read' : 'received')
    }
    this.outboxChanged.beat()
  }

  /** A frame that no subscription of this connection explains. */
  #unexpected(link: Link, detail: string): void {
    this.#background(link, Promise.reject(new RelayError('frame_unexpected', { detail })))
  }

  /**
   * The relay has less than this device was told of: it was restored, or an earlier one lied. Read
   * from the beginning; chains tell what was seen before.
   *
   * @param sub The refused subscription.
   */
  async #rewind(link: Link, sub: number): Promise<void> {
    if (sub === ackSubscription) {
      await this.receipts.rewind()
      link.send({ kind: 'subscribe-acks', sub, from: 0 })
    } else if (this.#topics.has(sub - 1)) {
      await this.inbox.rows.rewind(sub - 1)
      await this.#subscribe(link, sub - 1)
    }
  }

  /** Frames of deliveries are taken in one after the other; credit goes back when they are kept. */
  #queue(
    link: Link,
    frame: Extract<Unasked, { kind: 'deliver' | 'acks' }>,
    take: () => Promise<void>,
  ): void {
    this.#heardDelivery()
    const { sub } = frame
    const owed = this.#owedBy(link, sub)
    owed.arrived()
    const mine = this.#reading.then(take).then(() => {
      const grant = owed.taken(creditOf(frame))
      if (grant !== null) link.send({ kind: 'credit', sub, ...grant })
    })
    this.#reading = mine.catch(() => undefined)
    this.#background(link, mine)
  }

  /** What a subscription of this connection owes. */
  #owedBy(link: Link, sub: number): OwedCredit {
    if (this.#owed.link !== link) this.#owed = { link, subs: new Map() }
    let owed = this.#owed.subs.get(sub)
    if (owed === undefined) {
      owed = new OwedCredit()
      this.#owed.subs.set(sub, owed)
    }
    return owed
  }

  #background(link: Link, work: Promise<unknown>): void {
    work.catch((error: unknown) => {
      if (isLinkTrouble(error)) return
      const known = asRelayError(error)
      this.events.emit('notice', { code: known.code, text: known.message })
      // Nothing was kept of what failed, so it comes again with the next connection.
      this.#failure = isFinal(known) ? known : null
      link.close()
    })
  }

  async #sendLoop(link: Link): Promise<void> {
    while (this.#link === link && !this.#stop.signal.aborted) {
      const next = this.#work.next(this.#stop.signal)
      try {
        const round = await this.outbox.round(link)
        this.#waiting = round.kind === 'wait' ? { code: round.code } : null
        if (round.kind === 'more') continue
        if (round.kind === 'wait') await this.#sendPause(round.ms, link)
        else await Promise.race([next, link.closed])
      } catch (error) {
        if (isLinkTrouble(error)) return
        const known = asRelayError(error)
        this.#waiting = { code: known.code }
        if (errorRow(known.code).retry === 'never') {
          this.events.emit('notice', { code: known.code, text: known.message })
          this.#failure = isFinal(known) ? known : null
          link.close()
          return
        }
        const ms = known.retryAfterMs ?? clientLimits.publishRetryMs
        await this.#sendPause(ms, link)
      }
    }
  }

  async #sendPause(ms: number, link: Link): Promise<void> {
    const pause = new Pause(ms, this.#stop.signal)
    await Promise.race([pause.over, link.closed])
    pause.end()
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

interface OutboxHooks {
  syncDirectory: (link: Link) => Promise<void>
  mayPublish: () => ErrorCode | null
  onSending: OutboxDeps['onSending']
  onChange: (item: OutboxItem) => void
}

interface Parts {
  readonly clock: ProvenClock
  readonly keys: PublicKeys
  readonly acks: AckQueue
  readonly epochs: EpochKeys
  readonly outboxFor: (hooks: OutboxHooks) => Outbox
  readonly verified: VerifiedMembers
}

/** What a frame took of the credit, as the relay counts it. */
function creditOf(frame: Extract<Unasked, { kind: 'deliver' | 'acks' }>): number {
  if (frame.kind === 'acks') return frame.items.reduce((sum, i) => sum + i.ack.length + 80, 0)
  return frame.items.reduce((sum, item) => sum + creditBytes(item), 0)
}

/** Whether trying again with the same relay cannot help. */
const isFinal = (error: RelayError): boolean =>
  errorRow(error.code).retry === 'never' &&
  error.code !== 'session_closed' &&
  error.code !== 'cancelled'

const asRelayError = (error: unknown): RelayError =>
  isRelayError(error) ? error : new RelayError('internal', { cause: error })
