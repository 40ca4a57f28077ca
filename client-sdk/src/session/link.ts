import {
  type ClientFrame,
  codeOfNumber,
  type Directory,
  decodeChallenge,
  decodeRelayFrame,
  encodeClientFrame,
  encodeHello,
  isErrorCode,
  RelayError,
  type RelayFrame,
  randomBytes,
  type SigningKey,
  signAuth,
  verifyChallenge,
} from '@liaison/protocol'
import { clientLimits } from './limits.ts'
import { type CloseInfo, type OpenWebSocket, Transport } from './transport.ts'

/** Who connects. */
export type LinkPrincipal =
  | { readonly kind: 'device'; readonly number: number }
  | { readonly kind: 'administrator'; readonly number: number }

/** What a link needs to come about. */
export interface LinkOptions {
  readonly url: string
  readonly open: OpenWebSocket
  readonly directory: Directory
  readonly principal: LinkPrincipal
  readonly key: SigningKey
  readonly signal: AbortSignal
}

/** Frames that answer a request of ours by its number. */
type Answer = Extract<RelayFrame, { kind: 'result' | 'dir' | 'fetched' | 'blobs' | 'admin-answer' }>

/** A request frame without its number, which the link gives. */
type WithoutRq<F> = F extends { readonly rq: number } ? Omit<F, 'rq'> : never

/** A frame that expects an answer. */
export type RequestFrame = WithoutRq<ClientFrame>

/**
 * Requests are numbered above every subscription, because an error names either by the same field.
 * A refused subscription must not be taken for the answer to a request.
 */
const requestNumbers = { first: 0x1_0000, last: 0xffff_ffff } as const

interface Waiting {
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: unknown) => void
  readonly timer: ReturnType<typeof setTimeout>
}

/** What is known once the relay has let the client in. */
export interface LinkReady {
  readonly ready: Extract<RelayFrame, { kind: 'ready' }>
  /** Relay that answered, and its key. */
  readonly relay: { readonly num: number; readonly key: Uint8Array }
  /** The relay's nonce of this session; administrators repeat it in their questions. */
  readonly relayNonce: Uint8Array
}

/** Frames that come without having been asked for. */
export type Unasked = Exclude<
  RelayFrame,
  { kind: 'challenge' | 'ready' | 'result' | 'fetched' | 'blobs' | 'admin-answer' }
>

/** One authenticated connection to one relay. It is used until it ends; a new one is made then. */
export class Link {
  readonly info: LinkReady
  readonly closed: Promise<RelayError>
  /** Hears what was not asked for; set by the owner before the first await. */
  onFrame: (frame: Unasked) => void = () => undefined
  readonly #transport: Transport
  readonly #waiting = new Map<number, Waiting>()
  #pongs: { readonly t: number; readonly resolve: () => void }[] = []
  #rq: number = requestNumbers.first
  #ended: RelayError | null = null
  #pingTimer: ReturnType<typeof setTimeout> | undefined
  #bytes = { sent: 0, received: 0 }
  #ackRefusals = 0
  #resolveClosed: (error: RelayError) => void = () => undefined

