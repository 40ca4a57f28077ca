import { limits } from '@liaison/protocol'

/**
 * What one subscription may still send. The reader adds credit as it takes frames in, so that little
 * is ever under way to a device that is slow, or about to be cut off.
 */
export class Credit {
  #frames: number = limits.creditFramesStart
  #bytes: number = limits.creditBytesStart
  /** Bytes that were sent and not yet given back. */
  #outstanding = 0
  #outstandingFrames = 0

  /** The reader gives back what it has taken in. */
  add(frames: number, bytes: number): void {
    this.#frames = Math.min(this.#frames + frames, limits.creditFramesMax)
    this.#bytes = Math.min(this.#bytes + bytes, limits.creditBytesMax)
    this.#outstanding = Math.max(0, this.#outstanding - bytes)
    this.#outstandingFrames = Math.max(0, this.#outstandingFrames - frames)
  }

  /** Frames that were sent and not yet given back. */
  get outstandingFrames(): number {
    return this.#outstandingFrames
  }

  /** Whether another frame may begin. */
  get open(): boolean {
    return this.#frames > 0 && (this.#bytes > 0 || this.#outstanding === 0)
  }

  /**
   * Whether an item fits beside what the frame holds already. One that is larger than the whole
   * credit goes alone, when nothing else is under way, and makes the credit negative.
   */
  fits(frameBytes: number, itemBytes: number): boolean {
    if (frameBytes + itemBytes <= this.#bytes) return true
    return frameBytes === 0 && this.#outstanding === 0
  }

  /** Books one frame. */
  spend(bytes: number): void {
    this.#frames -= 1
    this.#bytes -= bytes
    this.#outstanding += bytes
    this.#outstandingFrames += 1
  }
}
