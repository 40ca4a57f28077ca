import {
  type ClientFrame,
  type DeliverItem,
  type DirectoryPage,
  decodeClientFrame,
  type ErrorCode,
  encodeDeliverFrame,
  encodeRelayFrame,
  errorRow,
  limits,
  RelayError,
  type RelayFrame,
  randomBytes,
} from '@liaison/protocol'
import { type AckSink, AckSubscription } from '../delivery/ack-subscription.ts'
import { itemOf, readerPart } from '../delivery/reader-item.ts'
import { type DeliverySink, TopicSubscription } from '../delivery/topic-subscription.ts'
import { relayLimits } from '../limits.ts'
import type { Principal, Relay } from '../relay.ts'
import { TokenBucket } from '../token-bucket.ts'
import { authorise, endsSession } from './authorise.ts'
import { authenticate, challengeFor, type PendingAuth } from './handshake.ts'
import type { Peer } from './peer.ts'
import type { LiveSession } from './sessions.ts'

/** Publish frames of one session whose appends are under way at the same time. */
const publishFramesInFlightMax = 32

type State =
  | { readonly name: 'new' }
  | { readonly name: 'challenged'; readonly pending: PendingAuth }
  | { readonly name: 'ready'; readonly live: LiveSession; readonly relayNonce: Uint8Array }
  | { readonly name: 'closed' }

/**
 * One connection: handshake, then frames in the order in which they came. Frames are handled one
 * after the other, except that publish frames wait for the disk side by side; so a pong proves that
 * everything sent before the ping, publish frames excepted, is done.
 */
export class Session {
  readonly #relay: Relay
  readonly #peer: Peer
  readonly #subscriptions = new Map<number, TopicSubscription | AckSubscription>()
  readonly #inbox: Uint8Array[] = []
  #inboxBytes = 0
  readonly #frames: TokenBucket
  readonly #monotonic: () => number
  readonly #authTimer: NodeJS.Timeout
  #pingTimer: NodeJS.Timeout | undefined
  #missedPongs = 0
  #heard = 0
  #state: State = { name: 'new' }
  #busy = false
  /** Takes no more frames, but finishes what was begun. */
  #ending = false
  #publishing = 0
  /** Ends when the envelopes sent so far have reached the log. */
  #published: Promise<void> = Promise.resolve()
  /** Called whenever a publish frame was answered or the session closed. */
  readonly #waiting: (() => void)[] = []
  /** What the subscriptions of this session send through. */
  readonly #sink: DeliverySink & AckSink

