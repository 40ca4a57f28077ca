import { limits } from '@liaison/protocol/internal'

/**
 * Padmé length: rounds up so that a length shows only its leading bits; at most 12 % is added.
 *
 * @param length At least 1.
 * @see Nikitin et al., "Reducing Metadata Leakage from Encrypted Files", PoPETs 2019(4)
 */
export function padme(length: number): number {
  if (length < 2) return length
  const e = Math.floor(Math.log2(length))
  const s = Math.floor(Math.log2(e)) + 1
  const step = 2 ** (e - s)
  return step < 1 ? length : Math.ceil(length / step) * step
}

/** Length after padding: never below the floor, so that all short reports look alike. */
export const paddedLength = (length: number): number =>
  Math.max(limits.padFloorBytes, padme(length + 1))

/** Appends 0x80 and zeros. */
export function pad(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(paddedLength(bytes.length))
  out.set(bytes)
  out[bytes.length] = 0x80
  return out
}

/** Removes the padding, or null when it is not the padding of its content's length. */
export function unpad(padded: Uint8Array): Uint8Array | null {
  let end = padded.length - 1
  while (end >= 0 && padded[end] === 0) end--
  if (end < 0 || padded[end] !== 0x80 || padded.length !== paddedLength(end)) return null
  return padded.subarray(0, end)
}
