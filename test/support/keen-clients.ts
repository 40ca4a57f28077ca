/** Bare clients that come back at once after every lost connection, and remember what they were told. */
import {
  coreHashOf,
  type DeliverItem,
  GrowingTree,
  type Receipt,
  type SigningKey,
  toHex,
} from '@liaison/protocol'
import type { Sealed } from '@liaison/seal'
import { Composer } from './composer.ts'
import type { TestDevice, TestNetwork } from './network.ts'
import { RawClient } from './raw-client.ts'
import { makeReport } from './sdk.ts'

/** What a reader showed: names of reports, and kinds of everything else. */
export interface Seen {
  readonly reports: string[]
  readonly others: string[]
}

/** Envelopes that are sent before their receipts came, and in how large frames. */
const windowMax = 4
const frameMax = 2

const pause = (ms = 40): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Works on one connection after the other until `work` returns; only a lost connection is forgiven. */
async function keenly(
  open: () => Promise<RawClient>,
  work: (client: RawClient) => Promise<void>,
): Promise<void> {
  for (;;) {
    let client: RawClient
    try {
      client = await open()
    } catch {
      await pause()
      continue
    }
    try {
      return await work(client)
    } catch (error) {
      if (client.closed === null) throw error
    } finally {
      await client[Symbol.asyncDispose]()
    }
  }
}

/** Seals reports and repeats the same bytes until each has its receipt. */
export class KeenPublisher {
  /** Receipts by core hash. */
  readonly accepted = new Map<string, Receipt>()
  /** Codes of refusals: an honest device gets none. */
  readonly refused: string[] = []
  /** Envelopes that were sent more than once. */
  repeated = 0
  readonly #composer: Composer
  readonly #member: string
  readonly #url: string
  readonly #sch: Uint8Array
  #waiting: { readonly sealed: Sealed; readonly id: string; sent: boolean }[] = []

  constructor(network: TestNetwork, device: TestDevice, url: string, sch: Uint8Array) {
    this.#composer = new Composer(network, device)
    this.#member = network.directory.member(device.mem)?.code ?? ''
    this.#url = url
    this.#sch = sch
  }

  /** Publishes while there is more to do, then until nothing is without an answer. @returns the ids */
  async run(more: () => boolean): Promise<string[]> {
    const ids: string[] = []
    const { network, device } = this.#composer
    await keenly(
      () => RawClient.as(this.#url, network, device),
      async (client) => {
        while (more() || this.#waiting.length > 0) {
          while (more() && this.#waiting.length < windowMax) ids.push(this.#seal())
          await this.#send(client)
          // A breath, so that the machine keeps up with its readers.
          await pause(100)
        }
      },
    )
    return ids
  }

  #seal(): string {
    const report = makeReport(this.#composer.network, this.#member)
    const body = JSON.stringify(report)
    const sealed = this.#composer.seal({ hc: 1, body, ctx: { sch: this.#sch } })
    this.#waiting.push({ sealed, id: report.meta.id, sent: false })
    return report.meta.id
  }

  async #send(client: RawClient): Promise<void> {
    const asked: number[] = []
    for (let at = 0; at < this.#waiting.length; at += frameMax) {
      const part = this.#waiting.slice(at, at + frameMax)
      this.repeated += part.filter((one) => one.sent).length
      asked.push(client.beginPublish(...part.map((one) => one.sealed.envelope)))
      for (const one of part) one.sent = true
    }
    for (const rq of asked) {
      const { receipts, codes } = await client.result(rq)
      for (const [i, receipt] of receipts.entries()) {
        const code = codes[i] ?? ''
        if (code === 'ok') this.accepted.set(toHex(receipt.cid), receipt)
        else this.refused.push(code)
      }
    }
    this.#waiting = this.#waiting.filter((one) => !this.accepted.has(toHex(one.sealed.core)))
  }
}

/** Reads a topic from wherever it stopped, or from a little before, and compares what it gets again. */
export class KeenReader {
  /** Core hash by cursor. */
  readonly cores = new Map<number, string>()
  /** Cursors that came with two different envelopes. */
  readonly doubled: number[] = []
  readonly #network: TestNetwork
  readonly #device: TestDevice
  readonly #url: string
  readonly #topic: number

