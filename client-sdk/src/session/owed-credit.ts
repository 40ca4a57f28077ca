import { limits } from '@liaison/protocol'

/** Credit that goes back in one frame. */
export interface CreditGrant {
  readonly frames: number
  readonly bytes: number
}

/**
 * Credit that one subscription owes the relay. Half of a window goes back in one frame, because each
 * frame costs a slow link about 100 bytes; what is left goes back when nothing waits any more.
 */
export class OwedCredit {
  #waiting = 0
  #frames = 0
  #bytes = 0

  /** A frame arrived and waits to be taken in. */
  arrived(): void {
    this.#waiting++
  }

  /** A frame was taken in. @returns what to give back now, or null. */
  taken(bytes: number): CreditGrant | null {
    this.#waiting--
    this.#frames++
    this.#bytes += bytes
    const isHalf =
      this.#frames >= limits.creditFramesStart / 2 || this.#bytes >= limits.creditBytesStart / 2
    if (!isHalf && this.#waiting > 0) return null
    const grant = { frames: this.#frames, bytes: this.#bytes }
    this.#frames = 0
    this.#bytes = 0
    return grant
  }
}
