/** Random values that a seed repeats. Not for keys. */
export interface SeededRandom {
  /** What to pass to `seededRandom` to get the same values again. */
  readonly seed: number
  /** From 0, inclusive, to 1, exclusive. */
  next(): number
  /** A whole number from 0 to `below` - 1. */
  integer(below: number): number
  bytes(length: number): Uint8Array
  pick<T>(values: readonly [T, ...T[]]): T
}

/** The seed of this run: LIAISON_SEED when it is set, so that a failure can be repeated. */
export function runSeed(): number {
  const given = Number(process.env['LIAISON_SEED'])
  if (Number.isSafeInteger(given) && given > 0) return given
  return crypto.getRandomValues(new Uint32Array(1))[0] ?? 1
}

/** Makes the generator (splitmix32). Print `seed` in the name of the test that uses it. */
export function seededRandom(seed: number = runSeed()): SeededRandom {
  let state = seed >>> 0
  const word = (): number => {
    state = (state + 0x9e3779b9) >>> 0
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad)
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
    return (mixed ^ (mixed >>> 15)) >>> 0
  }
  const next = (): number => word() / 0x1_0000_0000
  const integer = (below: number): number => Math.floor(next() * below)
  return {
    seed,
    next,
    integer,
    bytes: (length) => Uint8Array.from({ length }, () => word() & 0xff),
    pick: (values) => values[integer(values.length)] ?? values[0],
  }
}
