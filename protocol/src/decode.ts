import { type CborValue, decodeCbor } from './cbor.ts'
import { err, ok, type Result } from './result.ts'

/** A compiled check of one wire structure, run on the decoded CBOR value itself. */
export type WireCheck = (value: unknown) => boolean

/** Why bytes were not a structure of ours. */
export type DecodeCode = 'cbor_malformed' | 'frame_malformed'

/** Decodes bytes in the CBOR profile and checks them against the published schema of one structure. */
export function decodeAs<T>(bytes: Uint8Array, check: WireCheck): Result<T, DecodeCode> {
  const decoded = decodeCbor(bytes)
  if (!decoded.ok) return decoded
  return checkAs<T>(decoded.value, check)
}

/** The schema half of {@link decodeAs}, for values that are decoded already. */
export function checkAs<T>(value: CborValue, check: WireCheck): Result<T, 'frame_malformed'> {
  // The one place where a checked value gets its static type.
  return check(value) ? ok(value as unknown as T) : err('frame_malformed')
}
