/** A wait that can be ended early. */
export class Pause {
  /** Resolves when the wait is over, however it ended. */
  readonly over: Promise<void>
  readonly #done: () => void
  readonly #began = performance.now()
  readonly #ms: number
  #timer: ReturnType<typeof setTimeout>

  /** @param ms Longest wait. @param signal Ends it at once. */
  constructor(ms: number, signal: AbortSignal) {
    this.#ms = ms
    let resolve: () => void = () => undefined
    this.over = new Promise<void>((done) => {
      resolve = done
    }).finally(() => {
      clearTimeout(this.#timer)
      signal.removeEventListener('abort', this.#done)
    })
    this.#done = resolve
    this.#timer = setTimeout(resolve, ms)
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', resolve, { once: true })
  }

  /** Ends the wait. */
  end(): void {
    this.#done()
  }

  /** Makes the whole wait no longer than this, counted from its beginning. */
  shorten(ms: number): void {
    if (ms >= this.#ms) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(this.#done, Math.max(0, this.#began + ms - performance.now()))
  }
}
