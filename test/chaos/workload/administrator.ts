import type { ErrorCode } from '@liaison/protocol'
import type { TestDevice, TestNetwork } from '../../support/network.ts'
import type { RawIdentity } from '../../support/raw-client.ts'
import type { HistoryWriter } from '../history.ts'
import { pause } from '../world/processes.ts'
import { connectRaw, keepUp, outcomeOf, takeAnnounced } from './connection.ts'

/** Longest wait for one answer, ms: a lease, and the time that a store may take to answer. */
const answerMsMax = 20_000

/** Suspends devices and lets them in again. */
export class Administrator {
  readonly #network: TestNetwork
  readonly #writer: HistoryWriter
  #serial = 0

  constructor(network: TestNetwork, writer: HistoryWriter) {
    this.#network = network
    this.#writer = writer
  }

  /** @param url Relay to speak to. @returns whether the relay said that it is in force */
  suspend(device: TestDevice, url: string, msMax?: number): Promise<boolean> {
    return this.#change('suspend', device, url, msMax)
  }

  resume(device: TestDevice, url: string, msMax?: number): Promise<boolean> {
    return this.#change('resume', device, url, msMax)
  }

  async #change(
    op: 'suspend' | 'resume',
    { num: dev }: TestDevice,
    url: string,
    msMax = 60_000,
  ): Promise<boolean> {
    const network = this.#network
    const id = `${op} ${++this.#serial}`
    keepUp(network)
    // Two administrators: one alone may suspend only five devices a day.
    const signers = op === 'suspend' ? [1, 2] : network.enough('resume', { dev, why: 'chaos' })
    const entry = network.sign(op, { dev, why: 'chaos' }, signers)
    const key = network.adminKeys.get(3)
    if (key === undefined) throw new Error('no administrator 3')
    this.#writer.add({ type: 'invoke', op, id, dev })
    const end = performance.now() + msMax
    while (performance.now() < end) {
      const code = await this.#once(op, dev, id, entry, { adm: 3, key }, url)
      if (code === 'ok') return true
      if (code !== null) {
        this.#writer.add({ type: 'fail', op, id, dev, code })
        return false
      }
      await pause(200)
    }
    return false
  }

  /** @returns what the relay said of it; null when that is not known */
  async #once(
    op: 'suspend' | 'resume',
    dev: number,
    id: string,
    entry: Uint8Array,
    identity: RawIdentity,
    url: string,
  ): Promise<ErrorCode | 'ok' | null> {
    const client = await connectRaw(url, this.#network, identity).catch(() => null)
    if (client === null) return null
    try {
      const rq = client.newRq()
      client.send({ kind: 'append', rq, entry })
      const outcome = await outcomeOf(client, rq, answerMsMax)
      takeAnnounced(client)
      if (outcome.kind !== 'answered') {
        this.#writer.add({ type: 'info', op, id, dev, detail: outcome.code })
        return null
      }
      const code = outcome.codes[0] ?? 'internal'
      // Said before, with an answer that got lost: it is in force when it is said again.
      if (code !== 'ok' && code !== 'nonce_used') return code
      const index = outcome.receipts[0]?.cur
      this.#writer.add({ type: 'ok', op, id, dev, ...(index === undefined ? {} : { ix: index }) })
      return 'ok'
    } catch {
      return null
    } finally {
      client.socket.terminate()
    }
  }
}
