/** Runs a step again and again while it has work, never twice at once, and sleeps until it is woken. */
export class WorkLoop {
  readonly #step: () => Promise<boolean>
  readonly #failed: (error: unknown) => void
  #running = false
  #woken = false
  #closed = false

  /** @param step Does one piece of work; resolves to whether there may be more. */
  constructor(step: () => Promise<boolean>, failed: (error: unknown) => void) {
    this.#step = step
    this.#failed = failed
  }

  /** Makes the loop look for work; a wake during a step is not lost. */
  wake(): void {
    this.#woken = true
    if (this.#running || this.#closed) return
    this.#running = true
    this.#run().catch((error: unknown) => {
      this.#closed = true
      this.#failed(error)
    })
  }

  /** Ends the loop after the present step. */
  close(): void {
    this.#closed = true
  }

  async #run(): Promise<void> {
    try {
      while (!this.#closed && this.#woken) {
        this.#woken = false
        let more = true
        while (more && !this.#closed) more = await this.#step()
      }
    } finally {
      this.#running = false
    }
  }
}
