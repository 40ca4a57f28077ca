/** A bare protocol client: it sends whatever it is told to, so that hostile frames can be tried. */
import { once } from 'node:events'
import {
  type ClientFrame,
  codeOfNumber,
  decodeChallenge,
  decodeReceipt,
  decodeRelayFrame,
  type Envelope,
  type ErrorCode,
  encodeAdminRequest,
  encodeClientFrame,
  encodeHello,
  type Hello,
  type NetworkId,
  type Receipt,
  type RelayFrame,
  randomBytes,
  receiptHash,
  type SigningKey,
  signAdminRequest,
  signAuth,
  toHex,
  verifyChallenge,
  verifyReceipts,
} from '@liaison/protocol'
import { WebSocket } from 'ws'
import type { TestDevice, TestNetwork } from './network.ts'

/** Longest wait for one frame, ms. */
const waitMsMax = 8000

type Kind = RelayFrame['kind']
type FrameOf<K extends Kind> = Extract<RelayFrame, { kind: K }>

/** How to connect. */
export interface RawOptions {
  readonly origin?: string
  readonly protocols?: readonly string[]
  /** Certificate that a relay with TLS must show. */
  readonly ca?: Uint8Array
}

/** Who introduces itself, and with which key it signs. */
export interface RawIdentity {
  readonly dev?: number
  readonly adm?: number
  readonly key: SigningKey
}

/** Receipts of one frame, checked against the relay's key. */
export interface CheckedResult {
  readonly receipts: readonly Receipt[]
  readonly codes: readonly (ErrorCode | 'ok')[]
  readonly bytes: readonly Uint8Array[]
  readonly sig: Uint8Array
}

/** One connection. */
export class RawClient implements AsyncDisposable {
  readonly socket: WebSocket
  readonly network: TestNetwork
  /** Frames that came and were not taken by a wait. */
  readonly inbox: RelayFrame[] = []
  /** Bytes of all messages received. */
  received = 0
  /** Set once authenticated. */
  relayNonce: Uint8Array = new Uint8Array(32)
  readonly #waiters: (() => void)[] = []
  #closed: { readonly code: number; readonly reason: string } | null = null
  #rq = 0
  /** Key of the relay that answered. */
  #relayKey: Uint8Array

  private constructor(socket: WebSocket, network: TestNetwork) {
    this.socket = socket
    this.network = network
    this.#relayKey = network.relayKey.publicKey
    socket.on('message', (data: Buffer) => {
      this.received += data.length
      const frame = decodeRelayFrame(new Uint8Array(data))
      if (!frame.ok) throw new Error(`the relay sent a bad frame: ${frame.error}`)
      this.inbox.push(frame.value)
      this.#wake()
    })
    socket.on('error', () => undefined)
    socket.on('close', (code: number, reason: Buffer) => {
      this.#closed = { code, reason: reason.toString() }
      this.#wake()
    })
  }

  /** Opens a socket; rejects when the upgrade is refused. */
  static async connect(
    url: string,
    network: TestNetwork,
    options: RawOptions = {},
  ): Promise<RawClient> {
    const socket = new WebSocket(url, [...(options.protocols ?? ['sir.v1.cbor'])], {
      ...(options.origin === undefined ? {} : { origin: options.origin }),
      ...(options.ca === undefined ? {} : { ca: Buffer.from(options.ca) }),
      perMessageDeflate: false,
    })
    const client = new RawClient(socket, network)
    await once(socket, 'open')
    return client
  }

  /** Opens a socket and authenticates. */
  static async as(
    url: string,
    network: TestNetwork,
    identity: RawIdentity | TestDevice,
    hello: Partial<Hello> = {},
    options: RawOptions = {},
  ): Promise<RawClient> {
    const client = await RawClient.connect(url, network, options)
    await client.authenticate(identity, hello)
    return client
  }

  get net(): NetworkId {
    return this.network.directory.net
  }

  get closed(): { readonly code: number; readonly reason: string } | null {
    return this.#closed
  }

  #wake(): void {
    for (const wake of this.#waiters.splice(0)) wake()
  }

