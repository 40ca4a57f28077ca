import {
  type ClientFrame,
  type Clock,
  type Directory,
  type DirectoryPage,
  decodeClientFrame,
  decodeHello,
  encodeChallenge,
  encodeRelayFrame,
  limits,
  logOrigins,
  type RelayFrame,
  randomBytes,
  type SigningKey,
  signChallenge,
  signCheckpoint,
  verifyAuth,
} from '@liaison/protocol'
import type { RelayEnd } from './memory-socket.ts'

/** What a relay in memory is made of. */
export interface MemoryRelayDeps {
  readonly directory: Directory
  readonly keys: { readonly relay: SigningKey; readonly dirLog: SigningKey }
  readonly clock: Clock
}

/** The entries from an index on, as a relay sends them. */
export function pageOf({ directory, keys }: MemoryRelayDeps, from: number): DirectoryPage {
  const { size, root } = directory
  const entries: Uint8Array[] = []
  for (let at = from; at < size && entries.length < 64; at++) {
    entries.push(directory.entry(at) ?? new Uint8Array())
  }
  const origin = logOrigins(directory.name).dir
  return { from, size, entries, checkpoint: signCheckpoint(keys.dirLog, { origin, size, root }) }
}

/** A subscription, and how far it was served. */
export interface Subscription {
  readonly sub: number
  /** Number of the topic; null for acknowledgements. */
  readonly topic: number | null
  at: number
}

/** One connection: the handshake, then its frames. */
export class Connection {
  readonly end: RelayEnd
  readonly subscriptions: Subscription[] = []
  /** Number of the device once it has proved itself. */
  device: number | null = null
  readonly #deps: MemoryRelayDeps
  readonly #onFrame: (frame: ClientFrame) => void
  #pending: {
    readonly dev: number
    readonly hello: Uint8Array
    readonly challenge: Uint8Array
  } | null = null

  constructor(deps: MemoryRelayDeps, end: RelayEnd, onFrame: (frame: ClientFrame) => void) {
    this.#deps = deps
    this.end = end
    this.#onFrame = onFrame
  }

  send(frame: RelayFrame): void {
    this.end.send(encodeRelayFrame(frame))
  }

  receive(bytes: Uint8Array): void {
    const frame = decodeClientFrame(bytes)
    if (!frame.ok) {
      this.end.close(4500, frame.error)
      return
    }
    if (this.device !== null) {
      this.#onFrame(frame.value)
      return
    }
    if (frame.value.kind === 'hello') this.#challenge(frame.value.hello)
    else if (frame.value.kind === 'auth') this.#letIn(frame.value.sig)
  }

  #challenge(hello: Uint8Array): void {
    const { directory, keys, clock } = this.#deps
    const decoded = decodeHello(hello)
    if (!decoded.ok || decoded.value.dev === undefined) {
      this.end.close(4500, 'frame_malformed')
      return
    }
    const challenge = encodeChallenge({
      v: 1,
      rn: randomBytes(32),
      rk: 1,
      t: clock(),
      lim: {
        frame: limits.publishFrameBytesMax,
        payload: limits.payloadBytesMax,
        recipients: limits.recipientsMax,
        credit: [limits.creditFramesStart, limits.creditBytesStart],
      },
      cp: pageOf(this.#deps, directory.size).checkpoint,
    })
    const sig = signChallenge(directory.net, keys.relay, hello, challenge)
    this.#pending = { dev: decoded.value.dev, hello, challenge }
    this.send({ kind: 'challenge', challenge, sig })
  }

  #letIn(sig: Uint8Array): void {
    const { directory, keys, clock } = this.#deps
    const { dev = 0, hello, challenge } = this.#pending ?? {}
    const key = directory.device(dev)?.identityKey
    if (key === undefined || hello === undefined || challenge === undefined) {
      this.end.close(4500, 'auth_failed')
      return
    }
    if (!verifyAuth(directory.net, key, hello, challenge, keys.relay.publicKey, sig)) {
      this.end.close(4500, 'auth_failed')
      return
    }
    const t = clock()
    if (!directory.deviceActive(dev, t)) {
      this.end.close(4503, 'device_inactive')
      return
    }
    this.device = dev
    const known = decodeHello(hello)
    const from = known.ok ? Math.min(known.value.dir[0], directory.size) : 0
    this.send({ kind: 'ready', sid: randomBytes(16), t, dir: pageOf(this.#deps, from) })
  }
}
