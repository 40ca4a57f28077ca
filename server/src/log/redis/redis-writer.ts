import { RelayError } from '@liaison/protocol'
import { type FunctionName, functionName } from './function-library.ts'
import { type Command, type RedisLink, replyOf, unavailable } from './redis-link.ts'
import { redisLimits } from './redis-options.ts'

interface Waiting {
  readonly command: Command
  readonly resolve: (reply: readonly unknown[]) => void
  readonly reject: (error: unknown) => void
}

/**
 * Sends calls of functions over one connection, in the order in which they were made. The calls of one
 * turn of the event loop go out in one write. With replicas to wait for, one batch is under way at a
 * time and the next gathers behind it, so that one wait serves many.
 */
export class RedisWriter {
  readonly #link: RedisLink
  readonly #replicas: number
  readonly #proved: (link: RedisLink) => void
  #queue: Waiting[] = []
  #scheduled = false
  #busy = false

  /** @param proved Hears when replicas confirmed what was written over the connection. */
  constructor(link: RedisLink, replicas: number, proved: (link: RedisLink) => void) {
    this.#link = link
    this.#replicas = replicas
    this.#proved = proved
  }

  /**
   * Calls a function; resolves when what it wrote is as safe as the profile says.
   *
   * @throws RelayError `log_unavailable`, with an unknown outcome; `log_corrupt`
   */
  call(
    name: FunctionName,
    keys: readonly string[],
    args: readonly (string | number | Uint8Array)[],
  ): Promise<readonly unknown[]> {
    return new Promise((resolve, reject) => {
      const command: Command = ['FCALL', functionName(name), keys.length, ...keys, ...args]
      this.#queue.push({ command, resolve, reject })
      this.#schedule()
    })
  }

  #schedule(): void {
    if (this.#scheduled || this.#busy) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.#flush()
    })
  }

  #flush(): void {
    while (this.#queue.length > 0 && !this.#busy) {
      const batch = this.#queue.splice(0, redisLimits.batchMax)
      const waits = this.#replicas > 0
      this.#busy = waits
      void this.#write(batch).finally(() => {
        if (!waits) return
        this.#busy = false
        if (this.#queue.length > 0) this.#schedule()
      })
    }
  }

  async #write(batch: readonly Waiting[]): Promise<void> {
    const commands = batch.map((one) => one.command)
    if (this.#replicas > 0) commands.push(waitFor(this.#replicas))
    try {
      const answers = await this.#link.run(commands)
      if (this.#replicas > 0) {
        checkReplicas(answers[batch.length], this.#replicas)
        this.#proved(this.#link)
      }
      batch.forEach((one, at) => {
        try {
          one.resolve(replyOf(answers[at]) as readonly unknown[])
        } catch (error) {
          one.reject(error)
        }
      })
    } catch (error) {
      for (const one of batch) one.reject(error)
    }
  }
}

/** Waits until so many replicas have every write of this connection and all before it. */
export const waitFor = (replicas: number): Command => ['WAIT', replicas, redisLimits.replicaMsMax]

/** @throws RelayError `log_unavailable` when fewer replicas have it: it may be lost, or not. */
export function checkReplicas(answer: unknown, replicas: number): void {
  if (answer instanceof Error) throw unavailable(answer)
  if (Number(answer) < replicas) {
    throw new RelayError('log_unavailable', {
      detail: `${Number(answer)} of ${replicas} replicas have the write`,
    })
  }
}
