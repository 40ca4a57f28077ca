import {
  type Directory,
  decodeChallenge,
  decodeRelayFrame,
  encodeClientFrame,
  encodeHello,
  RelayError,
  type RelayFrame,
  randomBytes,
  type SigningKey,
  signAuth,
  verifyChallenge,
} from '@liaison/protocol'
import { errorOfFrame } from './told-error.ts'
import type { OpenWebSocket } from './transport.ts'

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

/** What is known once the relay has let the client in. */
export interface LinkReady {
  readonly ready: Extract<RelayFrame, { kind: 'ready' }>
  /** Relay that answered, and its key. */
  readonly relay: { readonly num: number; readonly key: Uint8Array }
  /** The relay's nonce of this session; administrators repeat it in their questions. */
  readonly relayNonce: Uint8Array
}

/** What follows from a frame of the handshake. */
type Step =
  | { readonly kind: 'send'; readonly bytes: Uint8Array }
  | { readonly kind: 'ready'; readonly info: LinkReady }
  | { readonly kind: 'fail'; readonly error: RelayError }

/** The client's side of the handshake, without any socket. */
export class Handshake {
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
