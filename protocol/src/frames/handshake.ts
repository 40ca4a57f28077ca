import { challenge as checkChallenge, hello as checkHello } from '@liaison/schemas/wire'
import type { NetworkId } from '../brand.ts'
import { type CborMap, encodeCbor } from '../cbor.ts'
import { type SigningKey, signParts, verifyParts } from '../crypto/sign.ts'
import { type DecodeCode, decodeAs } from '../decode.ts'
import type { Result } from '../result.ts'

/** What a client says first. Either a device or an administrator introduces itself. */
export interface Hello {
  readonly v: readonly number[]
  /** 32 random bytes of the client. */
  readonly cn: Uint8Array
  /** Size and root of the directory that the client has. */
  readonly dir: readonly [size: number, root: Uint8Array]
  /** Origin of the relay that the client means to speak to. */
  readonly org: string
  readonly dev?: number
  readonly adm?: number
}

/** What the relay answers; signed with the key that the directory lists for it. */
export interface Challenge {
  readonly v: number
  /** 32 random bytes of the relay. */
  readonly rn: Uint8Array
  /** Number of the relay in the directory. */
  readonly rk: number
  /** The relay's clock, ms. */
  readonly t: number
  readonly lim: {
    /** Largest frame, bytes. */
    readonly frame: number
    /** Largest sealed payload, bytes. */
    readonly payload: number
    readonly recipients: number
    /** Credit at the start of a subscription: frames, bytes. */
    readonly credit: readonly [frames: number, bytes: number]
  }
  /** Newest signed checkpoint of the directory. */
  readonly cp: Uint8Array
}

/** The one encoding of a hello. */
export const encodeHello = (hello: Hello): Uint8Array => encodeCbor(hello as unknown as CborMap)

/** Strict decoding of a hello. */
export const decodeHello = (bytes: Uint8Array): Result<Hello, DecodeCode> =>
  decodeAs<Hello>(bytes, checkHello)

/** The one encoding of a challenge. */
export const encodeChallenge = (challenge: Challenge): Uint8Array =>
  encodeCbor(challenge as unknown as CborMap)

/** Strict decoding of a challenge. */
export const decodeChallenge = (bytes: Uint8Array): Result<Challenge, DecodeCode> =>
  decodeAs<Challenge>(bytes, checkChallenge)

/** The relay's signature covers the hello, so that an old challenge answers no new client. */
export const signChallenge = (
  net: NetworkId,
  key: SigningKey,
  hello: Uint8Array,
  challenge: Uint8Array,
): Uint8Array => signParts(key, 'challenge', net, hello, challenge)

/** Whether the relay with this key answered this hello. */
export const verifyChallenge = (
  net: NetworkId,
  relayKey: Uint8Array,
  hello: Uint8Array,
  challenge: Uint8Array,
  sig: Uint8Array,
): boolean => verifyParts(sig, relayKey, 'challenge', net, hello, challenge)

/**
 * The client's answer covers both nonces, the origin and the relay's key: given to relay A it is
 * useless at relay B. The last part is the TLS exporter where both ends have it; empty otherwise.
 */
export const signAuth = (
  net: NetworkId,
  key: SigningKey,
  hello: Uint8Array,
  challenge: Uint8Array,
  relayKey: Uint8Array,
): Uint8Array => signParts(key, 'auth', net, hello, challenge, relayKey, new Uint8Array())

/** Whether the client holds the key that the directory lists for it. */
export const verifyAuth = (
  net: NetworkId,
  identityKey: Uint8Array,
  hello: Uint8Array,
  challenge: Uint8Array,
  relayKey: Uint8Array,
  sig: Uint8Array,
): boolean =>
  verifyParts(sig, identityKey, 'auth', net, hello, challenge, relayKey, new Uint8Array())
