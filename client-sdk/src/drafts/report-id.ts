import { randomBytes, toHex } from '@liaison/protocol'

/** A new `meta.id`: a UUID of version 7, which begins with the time. @param now ms */
export function newReportId(now: number): string {
  const bytes = randomBytes(16)
  new DataView(bytes.buffer, bytes.byteOffset).setUint16(0, Math.floor(now / 2 ** 32))
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(2, now % 2 ** 32)
  bytes[6] = 0x70 | ((bytes[6] ?? 0) & 0x0f)
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f)
  const hex = toHex(bytes)
  const cuts = [0, 8, 12, 16, 20, 32]
  return cuts
    .slice(1)
    .map((end, i) => hex.slice(cuts[i], end))
    .join('-')
}