  /** Waits until a condition holds; it is looked at after every frame. */
  async until(condition: () => boolean, what: string): Promise<void> {
    const end = performance.now() + waitMsMax
    while (!condition()) {
      const left = end - performance.now()
      if (left <= 0) throw new Error(`waited in vain for ${what}`)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left)
        this.#waiters.push(() => {
          clearTimeout(timer)
          resolve()
        })
      })
    }
  }

  /** Takes the first frame of a kind, waiting for it. */
  async next<K extends Kind>(
    kind: K,
    accept: (frame: FrameOf<K>) => boolean = () => true,
  ): Promise<FrameOf<K>> {
    const at = (): number => this.inbox.findIndex((f) => f.kind === kind && accept(f as FrameOf<K>))
    await this.until(() => at() >= 0 || this.#closed !== null, `a ${kind} frame`)
    const [frame] = at() < 0 ? [] : this.inbox.splice(at(), 1)
    if (frame === undefined) {
      throw new Error(`closed (${this.#closed?.reason}) before a ${kind} frame came`)
    }
    return frame as FrameOf<K>
  }

  /** Takes the next error frame as its code. */
  async nextError(): Promise<ErrorCode> {
    return codeOfNumber((await this.next('error')).code)
  }

  /** Waits for the end of the connection. */
  async ended(): Promise<{ readonly code: number; readonly reason: string }> {
    await this.until(() => this.#closed !== null, 'the end of the connection')
    return this.#closed as { code: number; reason: string }
  }

  /** Everything sent before was handled, and everything sent by the relay before has arrived. */
  async barrier(): Promise<void> {
    const t = ++this.#rq
    this.send({ kind: 'ping', t })
    await this.next('pong', (f) => f.t === t)
  }

  send(frame: ClientFrame): void {
    this.socket.send(encodeClientFrame(frame))
  }

  sendBytes(bytes: Uint8Array): void {
    this.socket.send(bytes)
  }

  /** Bytes of a hello for an identity. */
  helloBytes(identity: RawIdentity | TestDevice, changes: Partial<Hello> = {}): Uint8Array {
    const who = 'num' in identity ? { dev: identity.num } : identity
    return encodeHello({
      v: [1],
      cn: randomBytes(32),
      dir: this.network.base(),
      org: 'ws://127.0.0.1',
      ...('dev' in who && who.dev !== undefined ? { dev: who.dev } : {}),
      ...('adm' in who && who.adm !== undefined ? { adm: who.adm } : {}),
      ...changes,
    })
  }

  /** Sends a hello and takes the challenge, whose signature must verify. */
  async challenge(hello: Uint8Array): Promise<FrameOf<'challenge'>> {
    this.send({ kind: 'hello', hello })
    const frame = await this.next('challenge')
    const decoded = decodeChallenge(frame.challenge)
    if (!decoded.ok) throw new Error(decoded.error)
    this.#relayKey = this.network.relayKeyOf(decoded.value.rk).publicKey
    if (!verifyChallenge(this.net, this.#relayKey, hello, frame.challenge, frame.sig)) {
      throw new Error('the challenge does not verify')
    }
    this.relayNonce = decoded.value.rn
    return frame
  }

  /** The whole handshake. */
  async authenticate(
    identity: RawIdentity | TestDevice,
    changes: Partial<Hello> = {},
  ): Promise<FrameOf<'ready'>> {
    const hello = this.helloBytes(identity, changes)
    const { challenge } = await this.challenge(hello)
    const sig = signAuth(this.net, identity.key, hello, challenge, this.#relayKey)
    this.send({ kind: 'auth', sig })
    return this.next('ready')
  }

  /** Sends envelopes without waiting. @returns the number of the request */
  beginPublish(...envelopes: readonly Envelope[]): number {
    const rq = ++this.#rq
    this.send({ kind: 'publish', rq, envelopes })
    return rq
  }

  /** Waits for a signed answer and checks the signature over all its receipts. */
  async result(rq: number): Promise<CheckedResult> {
    const frame = await this.next('result', (f) => f.rq === rq)
    const hashes = frame.receipts.map(receiptHash)
    if (!verifyReceipts(this.net, this.#relayKey, hashes, frame.sig)) {
      throw new Error('the receipts do not verify')
    }
    const receipts = frame.receipts.map((bytes) => {
      const decoded = decodeReceipt(bytes)
      if (!decoded.ok) throw new Error(`bad receipt ${toHex(bytes)}`)
      return decoded.value
    })
    const codes = receipts.map(({ rc }) => (rc === 0 ? 'ok' : codeOfNumber(rc)))
    return { receipts, codes, bytes: frame.receipts, sig: frame.sig }
  }

  /** Publishes and waits for the receipts. */
  publish(...envelopes: readonly Envelope[]): Promise<CheckedResult> {
    return this.result(this.beginPublish(...envelopes))
  }

  /** Appends a directory entry and waits for the receipt. */
  append(entry: Uint8Array): Promise<CheckedResult> {
    const rq = ++this.#rq
    this.send({ kind: 'append', rq, entry })
    return this.result(rq)
  }

  /** Subscribes to a topic. */
  subscribe(sub: number, top: number, from = 0, fluPaths = false): void {
    this.send({ kind: 'subscribe', sub, top, from, fluPaths })
  }

  /** A new number for a request. */
  newRq(): number {
    return ++this.#rq
  }

  /** Bytes and signature of an administrator's question in this session. */
  adminRequest(
    key: SigningKey,
    ask: { op: 'status' | 'leaves'; from?: number; to?: number; rn?: Uint8Array },
  ): { readonly request: Uint8Array; readonly sig: Uint8Array } {
    const request = encodeAdminRequest({
      rn: this.relayNonce,
      rq: ++this.#rq,
      t: this.network.now,
      n: randomBytes(16),
      ...ask,
    })
    return { request, sig: signAdminRequest(this.net, key, request) }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed !== null) return
    this.socket.terminate()
    await this.ended()
  }
}
