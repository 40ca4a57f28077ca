import {
  type ClientFrame,
  decodeRelayFrame,
  encodeClientFrame,
  RelayError,
  type RelayFrame,
} from '@liaison/protocol'
import { Handshake, type LinkOptions, type LinkReady } from './handshake.ts'
import { clientLimits } from './limits.ts'
import { type Answer, Requests } from './requests.ts'
import { errorOfClose, errorOfFrame } from './told-error.ts'
import { Transport } from './transport.ts'

/** A request frame without its number, which the link gives. */
type WithoutRq<F> = F extends { readonly rq: number } ? Omit<F, 'rq'> : never

/** A frame that expects an answer. */
export type RequestFrame = WithoutRq<ClientFrame>

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
  readonly #requests = new Requests()
  #pongs: { readonly t: number; readonly resolve: () => void }[] = []
  #pings = 0
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
        closed: (info) => fail(errorOfClose(info)),
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
    const rq = this.#requests.nextNumber()
    return this.#requests.answer(rq, expected, () =>
      this.send(typeof frame === 'function' ? frame(rq) : ({ ...frame, rq } as ClientFrame)),
    )
  }

  /** Resolves when the relay has handled everything that was sent before, publish frames excepted. */
  barrier(): Promise<void> {
    return new Promise((resolve, reject) => {
      const t = ++this.#pings
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
        this.#requests.answered(frame.rq, frame)
        return
      case 'dir':
        if (!this.#requests.answered(frame.rq, frame)) this.onFrame(frame)
        return
      case 'error': {
        const error = errorOfFrame(frame)
        if (frame.rq === 0 && error.code === 'ack_refused') this.#ackRefusals++
        if (!this.#requests.refused(frame.rq, error)) this.onFrame(frame)
        return
      }
      default:
        this.onFrame(frame)
    }
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
    this.#requests.end(error)
    this.#resolveClosed(error)
  }
}
