import { RelayError } from '@liaison/protocol'
import { functionName } from './function-library.ts'
import { checkedLeaf, positionOf, type StreamEntry } from './records.ts'
import { type RedisLink, replyOf } from './redis-link.ts'
import { redisLimits } from './redis-options.ts'
import { checkReplicas, waitFor } from './redis-writer.ts'

/** What the reader tells its log. */
export interface GrowthSink {
  /** Number of leaves that are known to be safe. */
  confirmedLeaves(): number
  /** Leaves up to `size` are safe, and with them everything that grew. */
  confirm(size: number, grew: readonly string[]): void
  /** Replicas confirmed a write over the reader's connection. */
  proved(): void
  /** Whether the reader's connection goes to the server that gave the newest proof. */
  isProved(): boolean
  failed(error: unknown): void
}

/**
 * Follows the audit leaves with one blocking read: everything that is appended leaves one, so it sees
 * whatever any relay on this store did, in order. A hint that gets lost is found by the next read.
 *
 * With replicas, what it reads may still be lost in a failover. Before it passes anything on, it writes
 * a little and waits for the replicas over the *same* connection: they have then everything before.
 */
export class GrowthReader {
  readonly #link: RedisLink
  readonly #leaves: string
  readonly #numbers: string
  readonly #replicas: number
  readonly #sink: GrowthSink
  #closed = false
  #ended: Promise<void> | null = null

  constructor(
    link: RedisLink,
    keys: { readonly leaves: string; readonly numbers: string },
    replicas: number,
    sink: GrowthSink,
  ) {
    this.#link = link
    this.#leaves = keys.leaves
    this.#numbers = keys.numbers
    this.#replicas = replicas
    this.#sink = sink
  }

  /** Begins to follow. */
  start(): void {
    this.#ended = this.#follow()
  }

  /** Ends after the present read. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#link[Symbol.asyncDispose]()
    await this.#ended
  }

  async #follow(): Promise<void> {
    // Moves on only over leaves that are safe, so no failover can take back what lies before it.
    let at = this.#sink.confirmedLeaves()
    while (!this.#closed) {
      try {
        at = await this.#step(at)
      } catch (error) {
        if (this.#closed) return
        if (error instanceof RelayError && error.code === 'log_corrupt') {
          this.#sink.failed(error)
          return
        }
        await new Promise((resolve) => setTimeout(resolve, redisLimits.reconnectMsMin))
      }
    }
  }

  async #step(at: number): Promise<number> {
    const { readBlockMs, readLeavesMax, answerMsMax } = redisLimits
    const generation = this.#link.generation
    const [answer] = await this.#link.run(
      [['XREAD', 'COUNT', readLeavesMax, 'BLOCK', readBlockMs, 'STREAMS', this.#leaves, `${at}-0`]],
      readBlockMs + answerMsMax,
    )
    const reply = replyOf(answer) as readonly (readonly [Buffer, readonly StreamEntry[]])[] | null
    const entries = reply?.[0]?.[1] ?? []
    if (entries.length === 0) return at
    const grew = entries.map((entry, i) => checkedLeaf(this.#leaves, entry, at + 1 + i).grew)
    const size = positionOf(entries[entries.length - 1] as StreamEntry)
    if (this.#replicas > 0) await this.#prove(generation, size)
    this.#sink.confirm(size, grew)
    return size
  }

  /** What others have confirmed already needs no write, but only if it was read from the same server. */
  async #prove(generation: number, size: number): Promise<void> {
    if (size > this.#sink.confirmedLeaves()) return this.#barrier(generation)
    if (this.#link.generation === generation && this.#sink.isProved()) return
    const reason = new Error('what was read came from a server that may be replaced')
    if (this.#link.generation === generation) this.#link.renew(reason)
    throw reason
  }

  async #barrier(generation: number): Promise<void> {
    if (this.#link.generation !== generation) throw new Error('another server answers by now')
    const answers = await this.#link.run([
      ['FCALL', functionName('touch'), 1, this.#numbers],
      waitFor(this.#replicas),
    ])
    replyOf(answers[0])
    checkReplicas(answers[1], this.#replicas)
    if (this.#link.generation !== generation) throw new Error('another server answers by now')
    this.#sink.proved()
  }
}
