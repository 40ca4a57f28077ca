/** What the person at the terminal sees. Everything goes to standard error; data goes to output. */
export class Talk {
  readonly #quiet: boolean
  readonly #began = performance.now()

  constructor(quiet: boolean) {
    this.#quiet = quiet
  }

  /** Milliseconds since the demonstration began. */
  get ms(): number {
    return Math.round(performance.now() - this.#began)
  }

  /** Begins a chapter. */
  chapter(title: string): void {
    this.line('')
    this.line(`== ${title}`)
  }

  /** One thing that happened. */
  line(text: string): void {
    if (this.#quiet) return
    const seconds = (this.ms / 1000).toFixed(1).padStart(5)
    process.stderr.write(text === '' ? '\n' : `${seconds} s  ${text}\n`)
  }
}
