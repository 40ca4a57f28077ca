import { RelayError, type RelayFrame } from '@liaison/protocol'
import { clientLimits } from './limits.ts'

/** Frames that answer a request of ours by its number. */
export type Answer = Extract<
  RelayFrame,
  { kind: 'result' | 'dir' | 'fetched' | 'blobs' | 'admin-answer' }
>

/**
 * Requests are numbered above every subscription, because an error names either by the same field.
 * A refused subscription must not be taken for the answer to a request.
 */
const requestNumbers = { first: 0x1_0000, last: 0xffff_ffff } as const

interface Waiting {
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: unknown) => void
  readonly timer: ReturnType<typeof setTimeout>
}

/** The requests of one link that have no answer yet. */
export class Requests {
  readonly #waiting = new Map<number, Waiting>()
  #last: number = requestNumbers.first

  /** A number for the next request. */
  nextNumber(): number {
    this.#last = this.#last < requestNumbers.last ? this.#last + 1 : requestNumbers.first
    return this.#last
  }

  /**
   * Waits for an answer of one kind.
   *
   * @param send Called once the answer is waited for.
   */
  answer<K extends Answer['kind']>(
    rq: number,
    expected: K,
    send: () => void,
  ): Promise<Extract<Answer, { kind: K }>> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(rq)
        reject(new RelayError('outcome_unknown', { detail: 'no answer in time' }))
      }, clientLimits.answerMsMax)
      this.#waiting.set(rq, {
        resolve: (answer) => {
          if (answer.kind === expected) resolve(answer as Extract<Answer, { kind: K }>)
          else reject(new RelayError('frame_unexpected', { detail: answer.kind }))
        },
        reject,
        timer,
      })
      try {
        send()
      } catch (error) {
        this.#settle(rq)
        reject(error)
      }
    })
  }

  /** An answer came. @returns Whether it was waited for. */
  answered(rq: number, answer: Answer): boolean {
    const waiting = this.#settle(rq)
    waiting?.resolve(answer)
    return waiting !== undefined
  }

  /** A request was refused. @returns Whether it was waited for. */
  refused(rq: number, error: RelayError): boolean {
    const waiting = this.#settle(rq)
    waiting?.reject(error)
    return waiting !== undefined
  }

  /** The link ended: what became of the rest is not known. */
  end(cause: RelayError): void {
    for (const rq of [...this.#waiting.keys()]) {
      this.#settle(rq)?.reject(new RelayError('outcome_unknown', { cause }))
    }
  }

  #settle(rq: number): Waiting | undefined {
    const waiting = this.#waiting.get(rq)
    if (waiting === undefined) return undefined
    this.#waiting.delete(rq)
    clearTimeout(waiting.timer)
    return waiting
  }
}
