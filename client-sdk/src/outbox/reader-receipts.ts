import {
  type AckItem,
  codeOfNumber,
  type Directory,
  decodeAck,
  toHex,
  verifyAck,
} from '@liaison/protocol'
import { decodeCbor, encodeCbor } from '@liaison/protocol/internal'
import { Batch } from '../store/batch.ts'
import { type ClientStore, numberKey } from '../store/client-store.ts'
import type { RecipientReceipt } from './submission.ts'

/** An acknowledgement about one envelope of this member. */
export interface AckNews {
  readonly core: Uint8Array
  readonly receipt: RecipientReceipt
}

/** What readers said about this member's reports; each word is signed by the reading device. */
export class ReaderReceipts {
  readonly #store: ClientStore
  readonly #directory: Directory

  constructor(store: ClientStore, directory: Directory) {
    this.#store = store
    this.#directory = directory
  }

  /** Last index that was taken in; 0 when there is none. */
  async cursor(): Promise<number> {
    const bytes = await this.#store.get('state', 'acks')
    const decoded = bytes === null ? null : decodeCbor(bytes)
    return decoded?.ok ? (decoded.value as number) : 0
  }

  /** Forgets the last index: the relay has fewer than it. What is known about envelopes stays. */
  async rewind(): Promise<void> {
    await this.#store.commit([{ table: 'state', key: 'acks', value: null }])
  }

  /** Takes in acknowledgements; what does not verify is dropped: a relay cannot invent a reader. */
  async take(items: readonly AckItem[]): Promise<AckNews[]> {
    const batch = new Batch(this.#store)
    const news: AckNews[] = []
    for (const { index, ack, sig } of items) {
      for (const one of this.#verified(ack, sig)) {
        const key = `${toHex(one.core)}/${numberKey(one.receipt.device)}`
        const before = await batch.get('receipts', key)
        const known = before === null ? null : readStored(before, one.receipt.device)
        const read = one.receipt.read || known?.read === true
        const code = one.receipt.code
        batch.put('receipts', key, encodeCbor([one.receipt.t, read ? 1 : 0, code ?? '', ack, sig]))
        news.push(one)
      }
      batch.put('state', 'acks', encodeCbor(index))
    }
    await batch.commit()
    return news
  }

  /** Everything known about one envelope, by device number. */
  async of(core: Uint8Array): Promise<Map<number, RecipientReceipt>> {
    const prefix = `${toHex(core)}/`
    const out = new Map<number, RecipientReceipt>()
    for (const [key, bytes] of await this.#store.list('receipts', { prefix })) {
      const device = Number.parseInt(key.slice(prefix.length), 16)
      const stored = readStored(bytes, device)
      if (stored !== null) out.set(device, stored)
    }
    return out
  }

  #verified(bytes: Uint8Array, sig: Uint8Array): AckNews[] {
    const decoded = decodeAck(bytes)
    if (!decoded.ok) return []
    const { dev, t, ok = [], rd = [], bad = [] } = decoded.value
    const device = this.#directory.device(dev)
    if (device === null) return []
    if (!verifyAck(this.#directory.net, device.identityKey, bytes, sig)) return []
    const word = (core: Uint8Array, read: boolean, code: string | null): AckNews => ({
      core,
      receipt: { device: dev, t, read, code },
    })
    return [
      ...ok.map((core) => word(core, false, null)),
      ...rd.map((core) => word(core, true, null)),
      ...bad.map(([core, n]) => word(core, false, codeOfNumber(n))),
    ]
  }
}

function readStored(bytes: Uint8Array, device: number): RecipientReceipt | null {
  const decoded = decodeCbor(bytes)
  if (!decoded.ok) return null
  const [t, read, code] = decoded.value as unknown as readonly [number, number, string]
  return { device, t, read: read === 1, code: code === '' ? null : code }
}