  constructor(relay: Relay, peer: Peer, monotonic: () => number, authMsMax: number) {
    this.#relay = relay
    this.#peer = peer
    this.#monotonic = monotonic
    this.#frames = new TokenBucket(
      relayLimits.framesBurst,
      relayLimits.framesPerSecond,
      monotonic(),
    )
    this.#authTimer = setTimeout(() => this.#fail('auth_timeout'), authMsMax)
    this.#authTimer.unref()
    this.#sink = {
      writable: () => peer.unsentBytes() <= relayLimits.sendBufferSoftBytes,
      deliver: (sub, items, since) => {
        this.#deliver(encodeDeliverFrame(sub, items))
        if (since !== null) relay.metrics.delivered(relay.now() - since)
      },
      deliverAcks: (sub, items) => this.#deliver(encodeRelayFrame({ kind: 'acks', sub, items })),
      failed: (error) => this.#crashed(error),
    }
  }

  /** Takes one message from the socket. */
  receive(bytes: Uint8Array): void {
    if (this.#state.name === 'closed' || this.#ending) return
    const max =
      this.#state.name === 'ready' ? relayLimits.frameBytesMax : limits.preAuthFrameBytesMax
    if (bytes.length > max) {
      this.#fail('frame_too_large')
      return
    }
    if (
      this.#inbox.length >= relayLimits.inboxFramesMax ||
      this.#inboxBytes + bytes.length > relayLimits.inboxBytesMax
    ) {
      this.#fail('rate_limited', 1000)
      return
    }
    this.#heard = this.#monotonic()
    this.#missedPongs = 0
    this.#inbox.push(bytes)
    this.#inboxBytes += bytes.length
    if (!this.#busy) void this.#drain()
  }

  /** A WebSocket ping or pong came: no frame of ours, but it costs like one. */
  control(): void {
    if (this.#state.name === 'closed' || this.#ending) return
    const waitMs = this.#frames.take(1, this.#monotonic())
    if (waitMs > 0) this.#fail('rate_limited', waitMs)
  }

  /** The socket has room again. */
  writable(): void {
    if (this.#peer.unsentBytes() > relayLimits.sendBufferSoftBytes) return
    for (const subscription of this.#subscriptions.values()) subscription.wake()
  }

  /** The socket is gone. */
  closed(): void {
    clearTimeout(this.#authTimer)
    clearInterval(this.#pingTimer)
    if (this.#state.name === 'ready') this.#relay.sessions.remove(this.#state.live)
    this.#state = { name: 'closed' }
    this.#dropInbox()
    for (const subscription of this.#subscriptions.values()) subscription.close()
    this.#subscriptions.clear()
    this.#wakeWaiting()
  }

  /**
   * Ends the session in good order: frames that wait are dropped unread, those that were begun are
   * finished and answered, then the client is told why and when to come back.
   */
  end(code: 'shutting_down' | 'rate_limited', retryAfterMs: number): void {
    if (this.#ending) return
    this.#ending = true
    this.#dropInbox()
    this.#finishAndFail(code, retryAfterMs).catch((error: unknown) => this.#crashed(error))
  }

  async #finishAndFail(code: ErrorCode, retryAfterMs: number): Promise<void> {
    while (this.#state.name !== 'closed' && (this.#busy || this.#publishing > 0)) {
      await this.#something()
    }
    this.#fail(code, retryAfterMs)
  }

  /** Resolves when a frame was handled, a publish answered, or the session closed. */
  #something(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
    })
  }

  #wakeWaiting(): void {
    for (const wake of this.#waiting.splice(0)) wake()
  }

  #dropInbox(): void {
    this.#inbox.length = 0
    this.#inboxBytes = 0
  }

  async #drain(): Promise<void> {
    this.#busy = true
    try {
      for (let bytes = this.#inbox.shift(); bytes !== undefined; bytes = this.#inbox.shift()) {
        this.#inboxBytes -= bytes.length
        await this.#handleBytes(bytes)
      }
    } catch (error) {
      this.#crashed(error)
    } finally {
      this.#busy = false
      this.#wakeWaiting()
    }
  }

  async #handleBytes(bytes: Uint8Array): Promise<void> {
    this.#relay.metrics.received(bytes.length)
    const waitMs = this.#frames.take(1, this.#monotonic())
    if (waitMs > 0) return this.#fail('rate_limited', waitMs)
    const frame = decodeClientFrame(bytes)
    if (!frame.ok) return this.#fail(frame.error)
    if (this.#state.name === 'closed') return
    const refused = authorise(this.#relay, this.#principal(), frame.value)
    if (refused !== null) {
      if (endsSession.has(refused)) return this.#fail(refused)
      return this.#error(refused, requestOf(frame.value))
    }
    if (this.#state.name === 'ready') return this.#handle(frame.value, bytes.length, this.#state)
    return this.#handshake(frame.value)
  }

  async #handshake(frame: ClientFrame): Promise<void> {
    if (this.#state.name === 'new' && frame.kind === 'hello') {
      const pending = challengeFor(this.#relay, frame.hello)
      if (!pending.ok) return this.#fail(pending.error)
      const { challenge, sig } = pending.value
      this.#state = { name: 'challenged', pending: pending.value }
      return this.#send({ kind: 'challenge', challenge, sig })
    }
    if (this.#state.name === 'challenged' && frame.kind === 'auth') {
      const { pending } = this.#state
      const refused = authenticate(this.#relay, pending, frame.sig)
      if (refused !== null) return this.#fail(refused)
      return this.#welcome(pending)
    }
    this.#fail('not_authenticated')
  }

  #welcome(pending: PendingAuth): void {
    clearTimeout(this.#authTimer)
    const live = this.#asLive(pending.principal)
    this.#state = { name: 'ready', live, relayNonce: pending.relayNonce }
    this.#relay.sessions.add(live)
    // A client that knows more than this relay gets an empty page, and judges for itself.
    const from = Math.min(pending.hello.dir[0], this.#relay.directory.size)
    const dir = this.#relay.host.page(from)
    this.#send({ kind: 'ready', sid: randomBytes(16), t: this.#relay.now(), dir })
    this.#pingTimer = setInterval(() => this.#ping(), relayLimits.pingMs)
    this.#pingTimer.unref()
    this.#relay.logger.info({ ...pending.principal }, 'session ready')
  }

  #asLive(principal: Principal): LiveSession {
    return {
      principal,
      reset: () => this.#reset(),
      end: (code, retryAfterMs) => this.end(code, retryAfterMs),
      directoryGrew: (page: DirectoryPage) => this.#send({ kind: 'dir', rq: 0, page }),
      topicGrew: (topic) => {
        for (const s of this.#subscriptions.values()) {
          if (s instanceof TopicSubscription && s.topic === topic) s.wake()
        }
      },
      acksGrew: (member) => {
        for (const s of this.#subscriptions.values()) {
          if (s instanceof AckSubscription && s.member === member) s.wake()
        }
      },
      recheckRights: () => this.#recheckRights(),
      outstanding: () => {
        let frames = 0
        for (const s of this.#subscriptions.values()) frames += s.outstandingFrames
        return frames
      },
    }
  }

  #recheckRights(): void {
    const principal = this.#principal()
    if (principal?.kind !== 'device') return
    for (const [sub, s] of this.#subscriptions) {
      if (s instanceof AckSubscription) continue
      if (this.#relay.directory.mayRead(principal.dev, s.topic)) continue
      s.close()
      this.#subscriptions.delete(sub)
      this.#error('subscription_refused', sub)
    }
  }

  #principal(): Principal | null {
    return this.#state.name === 'ready' ? this.#state.live.principal : null
  }

  async #handle(
    frame: ClientFrame,
    bytes: number,
    { live, relayNonce }: Extract<State, { name: 'ready' }>,
  ): Promise<void> {
    const { principal } = live
    switch (frame.kind) {
      case 'ping':
        return this.#send({ kind: 'pong', t: frame.t })
      case 'hello':
      case 'auth':
      case 'pong':
        // Of a pong it counts that it arrived; the others were refused already.
        return
      case 'dir-want': {
        const page = this.#relay.host.page(Math.min(frame.from, this.#relay.directory.size))
        return this.#send({ kind: 'dir', rq: frame.rq, page })
      }
      case 'append': {
        const waitMs = this.#relay.appendWaitMs(principal, this.#monotonic())
        if (waitMs > 0) return this.#error('rate_limited', frame.rq, waitMs)
        return this.#send(await this.#relay.appendEntry(principal, frame.rq, frame.entry))
      }
      case 'blob-put': {
        const waitMs = this.#relay.publishWaitMs(principal, bytes, this.#monotonic())
        if (waitMs > 0) return this.#error('quota_exceeded', frame.rq, waitMs)
        const refused = await this.#relay.putBlobs(frame.blobs)
        if (refused !== null) return this.#error(refused, frame.rq)
        return this.#send({ kind: 'blobs', rq: frame.rq, blobs: [], missing: [] })
      }
      case 'blob-get':
        return this.#send(await this.#relay.getBlobs(frame.rq, frame.hashes))
      case 'admin':
        if (principal.kind !== 'administrator') throw new Error('an unauthorised frame')
        return this.#admin(principal.adm, relayNonce, frame)
      default:
        if (principal.kind !== 'device') throw new Error('an unauthorised frame')
        return this.#handleDevice(frame, bytes, principal.dev)
    }
  }

  async #admin(
    adm: number,
    relayNonce: Uint8Array,
    frame: Extract<ClientFrame, { kind: 'admin' }>,
  ): Promise<void> {
    const read = await this.#relay.adminRead(adm, relayNonce, frame.request, frame.sig)
    if (typeof read === 'string') return this.#error(read, 0)
    this.#send(read.answer)
  }

  async #handleDevice(
    frame: Exclude<
      ClientFrame,
      {
        kind:
          | 'hello'
          | 'auth'
          | 'ping'
          | 'pong'
          | 'dir-want'
          | 'append'
          | 'blob-put'
          | 'blob-get'
          | 'admin'
      }
    >,
    bytes: number,
    device: number,
  ): Promise<void> {
    switch (frame.kind) {
      case 'publish':
        return this.#publish(frame, bytes, device)
      case 'ack': {
        const waitMs = this.#relay.publishWaitMs(
          { kind: 'device', dev: device },
          bytes,
          this.#monotonic(),
        )
        // The session ends, because an acknowledgement has no answer by which to refuse it alone.
        if (waitMs > 0) return this.#fail('rate_limited', waitMs)
        const refused = await this.#relay.acknowledge(device, frame.ack, frame.sig)
        if (refused !== null) this.#error(refused, 0)
        return
      }
      case 'subscribe':
        return this.#subscribe(frame, device)
      case 'subscribe-acks': {
        const refused = this.#mayOpen(frame.sub)
        if (refused !== null) return this.#error(refused, frame.sub)
        const member = this.#relay.directory.device(device)?.mem ?? 0
        if (frame.from > this.#relay.source.log.ackHead(member)) {
          return this.#error('cursor_ahead', frame.sub)
        }
        const query = { sub: frame.sub, member, from: frame.from }
        return this.#start(
          frame.sub,
          new AckSubscription(query, this.#relay.source.log, this.#sink),
        )
      }
      case 'unsubscribe':
        this.#subscriptions.get(frame.sub)?.close()
        this.#subscriptions.delete(frame.sub)
        return
      case 'credit':
        this.#subscriptions.get(frame.sub)?.addCredit(frame.frames, frame.bytes)
        return
      case 'fetch-chain':
      case 'fetch-core':
        return this.#fetch(frame, device)
    }
  }

  async #publish(
    frame: Extract<ClientFrame, { kind: 'publish' }>,
    bytes: number,
    device: number,
  ): Promise<void> {
    const author = { kind: 'device', dev: device } as const
    const waitMs = this.#relay.publishWaitMs(author, bytes, this.#monotonic())
    if (waitMs > 0) return this.#error('quota_exceeded', frame.rq, waitMs)
    if (this.#relay.overloaded()) {
      return this.#error('overloaded', frame.rq, relayLimits.overloadedRetryMs)
    }
    while (this.#publishing >= publishFramesInFlightMax) await this.#something()
    if (this.#state.name === 'closed') return
    this.#publishing++
    const after = this.#published
    const { reached, answer } = this.#relay.publish(device, frame.rq, frame.envelopes, after)
    // What failed is told with the answer; the next frame must not wait for it for ever.
    this.#published = reached.catch(() => undefined)
    answer
      .then(
        (result) => this.#send(result),
        (error: unknown) => this.#crashed(error),
      )
      .finally(() => {
        this.#publishing--
        this.#wakeWaiting()
      })
  }

  #mayOpen(sub: number): ErrorCode | null {
    if (this.#subscriptions.has(sub)) return 'subscription_exists'
    return this.#subscriptions.size >= relayLimits.subscriptionsMax ? 'subscription_limit' : null
  }

  #subscribe(frame: Extract<ClientFrame, { kind: 'subscribe' }>, device: number): void {
    const { sub, top, from, fluPaths } = frame
    const refused =
      this.#mayOpen(sub) ?? (from > this.#relay.source.log.topicHead(top) ? 'cursor_ahead' : null)
    if (refused !== null) {
      this.#error(refused, sub)
      return
    }
    const query = { sub, device, topic: top, from, fluPaths }
    this.#start(sub, new TopicSubscription(query, this.#relay.source, this.#sink))
  }

  #start(sub: number, subscription: TopicSubscription | AckSubscription): void {
    this.#subscriptions.set(sub, subscription)
    subscription.wake()
  }

  async #fetch(
    frame: Extract<ClientFrame, { kind: 'fetch-chain' | 'fetch-core' }>,
    device: number,
  ): Promise<void> {
    const { log, envelopes } = this.#relay.source
    const stored =
      frame.kind === 'fetch-chain'
        ? await log.readChain(frame.chain, frame.inc, frame.from, frame.to, limits.fetchItemsMax)
        : (await Promise.all(frame.cores.map((core) => log.readCore(core)))).filter(
            (e) => e !== null,
          )
    const items: DeliverItem[] = []
    let bytes = 0
    for (const envelope of stored) {
      const prepared = envelopes.prepare(envelope)
      const idx = prepared.audience.places.get(device)
      if (idx === undefined) continue
      bytes += envelope.payload.length + 4096
      if (items.length > 0 && bytes > limits.deliverFrameBytesMax) break
      const slots = await envelopes.slots(prepared)
      const part = readerPart(envelopes, prepared, slots, idx, frame.fluPaths)
      items.push(itemOf(prepared, part))
    }
    this.#send({ kind: 'fetched', rq: frame.rq, items })
  }

  #ping(): void {
    if (this.#monotonic() - this.#heard < relayLimits.pingMs) return
    if (this.#missedPongs >= relayLimits.missedPongsMax) {
      this.#peer.reset()
      return
    }
    this.#missedPongs++
    this.#send({ kind: 'ping', t: this.#relay.now() })
  }

  /** A reader that keeps up answers each delivery, so a delivery pays for its own answers. */
  #deliver(frame: Uint8Array): void {
    this.#frames.give(relayLimits.answersPerDelivery)
    this.#sendBytes(frame)
  }

  #send(frame: RelayFrame): void {
    if (this.#state.name !== 'closed') this.#sendBytes(encodeRelayFrame(frame))
  }

  #sendBytes(bytes: Uint8Array): void {
    if (this.#state.name === 'closed') return
    // In the turn of the write itself: whoever is not sure of the newest directory sends nothing.
    if (!this.#relay.serving()) {
      this.#reset()
      return
    }
    this.#relay.metrics.sent(bytes.length)
    this.#peer.send(bytes)
    if (this.#peer.unsentBytes() > relayLimits.sendBufferHardBytes) this.#fail('slow_consumer')
  }

  /** Refuses one request; the session goes on. */
  #error(code: ErrorCode, rq: number, retryAfterMs = 0): void {
    this.#send(errorFrame(code, rq, retryAfterMs))
  }

  /** Refuses the session. Its last frame goes out however much is unsent already. */
  #fail(code: ErrorCode, retryAfterMs = 0): void {
    if (this.#state.name === 'closed') return
    this.#relay.logger.info({ ...this.#principal(), code }, 'session ended')
    const serving = this.#relay.serving()
    this.closed()
    if (!serving) {
      this.#peer.reset()
      return
    }
    this.#peer.send(encodeRelayFrame(errorFrame(code, 0, retryAfterMs)))
    this.#peer.close(code)
  }

  #reset(): void {
    this.closed()
    this.#peer.reset()
  }

  /** An error of our own: the outcome of what was under way is unknown, and the client is told so. */
  #crashed(error: unknown): void {
    this.#relay.logger.error({ err: error }, 'session failed')
    this.#fail(isLogTrouble(error) ? 'log_unavailable' : 'internal', 1000)
  }
}

const isLogTrouble = (error: unknown): boolean =>
  error instanceof RelayError && error.code === 'log_unavailable'

function errorFrame(code: ErrorCode, rq: number, retryAfterMs: number): RelayFrame {
  const { n, text } = errorRow(code)
  return { kind: 'error', code: n, rq, text, retryAfterMs }
}

/** Number by which an answer would find its request. */
const requestOf = (frame: ClientFrame): number =>
  'rq' in frame ? frame.rq : 'sub' in frame ? frame.sub : 0
