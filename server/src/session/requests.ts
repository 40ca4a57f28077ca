import {
  type ClientFrame,
  type DeliverItem,
  type ErrorCode,
  limits,
  type RelayFrame,
} from '@liaison/protocol'
import { type AckSink, AckSubscription } from '../delivery/ack-subscription.ts'
import { itemOf, readerPart } from '../delivery/reader-item.ts'
import { type DeliverySink, TopicSubscription } from '../delivery/topic-subscription.ts'
import { relayLimits } from '../limits.ts'
import type { Principal, Relay } from '../relay.ts'

/** Publish frames of one session whose appends are under way at the same time. */
const publishFramesInFlightMax = 32

/** What answers go out through. */
export interface Outbound extends DeliverySink, AckSink {
  send(frame: RelayFrame): void
  /** Refuses one request; the session goes on. */
  error(code: ErrorCode, rq: number, retryAfterMs?: number): void
  /** Refuses the session. */
  fail(code: ErrorCode, retryAfterMs?: number): void
  /** An error of our own; the outcome of what was under way is unknown. */
  crashed(error: unknown): void
}

/** What one authenticated principal asks for: its subscriptions, and its reports on their way to the log. */
export class Requests {
  readonly #relay: Relay
  readonly #principal: Principal
  readonly #relayNonce: Uint8Array
  readonly #out: Outbound
  readonly #monotonic: () => number
  readonly #subscriptions = new Map<number, TopicSubscription | AckSubscription>()
  #publishing = 0
  /** Ends when the envelopes sent so far have reached the log. */
  #published: Promise<void> = Promise.resolve()
  /** Called whenever a publish frame was answered, or on closing. */
  readonly #waiting: (() => void)[] = []
  #closed = false

  /** @param relayNonce The relay's nonce of this session; an administrator signs it with each question. */
  constructor(
    relay: Relay,
    who: { readonly principal: Principal; readonly relayNonce: Uint8Array },
    out: Outbound,
    monotonic: () => number,
  ) {
    this.#relay = relay
    this.#principal = who.principal
    this.#relayNonce = who.relayNonce
    this.#out = out
    this.#monotonic = monotonic
  }

