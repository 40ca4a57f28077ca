import { RelayError } from '@liaison/protocol'
import type { RootDatabase } from 'lmdb'

/** A write that is not on disk by then is taken for failed: LMDB does not report a failed flush. */
const writeMsMax = 30_000

/** Runs atomic steps, one after the other, each durable before its caller hears of it. */
export class LmdbWriter {
  readonly #root: RootDatabase
  readonly #mayWrite: () => boolean
  #failure: unknown = null

  /** @param mayWrite Asked inside each transaction; false when another process has the folder by now. */
  constructor(root: RootDatabase, mayWrite: () => boolean) {
    this.#root = root
    this.#mayWrite = mayWrite
  }

  /** Why a step failed, and with it every later one; null while all is well. */
  get failure(): RelayError | null {
    return this.#failure === null ? null : this.#unavailable()
  }

  /**
   * Runs one atomic step and waits until it is on disk.
   *
   * @throws RelayError `log_unavailable` for this and every later step, once one has failed. After a
   *   failed commit or flush, memory and disk may differ, and a page that failed to reach the disk is
   *   no longer marked dirty: only a restart may go on from here.
   */
  async write<T>(step: () => T): Promise<T> {
    this.#check()
    // A child transaction, because it alone is undone when the step throws half way; and checked
    // again inside, because the steps of one batch run after one another.
    const written = this.#root.childTransaction(() => {
      this.#check()
      try {
        if (!this.#mayWrite()) throw new Error('another relay has taken the data folder over')
        return step()
      } catch (error) {
        this.#failure ??= error
        throw error
      }
    })
    return this.#durable(
      written.then(async (result) => {
        await this.#root.flushed
        return result
      }),
    )
  }

  /** Resolves when everything committed so far is on disk. @throws RelayError `log_unavailable` */
  async flushed(): Promise<void> {
    this.#check()
    await this.#durable(this.#root.flushed)
  }

  async #durable<T>(written: PromiseLike<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error('the flush did not end')), writeMsMax)
      timer.unref()
    })
    try {
      return await Promise.race([written, late])
    } catch (error) {
      this.#failure ??= error
      silenceCommitError(error)
      throw this.#unavailable()
    } finally {
      clearTimeout(timer)
    }
  }

  #check(): void {
    if (this.#failure !== null) throw this.#unavailable()
  }

  #unavailable(): RelayError {
    return new RelayError('log_unavailable', { cause: this.#failure })
  }
}

/** LMDB hangs the cause of a failed commit on the error as a promise that nobody else handles. */
function silenceCommitError(error: unknown): void {
  const cause = (error as { readonly commitError?: unknown } | null)?.commitError
  if (cause instanceof Promise) cause.catch(() => undefined)
}
