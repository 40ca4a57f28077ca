import { adminRequest as checkAdminRequest } from '@liaison/schemas/wire'
import type { NetworkId } from './brand.ts'
import { type CborMap, encodeCbor } from './cbor.ts'
import { type SigningKey, signParts, verifyParts } from './crypto/sign.ts'
import { type DecodeCode, decodeAs } from './decode.ts'
import type { Result } from './result.ts'

/** A question of an administrator; signed and itself written to the audit log. */
export interface AdminRequest {
  readonly op: 'status' | 'leaves'
  /** The relay's nonce of this session, so that the request cannot be played again. */
  readonly rn: Uint8Array
  readonly rq: number
  readonly t: number
  readonly n: Uint8Array
  /** For `leaves`: first index, inclusive, and last, exclusive. */
  readonly from?: number
  readonly to?: number
}

/** The one encoding of a request. */
export const encodeAdminRequest = (request: AdminRequest): Uint8Array =>
  encodeCbor(request as unknown as CborMap)

/** Strict decoding of a request. */
export const decodeAdminRequest = (bytes: Uint8Array): Result<AdminRequest, DecodeCode> =>
  decodeAs<AdminRequest>(bytes, checkAdminRequest)

/** Signs a request with the administrator's key. */
export const signAdminRequest = (
  net: NetworkId,
  key: SigningKey,
  request: Uint8Array,
): Uint8Array => signParts(key, 'admin', net, request)

/** Whether the administrator with this key asked. */
export const verifyAdminRequest = (
  net: NetworkId,
  adminKey: Uint8Array,
  request: Uint8Array,
  sig: Uint8Array,
): boolean => verifyParts(sig, adminKey, 'admin', net, request)
