/**
 * Just enough of edwards25519 to make keys that no honest device makes. Slow, not constant time, for
 * tests only.
 */
const p = 2n ** 255n - 19n

/** Order of the prime-order group. */
export const groupOrder: bigint = 2n ** 252n + 27742317777372353535851937790883648493n

const mod = (n: bigint): bigint => ((n % p) + p) % p

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n
  let square = mod(base)
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = mod(result * square)
    square = mod(square * square)
  }
  return result
}

const inverse = (n: bigint): bigint => power(n, p - 2n)
const d = mod(-121665n * inverse(121666n))
const rootOfMinusOne = power(2n, (p - 1n) / 4n)

/** Little-endian bytes to a number. */
export const numberOf = (bytes: Uint8Array): bigint =>
  bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n)

/** A number to 32 little-endian bytes. */
export const bytesOf = (n: bigint): Uint8Array =>
  Uint8Array.from({ length: 32 }, (_, i) => Number((n >> BigInt(8 * i)) & 255n))

/** A point in affine coordinates. */
export interface Point {
  readonly x: bigint
  readonly y: bigint
}

/** Decodes a point. @throws Error when the bytes are on no point of the curve. */
export function pointOf(bytes: Uint8Array): Point {
  const packed = numberOf(bytes)
  const y = mod(packed & ((1n << 255n) - 1n))
  const square = mod((y * y - 1n) * inverse(d * y * y + 1n))
  let x = power(square, (p + 3n) / 8n)
  if (mod(x * x) !== square) x = mod(x * rootOfMinusOne)
  if (mod(x * x) !== square) throw new Error('not on the curve')
  return { x: (x & 1n) === packed >> 255n ? x : mod(-x), y }
}

/** Encodes a point canonically. */
export const encodePoint = ({ x, y }: Point): Uint8Array => bytesOf(y | ((x & 1n) << 255n))

/** Sum of two points; the addition law is complete on this curve. */
export function addPoints(a: Point, b: Point): Point {
  const product = mod(d * a.x * b.x * a.y * b.y)
  return {
    x: mod((a.x * b.y + a.y * b.x) * inverse(1n + product)),
    y: mod((a.y * b.y + a.x * b.x) * inverse(1n - product)),
  }
}
