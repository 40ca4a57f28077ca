import {
  type ChainPosition,
  type Clock,
  type Directory,
  type Envelope,
  type ErrorCode,
  equal,
  errorRow,
  isRelayError,
  RelayError,
} from '@liaison/protocol'
import { isLinkTrouble } from '../inbox/ack-queue.ts'
import { clientLimits } from '../session/limits.ts'
import type { Link } from '../session/link.ts'
import type { Change, ClientStore } from '../store/client-store.ts'
import { decodeItem, encodeItem, type NewItem, type OutboxItem } from './outbox-item.ts'
import { OutboxItems } from './outbox-items.ts'
import type { OwnChains } from './own-chains.ts'
import type { Sealer } from './sealer.ts'
import { outcomesOf, settle } from './settlement.ts'

/** What the outbox needs. */
export interface OutboxDeps {
  readonly store: ClientStore
  readonly directory: Directory
  readonly chains: OwnChains
  readonly sealer: Sealer
  readonly clock: Clock
  readonly syncDirectory: (link: Link) => Promise<void>
  /** Why nothing may be published now, or null. */
  readonly mayPublish: () => ErrorCode | null
  /** Called with what was handed to the link, and its place there; returns what to call at the answer. */
  readonly onSending: (
    link: Link,
    begin: number,
    items: readonly { readonly id: string; readonly bytes: number }[],
  ) => () => void
  /** Called after an item changed and the change is durable. */
  readonly onChange: (item: OutboxItem) => void
}

/** A new item that is written by somebody else, together with what belongs to it. */
export interface StagedItem {
  readonly change: Change
  /** To be called once the change is durable. */
  readonly kept: () => void
}

/** What one round of sending led to. */
export type Round =
  | { readonly kind: 'idle' }
  | { readonly kind: 'more' }
  /** Nothing can be sent now; try again after so many ms. */
  | { readonly kind: 'wait'; readonly ms: number; readonly code: ErrorCode }

/**
 * Reports on their way out. Store first, then send: what was submitted survives a crash at any
 * moment, is repeated byte for byte while its outcome is unknown, and is never sealed twice for one
 * place of a chain.
 */
export class Outbox {
  readonly #deps: OutboxDeps
  readonly #items = new OutboxItems()
  #order = 0

  private constructor(deps: OutboxDeps) {
    this.#deps = deps
  }

  /** Opens the outbox of a store, with whatever was left in it. */
  static async open(deps: OutboxDeps): Promise<Outbox> {
    const outbox = new Outbox(deps)
    for (const [, bytes] of await deps.store.list('outbox')) {
      const item = decodeItem(bytes)
      outbox.#items.put(item)
      outbox.#order = Math.max(outbox.#order, item.order)
    }
    return outbox
  }

  /** All items, in the order of submission. */
  list(): OutboxItem[] {
    return this.#items.list()
  }

  /** Whether something waits to be sent, or for the relay's answer. */
  get hasUnsent(): boolean {
    return this.#items.unsent().length > 0
  }

  get(id: string): OutboxItem | null {
    return this.#items.get(id)
  }

  byIdempotencyKey(key: string): OutboxItem | null {
    return this.#items.byIdempotencyKey(key)
  }

  byCore(core: Uint8Array): OutboxItem | null {
    return this.#items.byCore(core)
  }

  /**
   * Keeps a new item durably.
   *
   * @param more Written in the same step, such as the end of the draft that it was made from.
   * @throws RelayError `report_conflict` when its name is taken by another content.
   */
  async add(item: NewItem, more: readonly Change[] = []): Promise<OutboxItem> {
    const known = this.#items.get(item.id)
    if (known !== null) {
      if (equal(known.body, item.body) && known.topic === item.topic) {
        await this.#save([], more)
        return known
      }
      throw new RelayError('report_conflict', { field: '/meta/id' })
    }
    const added = this.#begun(item)
    await this.#save([added], more)
    return added
  }

