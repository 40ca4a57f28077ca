import type { Result } from '@liaison/protocol'
import { isErrorCode, toHex } from '@liaison/protocol'
import { type CborMap, type CborValue, decodeCbor, encodeCbor } from '@liaison/protocol/internal'
import { memoryWatch } from './memory-watch.ts'
import type { SeededRandom } from './seeded-random.ts'

/** Rounds of one fuzz test. */
export const fuzzRounds: number = process.env['LIAISON_LONG'] === '1' ? 100_000 : 5_000

/** Rounds of a fuzz test each of which opens or verifies a whole envelope, which takes ten times as long. */
export const wholeRounds: number = process.env['LIAISON_LONG'] === '1' ? 100_000 : 1_000

/** Bytes that mean something at the beginning of a CBOR item. */
const heads = [
  0x00, 0x17, 0x18, 0x19, 0x1b, 0x20, 0x40, 0x5f, 0x60, 0x80, 0x9f, 0xa0, 0xbf, 0xf4, 0xf6, 0xf9,
  0xfb, 0xff,
] as const

/** Values at the edges of what a field may hold. */
const edges: readonly CborValue[] = [
  0,
  1,
  255,
  65_536,
  4_294_967_295,
  Number.MAX_SAFE_INTEGER,
  '',
  'constructor',
  new Uint8Array(),
  new Uint8Array(16),
  new Uint8Array(32),
  new Uint8Array(64),
  [],
  [0],
  {},
]

/** Bytes that nearly are a valid encoding: spoilt as bytes, or valid CBOR with another content. */
export function mutate(
  random: SeededRandom,
  samples: readonly [Uint8Array, ...Uint8Array[]],
): Uint8Array {
  let bytes = random.pick(samples)
  if (random.integer(2) === 0) bytes = spoilValue(random, bytes)
  const times = random.integer(3)
  for (let i = 0; i < times; i++) bytes = spoilBytes(random, bytes, random.pick(samples))
  return bytes
}

function spoilBytes(random: SeededRandom, from: Uint8Array, other: Uint8Array): Uint8Array {
  const bytes = from.slice()
  const at = random.integer(bytes.length + 1)
  const end = Math.min(bytes.length, at + 1 + random.integer(8))
  switch (random.integer(7)) {
    case 0:
      bytes[at] = (bytes[at] ?? 0) ^ (1 << random.integer(8))
      return bytes
    case 1:
      bytes[at] = random.pick(heads)
      return bytes
    case 2:
      return bytes.slice(0, at)
    case 3:
      return join(bytes.slice(0, at), bytes.slice(end))
    case 4:
      return join(bytes.slice(0, end), bytes.slice(at))
    case 5:
      return join(bytes.slice(0, at), random.bytes(1 + random.integer(4)), bytes.slice(at))
    default:
      return join(bytes.slice(0, at), other.slice(random.integer(other.length + 1)))
  }
}

const join = (...parts: readonly Uint8Array[]): Uint8Array =>
  new Uint8Array(parts.flatMap((part) => [...part]))

/** Changes one value somewhere inside, and encodes the whole properly. */
function spoilValue(random: SeededRandom, bytes: Uint8Array): Uint8Array {
  const decoded = decodeCbor(bytes)
  return decoded.ok ? encodeCbor(spoil(random, decoded.value)) : bytes
}

function spoil(random: SeededRandom, value: CborValue): CborValue {
  const here = random.integer(4) === 0
  if (Array.isArray(value) && value.length > 0 && !here) {
    const list = [...(value as readonly CborValue[])]
    const at = random.integer(list.length)
    const what = random.integer(6)
    if (what === 0) list.splice(at, 1)
    else if (what === 1) list.splice(at, 0, list[at] ?? 0)
    else list[at] = spoil(random, list[at] ?? 0)
    return list
  }
  if (isMap(value) && !here) {
    const map: { [key: string]: CborValue } = { ...value }
    const keys = Object.keys(map)
    const key = keys[random.integer(keys.length)] ?? 'v'
    const what = random.integer(6)
    if (what === 0) delete map[key]
    else if (what === 1)
      map[random.pick(['x', 'v', 'constructor', 'ref', 'inc'])] = random.pick([0, 1])
    else map[key] = spoil(random, map[key] ?? 0)
    return map
  }
  if (typeof value === 'number' && !here) return Math.max(0, value + random.integer(3) - 1)
  if (value instanceof Uint8Array && !here) return random.bytes(value.length)
  return edges[random.integer(edges.length)] ?? 0
}

const isMap = (value: CborValue): value is CborMap =>
  typeof value === 'object' && !Array.isArray(value) && !(value instanceof Uint8Array)

/** One decoder with valid encodings, and the encoder that must give the same bytes again. */
export interface Codec<T> {
  readonly samples: readonly [Uint8Array, ...Uint8Array[]]
  readonly decode: (bytes: Uint8Array) => Result<T, string>
  readonly encode: (value: T) => Uint8Array
}

/**
 * Feeds a decoder nearly valid bytes.
 *
 * @returns what was found wrong: an exception, a refusal without a code of the table, or accepted
 * bytes that are not the one encoding of their value. Also how many were accepted, and a line about
 * the memory that it took.
 */
export function fuzz<T>(
  random: SeededRandom,
  codec: Codec<T>,
  rounds: number,
): {
  readonly faults: string[]
  readonly accepted: number
  readonly memory: string
  readonly grewMb: number
} {
  const watch = memoryWatch(rounds)
  const faults: string[] = []
  let accepted = 0
  for (let i = 0; i < rounds && faults.length < 5; i++) {
    watch.round(i)
    const bytes = mutate(random, codec.samples)
    try {
      const result = codec.decode(bytes)
      if (!result.ok) {
        if (!isErrorCode(result.error)) faults.push(`${toHex(bytes)}: refused with ${result.error}`)
        continue
      }
      accepted++
      if (toHex(codec.encode(result.value)) !== toHex(bytes))
        faults.push(`${toHex(bytes)}: another encoding`)
    } catch (error) {
      faults.push(`${toHex(bytes)}: ${String(error)}`)
    }
  }
  const memory = watch.end()
  return { faults, accepted, memory, grewMb: watch.grew() }
}
