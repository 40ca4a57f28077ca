/**
 * A ciphertext that opens under two keys, as XChaCha20-Poly1305 allows: one free block solves the two
 * authenticators for one tag (Dodis et al. 2018; Len et al. 2021). It shows what the commitment is for.
 */
import { bytesOf, numberOf } from './edwards25519.ts'

const p = 2n ** 130n - 5n
const words = (bytes: Uint8Array): Uint32Array => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  return Uint32Array.from({ length: bytes.length / 4 }, (_, i) => view.getUint32(4 * i, true))
}
const sigma = words(new TextEncoder().encode('expand 32-byte k'))

function rounds(state: Uint32Array): void {
  const turn = (a: number, b: number, c: number, d: number): void => {
    const add = (x: number, y: number, z: number, by: number): void => {
      state[x] = (state[x] ?? 0) + (state[y] ?? 0)
      const mixed = (state[z] ?? 0) ^ (state[x] ?? 0)
      state[z] = (mixed << by) | (mixed >>> (32 - by))
    }
    add(a, b, d, 16)
    add(c, d, b, 12)
    add(a, b, d, 8)
    add(c, d, b, 7)
  }
  for (let i = 0; i < 10; i++) {
    for (const j of [0, 1, 2, 3]) turn(j, 4 + j, 8 + j, 12 + j)
    for (const j of [0, 1, 2, 3]) turn(j, 4 + ((j + 1) % 4), 8 + ((j + 2) % 4), 12 + ((j + 3) % 4))
  }
}

/** The authenticator's key for an all-zero nonce: HChaCha20, then block 0 of ChaCha20. */
function authenticator(key: Uint8Array): { readonly r: bigint; readonly s: bigint } {
  const derive = new Uint32Array([...sigma, ...words(key), 0, 0, 0, 0])
  rounds(derive)
  const first = new Uint32Array([...sigma, ...derive.slice(0, 4), ...derive.slice(12), 0, 0, 0, 0])
  const block = first.slice()
  rounds(block)
  const bytes = new Uint8Array(block.map((word, i) => word + (first[i] ?? 0)).buffer)
  const clamp = 0x0ffffffc0ffffffc0ffffffc0fffffffn
  return { r: numberOf(bytes.slice(0, 16)) & clamp, s: numberOf(bytes.slice(16, 32)) }
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n
  for (let square = base % p, e = exponent; e > 0n; e >>= 1n, square = (square * square) % p) {
    if (e & 1n) result = (result * square) % p
  }
  return result
}

const mod = (n: bigint): bigint => ((n % p) + p) % p

/** The authenticated blocks: associated data, ciphertext, lengths; each with its high bit. */
function blocks(aad: Uint8Array, ciphertext: Uint8Array): bigint[] {
  const lengths = new Uint8Array(16)
  const view = new DataView(lengths.buffer)
  view.setUint32(0, aad.length, true)
  view.setUint32(8, ciphertext.length, true)
  const whole = [...aad, ...ciphertext, ...lengths]
  return Array.from(
    { length: whole.length / 16 },
    (_, i) => numberOf(Uint8Array.from(whole.slice(16 * i, 16 * i + 16))) | (1n << 128n),
  )
}

const sum = (all: readonly bigint[], r: bigint): bigint =>
  all.reduce((h, block) => ((h + block) * r) % p, 0n)

/**
 * Replaces the last block of a ciphertext, and its tag, so that both keys accept it.
 *
 * @param payload Ciphertext and tag; ciphertext and `aad` must be whole blocks of 16 bytes.
 */
export function twoKeyPayload(
  payload: Uint8Array,
  aad: Uint8Array,
  keys: readonly [Uint8Array, Uint8Array],
): Uint8Array {
  const [one, two] = [authenticator(keys[0]), authenticator(keys[1])]
  const ciphertext = payload.slice(0, -16)
  const last = ciphertext.length - 16
  // The block before the last is varied until the solution is a block.
  for (let nudge = 0; nudge < 256; nudge++) {
    ciphertext[last - 1] = nudge
    ciphertext.fill(0, last)
    const zero = blocks(aad, ciphertext)
    const weight = mod(power(one.r, 2n) - power(two.r, 2n))
    for (const carry of [0n, 1n, -1n]) {
      const wanted = mod(sum(zero, two.r) + two.s - sum(zero, one.r) - one.s + carry * (1n << 128n))
      const block = (wanted * power(weight, p - 2n)) % p
      if (block >= 1n << 128n) continue
      ciphertext.set(bytesOf(block).slice(0, 16), last)
      const done = blocks(aad, ciphertext)
      const tag = (key: typeof one): bigint => (sum(done, key.r) + key.s) & ((1n << 128n) - 1n)
      if (tag(one) !== tag(two)) continue
      return Uint8Array.from([...ciphertext, ...bytesOf(tag(one)).slice(0, 16)])
    }
  }
  throw new Error('no block was found')
}
