import type { Link } from '../session/link.ts'

/** How much of a sealed report has left this program. */
export interface SendProgress {
  /**
   * Bytes handed to the operating system, which may hold some back for a while. Falls to 0 when the
   * link broke and they are sent again; reaches `total` before the relay has answered.
   */
  readonly sent: number
  /** Bytes of the sealed report, its slots for all recipients included. */
  readonly total: number
}

/** Between two looks at what the socket still holds, ms. */
const lookMs = 200

type Listener = (progress: SendProgress) => void

/** Tells how far reports have left, to those who ask; nothing runs when nobody does. */
export class ProgressWatch {
  readonly #listeners = new Map<string, Set<Listener>>()

  /** Calls the listener whenever the figure of an item changed, until the signal fires or `done` is called. */
  on(id: string, listener: Listener): () => void {
    const set = this.#listeners.get(id) ?? new Set()
    this.#listeners.set(id, set)
    set.add(listener)
    return () => {
      set.delete(listener)
      if (set.size === 0) this.#listeners.delete(id)
    }
  }

  /**
   * Follows one frame until it is answered.
   *
   * @param begin Bytes that the link had been given before this frame.
   * @param items Items of the frame in their order.
   * @returns What to call when the answer came, or never will.
   */
  follow(
    link: Pick<Link, 'bytes' | 'unsentBytes'>,
    begin: number,
    items: readonly { readonly id: string; readonly bytes: number }[],
  ): () => void {
    if (!items.some(({ id }) => this.#listeners.has(id))) return () => undefined
    const last = new Map<string, number>()
    const look = (): void => {
      // Nothing is reported as sent that the socket still holds, so a slow link shows as one.
      let left = link.bytes.sent - link.unsentBytes - begin
      for (const { id, bytes } of items) {
        const sent = Math.max(0, Math.min(bytes, left))
        left -= bytes
        if (last.get(id) === sent) continue
        last.set(id, sent)
        this.#tell(id, { sent, total: bytes })
      }
    }
    look()
    const timer = setInterval(look, lookMs)
    return () => {
      look()
      clearInterval(timer)
    }
  }

  #tell(id: string, progress: SendProgress): void {
    for (const listener of this.#listeners.get(id) ?? []) {
      try {
        listener(progress)
      } catch (error) {
        // The caller's own mistake is told where it would be, and does not stop the sending.
        queueMicrotask(() => {
          throw error
        })
      }
    }
  }
}