  /**
   * Readies a new item for a step that keeps more than it.
   *
   * @returns null when there is one of this name.
   */
  stage(item: NewItem): StagedItem | null {
    if (this.#items.get(item.id) !== null) return null
    const added = this.#begun(item)
    return { change: rowOf(added), kept: () => this.#kept([added]) }
  }

  #begun(item: NewItem): OutboxItem {
    const order = ++this.#order
    const unsent = { state: 'queued', reseals: 0, sealed: null, receipt: null, code: null } as const
    return { ...item, order, ...unsent }
  }

  /** Puts a refused item back into the queue. */
  async retry(id: string): Promise<OutboxItem> {
    const item = this.#items.get(id)
    if (item === null) throw new RelayError('item_unknown', { field: id })
    if (item.state !== 'refused' && item.state !== 'queued')
      throw new RelayError('item_busy', { field: id })
    const again: OutboxItem = { ...item, state: 'queued', reseals: 0, code: null }
    await this.#save([again])
    return again
  }

  /** Takes an unsent item out. @throws RelayError `item_busy` when its outcome is not known. */
  async cancel(id: string): Promise<void> {
    const item = this.#items.get(id)
    if (item === null) throw new RelayError('item_unknown', { field: id })
    if (item.state !== 'queued' && item.state !== 'refused')
      throw new RelayError('item_busy', { field: id })
    await this.#deps.store.commit([{ table: 'outbox', key: id, value: null }])
    this.#items.delete(id)
    this.#deps.onChange({ ...item, state: 'cancelled' })
  }

  /** Notes what readers said about an item; only ever forward. */
  async progress(id: string, state: 'received' | 'read'): Promise<void> {
    const item = this.#items.get(id)
    const rank = ['with-relay', 'received', 'read']
    if (item === null || rank.indexOf(item.state) < 0) return
    if (rank.indexOf(state) > rank.indexOf(item.state)) await this.#save([{ ...item, state }])
  }

  /** Sends one frame, if there is something to send. */
  async round(link: Link): Promise<Round> {
    const refused = this.#deps.mayPublish()
    const unknown = this.#inState('sealed')
    // What was sent before is repeated whatever the clock says: it may have been accepted already.
    if (unknown.length > 0) return this.#send(cut(unknown), link)
    const queued = this.#inState('queued')
    if (queued.length === 0) return { kind: 'idle' }
    if (refused !== null) return { kind: 'wait', ms: clientLimits.publishRetryMs, code: refused }
    const sealed = await this.#seal(queued.slice(0, clientLimits.publishBatchMax), link)
    return sealed.length === 0 ? { kind: 'more' } : this.#send(sealed, link)
  }

  /**
   * Items of one state: urgent first; among equals, first come first served. What was sent without an
   * answer is repeated in the order in which it was sealed, which is this one, or its chain would not fit.
   */
  #inState(state: OutboxItem['state']): OutboxItem[] {
    return this.#items
      .unsent()
      .filter((item) => item.state === state)
      .sort((a, b) => b.pr - a.pr || a.order - b.order)
  }

  async #seal(batch: readonly OutboxItem[], link: Link): Promise<OutboxItem[]> {
    const heads = new Map<string, ChainPosition>()
    const sealed: OutboxItem[] = []
    let bytes = 0
    for (const item of batch) {
      try {
        const one = await this.#deps.sealer.seal(item, heads, link)
        bytes += one.envelope.payload.length + one.envelope.slots.length + 512
        if (sealed.length > 0 && bytes > clientLimits.publishBatchBytes) break
        sealed.push({ ...item, state: 'sealed', sealed: one, code: null })
      } catch (error) {
        // A link that ended says nothing about the report: it is sealed again on the next one.
        if (!isRelayError(error) || isLinkTrouble(error)) throw error
        if (errorRow(error.code).retry === 'later') throw error
        if (error.code === 'key_unavailable' || error.code === 'outcome_unknown') throw error
        await this.#save([{ ...item, state: 'refused', code: error.code }])
      }
    }
    // Before a byte leaves: after a crash the same bytes are sent again, never others for their place.
    await this.#save(sealed)
    return sealed
  }

  async #send(batch: readonly OutboxItem[], link: Link): Promise<Round> {
    const envelopes = batch.flatMap((item) => (item.sealed === null ? [] : [item.sealed.envelope]))
    const begin = link.bytes.sent
    const answer = link.request({ kind: 'publish', envelopes }, 'result')
    // The request was handed over above; what of it has left is asked of the link from here on.
    const sizes = batch.flatMap((item, i) => {
      const envelope = envelopes[i]
      return envelope === undefined ? [] : [{ id: item.id, bytes: envelopeBytes(envelope) }]
    })
    const ended = this.#deps.onSending(link, begin, sizes)
    const result = await answer.finally(ended)
    const { net } = this.#deps.directory
    const outcomes = outcomesOf(batch, result, net, link.info.relay.key)
    const settled = await settle(outcomes, this.#deps)
    await this.#save(settled.items, settled.changes)
    if (settled.sync) await this.#deps.syncDirectory(link)
    return settled.waitCode === null
      ? { kind: 'more' }
      : { kind: 'wait', ms: clientLimits.publishRetryMs, code: settled.waitCode }
  }

  async #save(items: readonly OutboxItem[], more: readonly Change[] = []): Promise<void> {
    if (items.length + more.length === 0) return
    await this.#deps.store.commit([...items.map(rowOf), ...more])
    this.#kept(items)
  }

  #kept(items: readonly OutboxItem[]): void {
    for (const item of items) {
      this.#items.put(item)
      this.#deps.onChange(item)
    }
  }
}

const rowOf = (item: OutboxItem): Change => ({
  table: 'outbox',
  key: item.id,
  value: encodeItem(item),
})

/** Bytes of an envelope in a frame, without the few that separate its parts. */
const envelopeBytes = (e: Envelope): number =>
  e.ctx.length + e.seal.length + e.sig.length + e.payload.length + e.slots.length

/** As many as go into one frame. */
function cut(items: readonly OutboxItem[]): OutboxItem[] {
  const out: OutboxItem[] = []
  let bytes = 0
  for (const item of items) {
    const e = item.sealed?.envelope
    bytes += e === undefined ? 0 : e.payload.length + e.slots.length + 512
    if (
      out.length > 0 &&
      (out.length >= clientLimits.publishBatchMax || bytes > clientLimits.publishBatchBytes)
    )
      break
    out.push(item)
  }
  return out
}
