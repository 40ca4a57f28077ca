import {
  type Challenge,
  decodeHello,
  type ErrorCode,
  encodeChallenge,
  equal,
  err,
  type Hello,
  limits,
  ok,
  type Result,
  randomBytes,
  signChallenge,
  verifyAuth,
} from '@liaison/protocol'
import { relayLimits } from '../limits.ts'
import type { Principal, Relay } from '../relay.ts'

/** A challenge that was sent and waits for its answer. */
export interface PendingAuth {
  readonly hello: Hello
  readonly helloBytes: Uint8Array
  readonly challenge: Uint8Array
  readonly sig: Uint8Array
  /** The relay's nonce of this session. */
  readonly relayNonce: Uint8Array
  readonly principal: Principal
}

/** Answers a hello with a signed challenge. */
export function challengeFor(relay: Relay, helloBytes: Uint8Array): Result<PendingAuth, ErrorCode> {
  const decoded = decodeHello(helloBytes)
  if (!decoded.ok) return decoded
  const hello = decoded.value
  if (!hello.v.includes(1)) return err('version_unsupported')
  const principal = principalOf(hello)
  if (principal === null) return err('frame_malformed')
  if (relay.directory.relay(relay.number)?.origin !== hello.org) return err('auth_failed')
  const forked = forks(relay, hello)
  if (forked) return err('directory_fork')
  const relayNonce = randomBytes(32)
  const challenge: Challenge = {
    v: 1,
    rn: relayNonce,
    rk: relay.number,
    t: relay.now(),
    lim: {
      frame: relayLimits.frameBytesMax,
      payload: limits.payloadBytesMax,
      recipients: limits.recipientsMax,
      credit: [limits.creditFramesStart, limits.creditBytesStart],
    },
    cp: relay.host.checkpoint(),
  }
  const bytes = encodeChallenge(challenge)
  const sig = signChallenge(relay.directory.net, relay.key, helloBytes, bytes)
  return ok({ hello, helloBytes, challenge: bytes, sig, relayNonce, principal })
}

function principalOf(hello: Hello): Principal | null {
  if (hello.dev !== undefined && hello.adm === undefined) return { kind: 'device', dev: hello.dev }
  if (hello.adm !== undefined && hello.dev === undefined) {
    return { kind: 'administrator', adm: hello.adm }
  }
  return null
}

/** Whether client and relay know different directories of one size. Size 0 is the empty log. */
function forks(relay: Relay, hello: Hello): boolean {
  const [size, root] = hello.dir
  const known = relay.directory.rootAt(size)
  return known !== null && !equal(known, root)
}

/** Checks the answer: the right key, for a principal that may be here now. */
export function authenticate(
  relay: Relay,
  pending: PendingAuth,
  sig: Uint8Array,
): ErrorCode | null {
  const { principal } = pending
  const key =
    principal.kind === 'device'
      ? relay.directory.device(principal.dev)?.identityKey
      : relay.directory.admins().admins.get(principal.adm)?.key
  // One answer for an unknown name and a bad signature: neither tells who is enrolled.
  if (key === undefined) return 'auth_failed'
  const good = verifyAuth(
    relay.directory.net,
    key,
    pending.helloBytes,
    pending.challenge,
    relay.key.publicKey,
    sig,
  )
  if (!good) return 'auth_failed'
  return relay.mayConnect(principal) ? null : 'device_inactive'
}