  constructor(network: TestNetwork, device: TestDevice, url: string, topic: number) {
    this.#network = network
    this.#device = device
    this.#url = url
    this.#topic = topic
  }

  has(n: number): boolean {
    return this.cores.size >= n
  }

  async run(more: () => boolean): Promise<void> {
    await keenly(
      () => RawClient.as(this.#url, this.#network, this.#device),
      async (client) => {
        // The last few once more: a cursor must mean the same after every restart.
        const from = Math.max(0, this.cores.size - 5)
        client.subscribe(1, this.#topic, from)
        while (more()) {
          if (!client.inbox.some((frame) => frame.kind === 'deliver')) {
            if (client.closed !== null) throw new Error('the connection was lost')
            await pause()
            continue
          }
          const { items } = await client.next('deliver')
          for (const item of items) this.#note(item)
          client.send({ kind: 'credit', sub: 1, frames: 1, bytes: 100_000 })
        }
      },
    )
  }

  #note(item: DeliverItem): void {
    if (item.form !== 'full') return
    const { ctx, seal, cursor } = item
    const core = toHex(coreHashOf(this.#network.directory.net, ctx, seal))
    const known = this.cores.get(cursor)
    if (known !== undefined && known !== core) this.doubled.push(cursor)
    this.cores.set(cursor, core)
  }
}

/** An administrator who adds to the directory and keeps what the two logs looked like. */
export class Watcher {
  /** Signed checkpoints of the directory, as they came. */
  readonly checkpoints: Uint8Array[] = []
  /** Sizes of the audit log, with the root of the leaves that were read. */
  readonly audit: { readonly size: number; readonly root: Uint8Array }[] = []
  readonly #network: TestNetwork
  readonly #url: string
  readonly #tree = new GrowingTree()
  #adding: Promise<void> = Promise.resolve()
  #added = 0

  constructor(network: TestNetwork, url: string) {
    this.#network = network
    this.#url = url
  }

  /** Begins to add a member; the same entry is sent again until the relay has it. */
  add(): void {
    const code = `K${++this.#added}`
    this.#adding = this.#adding.then(async () => {
      const entry = this.#network.sign('member', { code, kind: 'state', name: { en: code } })
      await keenly(
        () => this.#open(),
        async (client) => {
          const [answer = 'none'] = (await client.append(entry)).codes
          // The answer to the first try may have been lost.
          if (answer !== 'ok' && answer !== 'nonce_used') throw new Error(answer)
        },
      )
      this.#network.appendEntry(entry)
    })
  }

  /** Reads the checkpoint and all leaves that are new. */
  async look(): Promise<void> {
    await this.#adding
    await keenly(
      () => this.#open(),
      async (client) => {
        for (;;) {
          const ask = { op: 'leaves', from: this.#tree.size } as const
          const { request, sig } = client.adminRequest(this.#key(), ask)
          client.send({ kind: 'admin', request, sig })
          const { leaves = [], size = 0 } = await client.next('admin-answer')
          for (const leaf of leaves) this.#tree.append(leaf)
          if (this.#tree.size >= size || leaves.length === 0) break
        }
      },
    )
    this.audit.push({ size: this.#tree.size, root: this.#tree.root })
  }

  async #open(): Promise<RawClient> {
    const client = await RawClient.connect(this.#url, this.#network)
    const { dir } = await client.authenticate({ adm: 1, key: this.#key() })
    this.checkpoints.push(dir.checkpoint)
    return client
  }

  #key(): SigningKey {
    const key = this.#network.adminKeys.get(1)
    if (key === undefined) throw new Error('no administrator')
    return key
  }
}
