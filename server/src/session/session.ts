import {
  type ClientFrame,
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
import { relayLimits } from '../limits.ts'
import type { Principal, Relay } from '../relay.ts'
import { TokenBucket } from '../token-bucket.ts'
import { authorise, endsSession } from './authorise.ts'
import { authenticate, challengeFor, type PendingAuth } from './handshake.ts'
import type { Peer } from './peer.ts'
import { type Outbound, Requests } from './requests.ts'
import type { LiveSession } from './sessions.ts'

type State =
  | { readonly name: 'new' }
  | { readonly name: 'challenged'; readonly pending: PendingAuth }
  | { readonly name: 'ready'; readonly live: LiveSession; readonly requests: Requests }
  | { readonly name: 'closed' }

/**
 * One connection: handshake, then frames in the order in which they came. Frames are handled one
 * after the other, except that publish frames wait for the disk side by side; so a pong proves that
 * everything sent before the ping, publish frames excepted, is done.
 */
export class Session {
  readonly #relay: Relay
  readonly #peer: Peer
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
  /** Called when the frames that came are handled, or the session is closed. */
  readonly #waiting: (() => void)[] = []

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
    if (this.#state.name === 'ready') this.#state.requests.wake()
  }

  /** The socket is gone. */
  closed(): void {
    clearTimeout(this.#authTimer)
    clearInterval(this.#pingTimer)
    const state = this.#state
    this.#state = { name: 'closed' }
    if (state.name === 'ready') {
      this.#relay.sessions.remove(state.live)
      state.requests.close()
    }
    this.#dropInbox()
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
    while (this.#state.name !== 'closed' && this.#busy) await this.#something()
    if (this.#state.name === 'ready') await this.#state.requests.answered()
    this.#fail(code, retryAfterMs)
  }

  /** Resolves when what came is handled, or the session closed. */
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
    if (this.#state.name === 'ready') return this.#state.requests.handle(frame.value, bytes.length)
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
    const { principal, relayNonce } = pending
    const who = { principal, relayNonce }
    const requests = new Requests(this.#relay, who, this.#outbound(), this.#monotonic)
    const live = this.#asLive(principal, requests)
    this.#state = { name: 'ready', live, requests }
    this.#relay.sessions.add(live)
    // A client that knows more than this relay gets an empty page, and judges for itself.
    const from = Math.min(pending.hello.dir[0], this.#relay.directory.size)
    const dir = this.#relay.host.page(from)
    this.#send({ kind: 'ready', sid: randomBytes(16), t: this.#relay.now(), dir })
    this.#pingTimer = setInterval(() => this.#ping(), relayLimits.pingMs)
    this.#pingTimer.unref()
    this.#relay.logger.info({ ...pending.principal }, 'session ready')
  }

  /** What the requests of this session are answered through. */
  #outbound(): Outbound {
    const { metrics } = this.#relay
    return {
      send: (frame) => this.#send(frame),
      error: (code, rq, retryAfterMs) => this.#error(code, rq, retryAfterMs),
      fail: (code, retryAfterMs) => this.#fail(code, retryAfterMs),
      crashed: (error) => this.#crashed(error),
      writable: () => this.#peer.unsentBytes() <= relayLimits.sendBufferSoftBytes,
      deliver: (sub, items, since) => {
        this.#deliver(encodeDeliverFrame(sub, items))
        if (since !== null) metrics.delivered(this.#relay.now() - since)
      },
      deliverAcks: (sub, items) => this.#deliver(encodeRelayFrame({ kind: 'acks', sub, items })),
      failed: (error) => this.#crashed(error),
    }
  }

  #asLive(principal: Principal, requests: Requests): LiveSession {
    return {
      principal,
      reset: () => this.#reset(),
      end: (code, retryAfterMs) => this.end(code, retryAfterMs),
      directoryGrew: (page: DirectoryPage) => this.#send({ kind: 'dir', rq: 0, page }),
      topicGrew: (topic) => requests.topicGrew(topic),
      acksGrew: (member) => requests.acksGrew(member),
      recheckRights: () => requests.recheckRights(),
      outstanding: () => requests.outstanding(),
    }
  }

  #principal(): Principal | null {
    return this.#state.name === 'ready' ? this.#state.live.principal : null
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
