/** What a measured value is compared with: something of the same run that it cannot beat, or a target. */
export interface Limit {
  readonly name: string
  readonly value: number
}

/** One line of the result. `value` is the median of `runs` repeats. */
export interface Row {
  readonly name: string
  readonly unit: string
  readonly value: number
  readonly min: number
  readonly max: number
  readonly runs: number
  readonly limit?: Limit
  /** `value / limit.value`. */
  readonly ratio?: number
  /** What was measured exactly, and where it stops being comparable. */
  readonly note?: string
}

/** What every part of the benchmark is told. */
export interface BenchOptions {
  /** Smaller counts and fewer repeats. */
  readonly quick: boolean
  /** Whether a row is wanted. */
  wants(name: string): boolean
}

/** Middle of the values; the mean of the two middle ones when their number is even. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const half = Math.floor(sorted.length / 2)
  const upper = sorted[half] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] ?? Number.NaN) + upper) / 2
}

const rounded = (value: number): number => Number(value.toPrecision(5))

/** A row from the repeats of one measurement and, where there is one, of its limit. */
export function rowOf(
  name: string,
  unit: string,
  values: readonly number[],
  more: { readonly limit?: Limit; readonly note?: string } = {},
): Row {
  const value = median(values)
  const row = {
    name,
    unit,
    value: rounded(value),
    min: rounded(Math.min(...values)),
    max: rounded(Math.max(...values)),
    runs: values.length,
  }
  const note = more.note === undefined ? {} : { note: more.note }
  if (more.limit === undefined) return { ...row, ...note }
  const limit = { name: more.limit.name, value: rounded(more.limit.value) }
  return { ...row, limit, ratio: Number((value / more.limit.value).toPrecision(4)), ...note }
}

/** Milliseconds that a piece of work takes. */
export function timed(work: () => void): number {
  const begin = performance.now()
  work()
  return performance.now() - begin
}

/** Milliseconds that an asynchronous piece of work takes. */
export async function timedAsync(work: () => Promise<unknown>): Promise<number> {
  const begin = performance.now()
  await work()
  return performance.now() - begin
}
