/**
 * A value that changes at log positions and can be read as of any size of the log. The directory
 * keeps these instead of snapshots, because every envelope is judged as of the size it names.
 */
export class History<T> {
  #changes: { index: number; value: T }[] = []

  constructor(index: number, value: T) {
    this.#changes.push({ index, value })
  }

  /** The value changed by the entry at `index`; indices only grow. */
  set(index: number, value: T): void {
    this.#changes.push({ index, value })
  }

  /** The value in a directory of `size` entries, or undefined when it did not exist yet. */
  at(size: number): T | undefined {
    for (let i = this.#changes.length - 1; i >= 0; i--) {
      const change = this.#changes[i] as { index: number; value: T }
      if (change.index < size) return change.value
    }
    return undefined
  }

  /** Every change below `size`, newest first. */
  *downFrom(size: number): Iterable<{ readonly index: number; readonly value: T }> {
    for (let i = this.#changes.length - 1; i >= 0; i--) {
      const change = this.#changes[i] as { index: number; value: T }
      if (change.index < size) yield change
    }
  }

  /** Index of the oldest change of the unbroken run at the end of `size` that satisfies `holds`. */
  since(size: number, holds: (value: T) => boolean): number | null {
    let since: number | null = null
    for (const change of this.downFrom(size)) {
      if (!holds(change.value)) break
      since = change.index
    }
    return since
  }
}
