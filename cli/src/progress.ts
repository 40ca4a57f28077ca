import { counted, type Output } from './output.ts'

const barWidth = 24
/** Off a terminal: a line for each so many per cent, or when nothing was said for so long. */
const stepPercent = 10
const silenceMs = 30_000

/**
 * How far something has come: on a terminal a bar that is drawn over itself, elsewhere a line now and
 * then. What is over before it has begun says nothing.
 */
export class Progress implements Disposable {
  readonly #out: Output
  readonly #what: string
  readonly #parts: number
  readonly #shares = new Map<string, { readonly sent: number; readonly total: number }>()
  #words = ''
  #said = 0
  #timer: NodeJS.Timeout | null = null

  /**
   * @param what What is going on, such as `sending`.
   * @param parts How many reports; each counts the same, because the length of one is known only when its
   * turn comes.
   */
  constructor(out: Output, what: string, parts: number = 1) {
    this.#out = out
    this.#what = what
    this.#parts = parts
  }

  /** Takes in how far one part has come, in bytes. */
  update(part: string, { sent, total }: { readonly sent: number; readonly total: number }): void {
    this.#shares.set(part, { sent, total })
    const shares = [...this.#shares.values()]
    const done = shares.reduce((sum, share) => sum + share.sent / Math.max(1, share.total), 0)
    const percent = Math.floor((done / Math.max(1, this.#parts)) * 100)
    const all = this.#parts > 1 ? counted(this.#parts, 'report') : kilobytes(total)
    this.#words = `${this.#what}: ${percent} % of ${all}`
    if (this.#out.redraws) {
      this.#out.status(`${bar(percent)} ${this.#words}`)
      return
    }
    this.#timer ??= setInterval(() => this.#out.say(this.#words), silenceMs).unref()
    const step = Math.floor(percent / stepPercent)
    // The end is told by what follows it; a link that broke begins again from below.
    if (step === this.#said || percent === 0 || percent === 100) return
    this.#said = step
    this.#timer.refresh()
    this.#out.say(this.#words)
  }

  [Symbol.dispose](): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#out.status(null)
  }
}

const kilobytes = (bytes: number): string => `${Math.max(1, Math.round(bytes / 1000))} kB`

function bar(percent: number): string {
  const full = Math.floor((percent / 100) * barWidth)
  return `[${'#'.repeat(full)}${'.'.repeat(barWidth - full)}]`
}
