import { toHex } from '@liaison/protocol'
import { schemaHash } from '@liaison/schemas'
import type { Sealed } from '@liaison/seal'
import { Composer } from '../../support/composer.ts'
import type { TestDevice, TestNetwork } from '../../support/network.ts'
import type { RawClient } from '../../support/raw-client.ts'
import { seededRandom } from '../../support/seeded-random.ts'
import type { HistoryWriter } from '../history.ts'
import type { ReportMaker } from '../world/network.ts'
import { pause } from '../world/processes.ts'
import { connectRaw, keepUp, type Outcome, publishRaw, takeAnnounced } from './connection.ts'

/** For pauses only: what is done does not depend on it. */
const chance = seededRandom()

interface Waiting {
  readonly id: string
  readonly sealed: Sealed
  readonly seq: number
}

/** Longest wait for an answer, ms; a request may wait that long in the relay. */
const answerMsMax = 16_000

/**
 * Publishes without the SDK, a few envelopes in a frame. An unknown outcome is settled with the same
 * bytes, at whichever relay lets it in next.
 */
export class RawPublisher {
  readonly #network: TestNetwork
  readonly #device: TestDevice
  readonly #url: string
  readonly #writer: HistoryWriter
  readonly #maker: ReportMaker
  readonly #everyMs: number
  readonly #batch: number
  readonly #composer: Composer
  #head: { readonly seq: number; readonly core: Uint8Array } | null = null
  #waiting: Waiting[] = []
  #client: RawClient | null = null
  readonly #stop = new AbortController()
  /** Publishes nothing new while it is set. */
  idle = false
  #finishing = false
  #running: Promise<void> = Promise.resolve()
  /** Reports acknowledged so far. */
  acknowledged = 0

  constructor(
    network: TestNetwork,
    device: TestDevice,
    o: { url: string; writer: HistoryWriter; maker: ReportMaker; everyMs: number; batch: number },
  ) {
    this.#network = network
    this.#device = device
    this.#url = o.url
    this.#writer = o.writer
    this.#maker = o.maker
    this.#everyMs = o.everyMs
    this.#batch = o.batch
    this.#composer = new Composer(network, device)
  }

  begin(): void {
    this.#running = this.#run()
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted && !(this.#finishing && this.#waiting.length === 0)) {
      try {
        await this.#round()
      } catch {
        // No session: the relay is away, or let nobody in. What waits is repeated at the next one.
        this.#drop()
        await pause(50 + chance.next() * 150, this.#stop.signal)
      }
    }
    this.#drop()
  }

  async #round(): Promise<void> {
    this.#client ??= await connectRaw(this.#url, this.#network, this.#device)
    const client = this.#client
    takeAnnounced(client)
    if (this.#waiting.length === 0) {
      await pause(this.#everyMs * (0.5 + chance.next()), this.#stop.signal)
      if (client.closed !== null) return this.#drop()
      if (this.#finishing || this.idle) return
      takeAnnounced(client)
      this.#seal()
    }
    const envelopes = this.#waiting.map(({ sealed }) => sealed.envelope)
    await this.#settle(await publishRaw(client, envelopes, answerMsMax))
  }

  #seal(): void {
    keepUp(this.#network)
    let head = this.#head
    for (let i = 0; i < this.#batch; i++) {
      const report = this.#maker.make()
      const seq = head === null ? 0 : head.seq + 1
      const sealed = this.#composer.seal({
        hc: 1,
        body: JSON.stringify(report),
        ctx: {
          sch: schemaHash('spotrep'),
          seq,
          prev: head?.core ?? new Uint8Array(32),
        },
      })
      const { id } = report.meta
      head = { seq, core: sealed.core }
      this.#writer.add({
        type: 'invoke',
        op: 'publish',
        id,
        dev: this.#device.num,
        core: toHex(sealed.core),
      })
      this.#waiting.push({ id, sealed, seq })
    }
  }

  async #settle(outcome: Outcome): Promise<void> {
    const dev = this.#device.num
    if (outcome.kind === 'answered') {
      const waiting = this.#waiting
      this.#waiting = []
      for (const [at, { id, sealed, seq }] of waiting.entries()) {
        const code = outcome.codes[at] ?? 'internal'
        const core = toHex(sealed.core)
        if (code === 'ok') {
          const { ix = -1, cur = -1 } = outcome.receipts[at] ?? {}
          this.#head = { seq, core: sealed.core }
          this.acknowledged++
          this.#writer.add({ type: 'ok', op: 'publish', id, dev, core, ix, cur })
        } else this.#writer.add({ type: 'fail', op: 'publish', id, dev, core, code })
      }
      if (outcome.codes.some((code) => code !== 'ok')) await pause(100, this.#stop.signal)
      return
    }
    if (outcome.kind === 'refused') {
      this.#writer.add({ type: 'fail', op: 'refusal', id: 'publish', dev, code: outcome.code })
      await pause(Math.min(Math.max(outcome.retryAfterMs, 50), 2_000), this.#stop.signal)
      return
    }
    for (const { id, sealed } of this.#waiting) {
      const core = toHex(sealed.core)
      this.#writer.add({ type: 'info', op: 'publish', id, dev, core, detail: outcome.code })
    }
    this.#drop()
  }

  #drop(): void {
    this.#client?.socket.terminate()
    this.#client = null
  }

  /** Settles what is under way and ends. @returns how many are unknown for good */
  async finish(msMax: number): Promise<number> {
    this.#finishing = true
    const timer = setTimeout(() => this.#stop.abort(), msMax)
    await this.#running
    clearTimeout(timer)
    return this.#waiting.length
  }
}
