import { decodeCbor } from '../cbor.ts'
import type { DecodeCode, WireCheck } from '../decode.ts'
import { err, ok, type Result } from '../result.ts'

/** How one type of frame is checked and read. */
export interface FrameReader<F> {
  readonly check: WireCheck
  readonly read: (tuple: readonly unknown[]) => F
}

/** Decodes one frame: encoding first, then the published schema of its type, then its fields. */
export function decodeFrame<F>(
  bytes: Uint8Array,
  readers: ReadonlyMap<number, FrameReader<F>>,
): Result<F, DecodeCode> {
  const decoded = decodeCbor(bytes)
  if (!decoded.ok) return decoded
  const tuple = decoded.value
  if (!Array.isArray(tuple)) return err('frame_malformed')
  const reader = typeof tuple[0] === 'number' ? readers.get(tuple[0]) : undefined
  if (reader === undefined || !reader.check(tuple)) return err('frame_malformed')
  return ok(reader.read(tuple as readonly unknown[]))
}