  /** Resolves when every report that was begun is answered, or the session is closed. */
  async answered(): Promise<void> {
    while (this.#publishing > 0 && !this.#closed) await this.#something()
  }

  /** The socket has room again. */
  wake(): void {
    for (const subscription of this.#subscriptions.values()) subscription.wake()
  }

  topicGrew(topic: number): void {
    for (const s of this.#subscriptions.values()) {
      if (s instanceof TopicSubscription && s.topic === topic) s.wake()
    }
  }

  acksGrew(member: number): void {
    for (const s of this.#subscriptions.values()) {
      if (s instanceof AckSubscription && s.member === member) s.wake()
    }
  }

  /** Deliver frames sent and not yet taken in. */
  outstanding(): number {
    let frames = 0
    for (const s of this.#subscriptions.values()) frames += s.outstandingFrames
    return frames
  }

  /** Sends nothing more. */
  close(): void {
    this.#closed = true
    for (const subscription of this.#subscriptions.values()) subscription.close()
    this.#subscriptions.clear()
    this.#wakeWaiting()
  }

  /** Resolves when a publish was answered or the session closed. */
  #something(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
    })
  }

  #wakeWaiting(): void {
    for (const wake of this.#waiting.splice(0)) wake()
  }

  /**
   * Does what an authorised frame asks for.
   *
   * @param bytes Length of the frame, for quotas.
   */
  async handle(frame: ClientFrame, bytes: number): Promise<void> {
    const principal = this.#principal
    switch (frame.kind) {
      case 'ping':
        return this.#out.send({ kind: 'pong', t: frame.t })
      case 'hello':
      case 'auth':
      case 'pong':
        // Of a pong it counts that it arrived; the others were refused already.
        return
      case 'dir-want': {
        const page = this.#relay.host.page(Math.min(frame.from, this.#relay.directory.size))
        return this.#out.send({ kind: 'dir', rq: frame.rq, page })
      }
      case 'append': {
        const waitMs = this.#relay.appendWaitMs(principal, this.#monotonic())
        if (waitMs > 0) return this.#out.error('rate_limited', frame.rq, waitMs)
        return this.#out.send(await this.#relay.appendEntry(principal, frame.rq, frame.entry))
      }
      case 'blob-put': {
        const waitMs = this.#relay.publishWaitMs(principal, bytes, this.#monotonic())
        if (waitMs > 0) return this.#out.error('quota_exceeded', frame.rq, waitMs)
        const refused = await this.#relay.putBlobs(frame.blobs)
        if (refused !== null) return this.#out.error(refused, frame.rq)
        return this.#out.send({ kind: 'blobs', rq: frame.rq, blobs: [], missing: [] })
      }
      case 'blob-get':
        return this.#out.send(await this.#relay.getBlobs(frame.rq, frame.hashes))
      case 'admin':
        if (principal.kind !== 'administrator') throw new Error('an unauthorised frame')
        return this.#admin(principal.adm, frame)
      default:
        if (principal.kind !== 'device') throw new Error('an unauthorised frame')
        return this.#handleDevice(frame, bytes, principal.dev)
    }
  }

  async #admin(adm: number, frame: Extract<ClientFrame, { kind: 'admin' }>): Promise<void> {
    const read = await this.#relay.adminRead(adm, this.#relayNonce, frame.request, frame.sig)
    if (typeof read === 'string') return this.#out.error(read, 0)
    this.#out.send(read.answer)
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
        if (waitMs > 0) return this.#out.fail('rate_limited', waitMs)
        const refused = await this.#relay.acknowledge(device, frame.ack, frame.sig)
        if (refused !== null) this.#out.error(refused, 0)
        return
      }
      case 'subscribe':
        return this.#subscribe(frame, device)
      case 'subscribe-acks': {
        const refused = this.#mayOpen(frame.sub)
        if (refused !== null) return this.#out.error(refused, frame.sub)
        const member = this.#relay.directory.device(device)?.mem ?? 0
        if (frame.from > this.#relay.source.log.ackHead(member)) {
          return this.#out.error('cursor_ahead', frame.sub)
        }
        const query = { sub: frame.sub, member, from: frame.from }
        return this.#start(frame.sub, new AckSubscription(query, this.#relay.source.log, this.#out))
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
    if (waitMs > 0) return this.#out.error('quota_exceeded', frame.rq, waitMs)
    if (this.#relay.overloaded()) {
      return this.#out.error('overloaded', frame.rq, relayLimits.overloadedRetryMs)
    }
    while (this.#publishing >= publishFramesInFlightMax) await this.#something()
    if (this.#closed) return
    this.#publishing++
    const after = this.#published
    const { reached, answer } = this.#relay.publish(device, frame.rq, frame.envelopes, after)
    // What failed is told with the answer; the next frame must not wait for it for ever.
    this.#published = reached.catch(() => undefined)
    answer
      .then(
        (result) => this.#out.send(result),
        (error: unknown) => this.#out.crashed(error),
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
      this.#out.error(refused, sub)
      return
    }
    const query = { sub, device, topic: top, from, fluPaths }
    this.#start(sub, new TopicSubscription(query, this.#relay.source, this.#out))
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
      const prepared = await envelopes.prepare(envelope)
      const idx = prepared.audience.places.get(device)
      if (idx === undefined) continue
      bytes += envelope.payload.length + 4096
      if (items.length > 0 && bytes > limits.deliverFrameBytesMax) break
      const slots = await envelopes.slots(prepared)
      const part = readerPart(envelopes, prepared, slots, idx, frame.fluPaths)
      items.push(itemOf(prepared, part))
    }
    this.#out.send({ kind: 'fetched', rq: frame.rq, items })
  }

  /** Ends subscriptions to topics that the device may no longer read. */
  recheckRights(): void {
    const principal = this.#principal
    if (principal.kind !== 'device') return
    for (const [sub, s] of this.#subscriptions) {
      if (s instanceof AckSubscription) continue
      if (this.#relay.directory.mayRead(principal.dev, s.topic)) continue
      s.close()
      this.#subscriptions.delete(sub)
      this.#out.error('subscription_refused', sub)
    }
  }
}