  private constructor(transport: Transport, info: LinkReady) {
    this.#transport = transport
    this.info = info
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve
    })
    this.#heard()
  }

  /** Acknowledgements that the relay refused on this link; they have no answer of their own. */
  get ackRefusals(): number {
    return this.#ackRefusals
  }

  /** Bytes of frames sent and received. */
  get bytes(): { readonly sent: number; readonly received: number } {
    return this.#bytes
  }

  /** Bytes handed over that are still in this program; what the system holds back beyond it is not known. */
  get unsentBytes(): number {
    return this.#transport.unsentBytes
  }

  /** Connects and authenticates. @throws RelayError with the relay's code, or `offline`, `timeout`, `relay_unknown`. */
  static connect(options: LinkOptions): Promise<Link> {
    return new Promise<Link>((resolve, reject) => {
      let link: Link | null = null
      const handshake = new Handshake(options)
      const fail = (error: RelayError): void => {
        clearTimeout(timer)
        options.signal.removeEventListener('abort', aborted)
        transport.close()
        if (link === null) reject(error)
        else link.#end(error)
      }
      const aborted = (): void => fail(new RelayError('cancelled'))
      const timer = setTimeout(() => fail(new RelayError('timeout')), clientLimits.connectMsMax)
      const transport = new Transport(options.open, options.url, {
        opened: () => transport.send(handshake.hello()),
        message: (bytes) => {
          if (link !== null) {
            link.#receive(bytes)
            return
          }
          const step = handshake.receive(bytes)
          if (step.kind === 'send') transport.send(step.bytes)
          else if (step.kind === 'fail') fail(step.error)
          else {
            clearTimeout(timer)
            link = new Link(transport, step.info)
            resolve(link)
          }
        },
        closed: (info) => fail(closeError(info)),
      })
      options.signal.addEventListener('abort', aborted, { once: true })
      if (options.signal.aborted) aborted()
    })
  }

  /** Sends a frame that expects no answer. */
  send(frame: ClientFrame): void {
    if (this.#ended !== null) throw this.#ended
    const bytes = encodeClientFrame(frame)
    this.#bytes.sent += bytes.length
    this.#transport.send(bytes)
  }

  /**
   * Sends a request and waits for its answer. A frame that carries its number inside a signature is
   * made from the number that the link gives it.
   *
   * @throws RelayError with the relay's code; `outcome_unknown` when the link broke or time ran out.
   */
  request<K extends Answer['kind']>(
    frame: RequestFrame | ((rq: number) => ClientFrame),
    expected: K,
  ): Promise<Extract<Answer, { kind: K }>> {
    return new Promise((resolve, reject) => {
      this.#rq = this.#rq < requestNumbers.last ? this.#rq + 1 : requestNumbers.first
      const rq = this.#rq
      const timer = setTimeout(() => {
        this.#waiting.delete(rq)
        reject(new RelayError('outcome_unknown', { detail: 'no answer in time' }))
      }, clientLimits.answerMsMax)
      this.#waiting.set(rq, {
        resolve: (answer) => {
          if (answer.kind === expected) resolve(answer as Extract<Answer, { kind: K }>)
          else reject(new RelayError('frame_unexpected', { detail: answer.kind }))
        },
        reject,
        timer,
      })
      try {
        this.send(typeof frame === 'function' ? frame(rq) : ({ ...frame, rq } as ClientFrame))
      } catch (error) {
        this.#settle(rq)
        reject(error)
      }
    })
  }

  /** Resolves when the relay has handled everything that was sent before, publish frames excepted. */
  barrier(): Promise<void> {
    return new Promise((resolve, reject) => {
      const t = ++this.#rq
      this.#pongs.push({ t, resolve })
      this.closed.then(reject, reject)
      try {
        this.send({ kind: 'ping', t })
      } catch (error) {
        reject(error)
      }
    })
  }

  /** Ends the link from this side. */
  close(): void {
    this.#end(new RelayError('session_closed'))
    this.#transport.close()
  }

  #receive(bytes: Uint8Array): void {
    this.#bytes.received += bytes.length
    this.#heard()
    const decoded = decodeRelayFrame(bytes)
    if (!decoded.ok) {
      this.#end(new RelayError(decoded.error, { detail: 'from the relay' }))
      this.#transport.close()
      return
    }
    this.#dispatch(decoded.value)
  }

  #dispatch(frame: RelayFrame): void {
    switch (frame.kind) {
      case 'challenge':
      case 'ready':
        return
      case 'ping':
        this.send({ kind: 'pong', t: frame.t })
        return
      case 'pong': {
        const done = this.#pongs.filter((p) => p.t === frame.t)
        this.#pongs = this.#pongs.filter((p) => p.t !== frame.t)
        for (const { resolve } of done) resolve()
        return
      }
      case 'result':
      case 'fetched':
      case 'blobs':
      case 'admin-answer':
        this.#settle(frame.rq)?.resolve(frame)
        return
      case 'dir': {
        const waiting = this.#settle(frame.rq)
        if (waiting === undefined) this.onFrame(frame)
        else waiting.resolve(frame)
        return
      }
      case 'error': {
        if (frame.rq === 0 && errorOfFrame(frame).code === 'ack_refused') this.#ackRefusals++
        const waiting = frame.rq === 0 ? undefined : this.#settle(frame.rq)
        if (waiting === undefined) this.onFrame(frame)
        else waiting.reject(errorOfFrame(frame))
        return
      }
      default:
        this.onFrame(frame)
    }
  }

  #settle(rq: number): Waiting | undefined {
    const waiting = this.#waiting.get(rq)
    if (waiting === undefined) return undefined
    this.#waiting.delete(rq)
    clearTimeout(waiting.timer)
    return waiting
  }

  /** Something came: ask again only after a while of silence. */
  #heard(): void {
    clearTimeout(this.#pingTimer)
    if (this.#ended !== null) return
    this.#pingTimer = setTimeout(() => {
      this.#pingTimer = setTimeout(() => {
        this.#end(new RelayError('offline', { detail: 'the relay is silent' }))
        this.#transport.close()
      }, clientLimits.pongMsMax)
      this.send({ kind: 'ping', t: 0 })
    }, clientLimits.pingMs)
  }

  #end(error: RelayError): void {
    if (this.#ended !== null) return
    this.#ended = error
    clearTimeout(this.#pingTimer)
    for (const rq of [...this.#waiting.keys()]) {
      this.#settle(rq)?.reject(new RelayError('outcome_unknown', { cause: error }))
    }
    this.#resolveClosed(error)
  }
}

/** What an error frame says, as something that can be thrown. */
export const errorOfFrame = (frame: Extract<RelayFrame, { kind: 'error' }>): RelayError =>
  new RelayError(codeOfNumber(frame.code), {
    ...(frame.retryAfterMs > 0 ? { retryAfterMs: frame.retryAfterMs } : {}),
  })

function closeError(info: CloseInfo): RelayError {
  return isErrorCode(info.reason)
    ? new RelayError(info.reason)
    : new RelayError('offline', { detail: `closed with ${info.code}` })
}

type Step =
  | { readonly kind: 'send'; readonly bytes: Uint8Array }
  | { readonly kind: 'ready'; readonly info: LinkReady }
  | { readonly kind: 'fail'; readonly error: RelayError }

/** The client's side of the handshake, without any socket. */
class Handshake {
  readonly #options: LinkOptions
  readonly #hello: Uint8Array
  #relay: { readonly num: number; readonly key: Uint8Array } | null = null
  #relayNonce = new Uint8Array()

  constructor(options: LinkOptions) {
    this.#options = options
    const { directory, principal } = options
    this.#hello = encodeHello({
      v: [1],
      cn: randomBytes(32),
      dir: [directory.size, directory.root],
      org: relayOrigin(directory, options.url),
      ...(principal.kind === 'device' ? { dev: principal.number } : { adm: principal.number }),
    })
  }

  hello(): Uint8Array {
    return encodeClientFrame({ kind: 'hello', hello: this.#hello })
  }

  receive(bytes: Uint8Array): Step {
    const frame = decodeRelayFrame(bytes)
    if (!frame.ok) return failed(frame.error)
    if (frame.value.kind === 'error') return { kind: 'fail', error: errorOfFrame(frame.value) }
    if (frame.value.kind === 'challenge' && this.#relay === null) return this.#answer(frame.value)
    if (frame.value.kind === 'ready' && this.#relay !== null) {
      const info = { ready: frame.value, relay: this.#relay, relayNonce: this.#relayNonce }
      return { kind: 'ready', info }
    }
    return failed('frame_unexpected')
  }

  #answer({ challenge, sig }: Extract<RelayFrame, { kind: 'challenge' }>): Step {
    const { directory, key } = this.#options
    const decoded = decodeChallenge(challenge)
    if (!decoded.ok) return failed(decoded.error)
    if (decoded.value.v !== 1) return failed('version_unsupported')
    const relay = directory.relay(decoded.value.rk)
    if (relay === null) return failed('relay_unknown')
    if (!verifyChallenge(directory.net, relay.key, this.#hello, challenge, sig)) {
      return failed('relay_unknown')
    }
    this.#relay = { num: relay.num, key: relay.key }
    this.#relayNonce = new Uint8Array(decoded.value.rn)
    const auth = signAuth(directory.net, key, this.#hello, challenge, relay.key)
    return { kind: 'send', bytes: encodeClientFrame({ kind: 'auth', sig: auth }) }
  }
}

const failed = (code: RelayError['code']): Step => ({ kind: 'fail', error: new RelayError(code) })

/** Origin under which the directory knows the relay at this address. */
function relayOrigin(directory: Directory, url: string): string {
  const { relays } = directory.policy()
  const { host, hostname } = new URL(url)
  const named = relays.find((r) => r.origin === host || r.origin === hostname)
  const only = relays.length === 1 ? relays[0] : undefined
  return (named ?? only)?.origin ?? host
}
