/** Memory of this process at the beginning, the quarters and the end of a long loop. */
export interface MemoryWatch {
  /** Called before round `i` of the loop. */
  round(i: number): void
  /** Called after the loop. @returns one line for the log of the test. */
  end(): string
  /** Heap at the end less that after the first quarter, MB; called after `end`. */
  grew(): number
}

/** Heap that a loop may be left with above its first quarter, MB: garbage of that size is not a leak. */
export const heapGrowthMbMax = 100

const megabytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(0)

/**
 * Watches a loop of so many rounds. The garbage of a quarter is collected before it is measured when
 * the collector can be called (`--expose-gc`); otherwise the heap holds what was not collected yet.
 */
export function memoryWatch(rounds: number): MemoryWatch {
  const measured: string[] = []
  const heaps: number[] = []
  const measure = (percent: number): void => {
    globalThis.gc?.()
    const { rss, heapUsed } = process.memoryUsage()
    heaps.push(heapUsed / 2 ** 20)
    measured.push(`${percent} % ${megabytes(rss)}/${megabytes(heapUsed)}`)
  }
  const quarter = Math.max(1, Math.floor(rounds / 4))
  return {
    round: (i) => {
      if (i % quarter === 0 && i / quarter < 4) measure((i / quarter) * 25)
    },
    end: () => {
      measure(100)
      return `${rounds} rounds, MB resident/heap: ${measured.join(', ')}`
    },
    grew: () => (heaps.at(-1) ?? 0) - (heaps[1] ?? 0),
  }
}
