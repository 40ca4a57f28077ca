import { coreHashOf, creditBytes, toHex } from '@liaison/protocol'
import type { TestDevice, TestNetwork } from '../../support/network.ts'
import type { RawClient } from '../../support/raw-client.ts'
import { seededRandom } from '../../support/seeded-random.ts'
import type { HistoryWriter } from '../history.ts'
import { pause } from '../world/processes.ts'
import { connectRaw, endOf, takeAnnounced } from './connection.ts'

/** For pauses only: what is done does not depend on it. */
const chance = seededRandom()

/** Follows the topic without the SDK, from its last cursor, and writes down whatever arrives. */
export class Watcher {
  readonly device: TestDevice
  readonly #network: TestNetwork
  readonly #url: string
  readonly #writer: HistoryWriter
  readonly #topic: number
  readonly #stop = new AbortController()
  #client: RawClient | null = null
  #running: Promise<void> = Promise.resolve()
  #stalled = false
  /** Last cursor that was taken in. */
  cursor = 0

  constructor(
    network: TestNetwork,
    device: TestDevice,
    o: { url: string; writer: HistoryWriter; topic: number },
  ) {
    this.#network = network
    this.device = device
    this.#url = o.url
    this.#writer = o.writer
    this.#topic = o.topic
  }

  /** Whether a relay has let it in at the moment. */
  get connected(): boolean {
    return this.#client !== null && this.#client.closed === null
  }

  begin(): void {
    this.#running = this.#run()
  }

  /** Takes nothing from its socket any more, or goes on. */
  stall(isStalled: boolean): void {
    this.#stalled = isStalled
    if (isStalled) this.#client?.socket.pause()
    else this.#client?.socket.resume()
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        this.#client = await connectRaw(this.#url, this.#network, this.device)
        if (this.#stalled) this.#client.socket.pause()
        await this.#follow(this.#client)
      } catch {
        await pause(100 + chance.next() * 200, this.#stop.signal)
      }
      this.#drop()
    }
  }

  async #follow(client: RawClient): Promise<void> {
    client.subscribe(1, this.#topic, this.cursor)
    while (client.closed === null && !this.#stop.signal.aborted) {
      this.#take(client)
      // A relay that is behind another one does not know the cursor yet: again, in a new session.
      if (client.inbox.some((frame) => frame.kind === 'error' && frame.rq === 1)) break
      // What is left in the inbox is no delivery: only more of it is news.
      const left = client.inbox.length
      const isNews = (): boolean => client.inbox.length > left || client.closed !== null
      await client.until(isNews, 'a frame').catch(() => undefined)
    }
    this.#take(client)
    const code = endOf(client)
    if (code !== 'closed' && code !== 'timeout') {
      const id = `session of ${this.device.label}`
      this.#writer.add({ type: 'fail', op: 'refusal', id, dev: this.device.num, code })
    }
  }

  #take(client: RawClient): void {
    takeAnnounced(client)
    const dev = this.device.num
    for (let at = 0; at < client.inbox.length; ) {
      const frame = client.inbox[at]
      if (frame?.kind !== 'deliver') {
        at++
        continue
      }
      client.inbox.splice(at, 1)
      const bytes = frame.items.reduce((sum, item) => sum + creditBytes(item), 0)
      this.#writer.add({ type: 'ok', op: 'read', id: 'frame', dev, bytes })
      for (const item of frame.items) {
        if (item.form === 'full') {
          const core = toHex(coreHashOf(this.#network.directory.net, item.ctx, item.seal))
          this.#writer.add({ type: 'ok', op: 'show', id: core, dev, core, kind: 'raw' })
        }
        this.cursor = item.form === 'skip' ? item.to : item.cursor
      }
      if (client.closed === null) client.send({ kind: 'credit', sub: 1, frames: 1, bytes })
    }
  }

  #drop(): void {
    this.#client?.socket.terminate()
    this.#client = null
  }

  async end(): Promise<void> {
    this.#stop.abort()
    this.#drop()
    await this.#running
  }
}
