import { ack as checkAck } from '@liaison/schemas/wire'
import type { NetworkId } from './brand.ts'
import { type CborMap, encodeCbor } from './cbor.ts'
import { type SigningKey, signParts, verifyParts } from './crypto/sign.ts'
import { type DecodeCode, decodeAs } from './decode.ts'
import type { Result } from './result.ts'

/** What a device says about envelopes that reached it; docs/protocol.md, section "Acknowledgements". */
export interface Ack {
  readonly v: 1
  readonly dev: number
  /** The device's clock, ms. */
  readonly t: number
  /** Core hashes of envelopes that were opened and found valid. */
  readonly ok?: readonly Uint8Array[]
  /** ... that a person has read. */
  readonly rd?: readonly Uint8Array[]
  /** ... whose copies were destroyed after a recall. */
  readonly pu?: readonly Uint8Array[]
  /** ... that could not be opened or broke a rule, with the number of the error code. */
  readonly bad?: readonly (readonly [core: Uint8Array, code: number])[]
  /** Topic number and last cursor kept. */
  readonly cur?: readonly [topic: number, cursor: number]
}

/** The one encoding of an acknowledgement. */
export const encodeAck = (ack: Ack): Uint8Array => encodeCbor(ack as unknown as CborMap)

/** Strict decoding of an acknowledgement. */
export const decodeAck = (bytes: Uint8Array): Result<Ack, DecodeCode> =>
  decodeAs<Ack>(bytes, checkAck)

/** Signed by the device itself, so that a relay cannot invent a delivery. */
export const signAck = (net: NetworkId, key: SigningKey, ack: Uint8Array): Uint8Array =>
  signParts(key, 'ack', net, ack)

/** Whether the device with this key signed. */
export const verifyAck = (
  net: NetworkId,
  identityKey: Uint8Array,
  ack: Uint8Array,
  sig: Uint8Array,
): boolean => verifyParts(sig, identityKey, 'ack', net, ack)
