import {
  type Clock,
  chainIdOf,
  coreHashOf,
  type DeliverItem,
  type Directory,
  type ErrorCode,
  epochMs,
  equal,
  isRelayError,
  RelayError,
  sha256,
  toHex,
} from '@liaison/protocol'
import { decodeCbor, encodeCbor } from '@liaison/protocol/internal'
import type { EpochKeys } from '../keys/epoch-keys.ts'
import type { Link } from '../session/link.ts'
import { Batch } from '../store/batch.ts'
import { type ClientStore, numberKey } from '../store/client-store.ts'
import { type AckQueue, type AckWord, isLinkTrouble } from './ack-queue.ts'
import { advanceChain, type ChainLink, judgeChain } from './chains.ts'
import { decodeRow, encodeRow, type InboxRow, type RowSender } from './inbox-row.ts'
import { type OpenFailure, openItem, reportKey, reportMark } from './open-item.ts'
import type { SlotChecker } from './slot-checker.ts'
import { type FullItem, type VerifiedItem, type VerifyFailure, verifyItem } from './verify-item.ts'

/** Codes after which nothing is acknowledged: the envelope was not for us, or its name is not certain. */
const unacknowledged: ReadonlySet<ErrorCode> = new Set(['not_addressed', 'header_mismatch'])

/** Evidence that a sender broke a rule, for the FLU. */
export interface Evidence {
  readonly core: Uint8Array
  readonly topic: number
  readonly messageKey: Uint8Array
  readonly code: ErrorCode
  readonly detail: string
}

/** Missing places of a sender's chain, first and last. */
export interface InboxGap {
  readonly topic: number
  readonly device: number
  readonly from: number
  readonly to: number
}

/** What the inbox needs. */
export interface InboxDeps {
  readonly store: ClientStore
  readonly directory: Directory
  readonly device: number
  readonly epochs: EpochKeys
  readonly acks: AckQueue
  readonly slots: SlotChecker
  readonly clock: Clock
  /** Fetches directory entries that are still missing. */
  readonly syncDirectory: (link: Link) => Promise<void>
  /** Called with evidence after the item is kept. */
  readonly onEvidence: (evidence: Evidence) => void
  /** Called after rows were kept, with the number of the newest. */
  readonly onRows: (arrival: number) => void
  /** Called after a gap was kept. */
  readonly onGap: (gap: InboxGap) => void
}

/**
 * Everything that reached this device, exactly once: an item, the cursor behind it, its place in the
 * sender's chain and the acknowledgement about it are written in one step.
 */
export class Inbox {
  readonly #deps: InboxDeps
  #arrival: number | null = null
  /** Found in the frame that is being taken in. */
  #gaps: InboxGap[] = []

  constructor(deps: InboxDeps) {
    this.#deps = deps
  }

  /** Last cursor up to which everything was told and is safely kept; 0 when there is none. */
  async cursor(topic: number): Promise<number> {
    const bytes = await this.#deps.store.get('state', cursorKey(topic))
    const decoded = bytes === null ? null : decodeCbor(bytes)
    return decoded?.ok ? (decoded.value as number) : 0
  }

  /** Begins a topic again from its first place; what was shown before is recognised by its chain. */
  async rewind(topic: number): Promise<void> {
    await this.#deps.store.commit([{ table: 'state', key: cursorKey(topic), value: null }])
  }

  /** Number of the newest row; 0 when there is none. */
  async newest(): Promise<number> {
    const [last] = await this.#deps.store.list('inbox', { reverse: true, limit: 1 })
    return last === undefined ? 0 : Number.parseInt(last[0], 16)
  }

  /** Rows after an arrival number, oldest first, with their numbers. */
  async rows(after: number, limit: number): Promise<readonly (readonly [number, InboxRow])[]> {
    const stored = await this.#deps.store.list('inbox', { after: numberKey(after), limit })
    return stored.map(([key, bytes]) => [Number.parseInt(key, 16), decodeRow(bytes)] as const)
  }

  /**
   * Rows before an arrival number, newest first, with their numbers. Numbers are given one after the
   * other, so a window of them is a page; it may be short, and is empty only at the beginning.
   */
  async rowsBefore(
    before: number,
    limit: number,
  ): Promise<readonly (readonly [number, InboxRow])[]> {
    const first = Math.min(before, (await this.#lastArrival()) + 1)
    for (let end = first; end > 1; end -= limit) {
      const rows = await this.rows(Math.max(0, end - 1 - limit), limit)
      const page = rows.filter(([arrival]) => arrival < end)
      if (page.length > 0) return page.reverse()
    }
    return []
  }

  /**
   * Takes in the items of one deliver frame. Frames are given one after the other. Whether an item is
   * new is decided by its sender's chain, never by its cursor: a relay that repeats, reorders or
   * invents cursors hides nothing. The cursor only moves over places that were told without a hole.
   */
  async take(topic: number, items: readonly DeliverItem[], link: Link): Promise<void> {
    const batch = new Batch(this.#deps.store)
    const evidence: Evidence[] = []
    this.#gaps = []
    const before = await this.#lastArrival()
    let cursor = await this.cursor(topic)
    const inOrder = [...items].sort((a, b) => a.cursor - b.cursor)
    for (const item of inOrder) {
      if (item.form === 'full') await this.#takeFull(batch, topic, item, link, evidence, true)
      else if (item.form === 'stub') {
        const name = coreHashOf(this.#deps.directory.net, item.ctx, item.seal)
        await this.#closed(batch, topic, item.cursor, 'expired', { name, core: null, from: null })
      }
      const end = item.form === 'skip' ? item.to : item.cursor
      if (item.cursor <= cursor + 1) cursor = Math.max(cursor, end)
    }
    batch.put('state', cursorKey(topic), numberBytes(cursor))
    try {
      await batch.commit()
    } catch (error) {
      this.#arrival = null
      throw error
    }
    this.#deps.acks.schedule(link)
    for (const one of evidence) this.#deps.onEvidence(one)
    for (const gap of this.#gaps) this.#deps.onGap(gap)
    const newest = await this.#lastArrival()
    if (newest > before) this.#deps.onRows(newest)
  }

  async #takeFull(
    batch: Batch,
    topic: number,
    item: FullItem,
    link: Link,
    evidence: Evidence[],
    mayFill: boolean,
  ): Promise<void> {
    const verified = await this.#verify(topic, item, link)
    if ('code' in verified) return this.#refused(batch, topic, item, verified)
    const { ctx, core } = verified
    const chain = chainIdOf(this.#deps.directory.net, ctx)
    const place: ChainLink = { chain, inc: ctx.inc ?? 0, seq: ctx.seq, core, prev: ctx.prev }
    let verdict = await judgeChain(batch, place)
    if (verdict.kind === 'repeated') return
    if (verdict.kind === 'gap' && mayFill) {
      const query = { ...verdict, chain, inc: place.inc }
      await this.#fill(batch, topic, query, link, evidence)
      verdict = await judgeChain(batch, place)
    }
    const from = { dev: ctx.from, mem: verified.member }
    if (verdict.kind === 'gap') {
      await this.#gap(batch, topic, ctx.from, verdict.from, verdict.to)
    }
    if (verdict.kind === 'conflict') {
      const who = { name: core, core, from }
      return this.#closed(batch, topic, item.cursor, 'chain_conflict', who)
    }
    await this.#open(batch, topic, item, verified, verdict.kind === 'restarted', link, evidence)
    await advanceChain(batch, place)
  }

  /** Verifies; when the sender knew a newer directory, this device catches up first. */
  async #verify(topic: number, item: FullItem, link: Link): Promise<VerifiedItem | VerifyFailure> {
    const { directory, device } = this.#deps
    const first = verifyItem(directory, device, topic, item)
    if (first.ok) return first.value
    if (first.error.code !== 'directory_unknown') return first.error
    await this.#deps.syncDirectory(link)
    const second = verifyItem(directory, device, topic, item)
    return second.ok ? second.value : second.error
  }

  async #refused(
    batch: Batch,
    topic: number,
    item: FullItem,
    failure: VerifyFailure,
  ): Promise<void> {
    const device = failure.ctx === null ? null : this.#deps.directory.device(failure.ctx.from)
    const from = device === null ? null : { dev: device.num, mem: device.mem }
    const name = coreHashOf(this.#deps.directory.net, item.ctx, item.seal)
    await this.#closed(batch, topic, item.cursor, failure.code, { name, core: failure.core, from })
  }

  /** Keeps an item that has no place in a chain; the same fault of the same envelope is told once. */
  async #closed(
    batch: Batch,
    topic: number,
    cursor: number,
    code: ErrorCode,
    who: {
      readonly name: Uint8Array
      readonly core: Uint8Array | null
      readonly from: RowSender | null
    },
  ): Promise<void> {
    const key = `closed/${toHex(who.name)}/${code}`
    if ((await batch.get('chains', key)) !== null) return
    batch.put('chains', key, numberBytes(cursor))
    await this.#undecryptable(batch, topic, cursor, code, who.core, who.from)
  }

  /** Asks the relay for the missing places of a chain and takes in what it has for this device. */
  async #fill(
    batch: Batch,
    topic: number,
    gap: {
      readonly chain: Uint8Array
      readonly inc: number
      readonly from: number
      readonly to: number
    },
    link: Link,
    evidence: Evidence[],
  ): Promise<void> {
    let from = gap.from
    while (from <= gap.to) {
      const { chain, inc, to } = gap
      let items: readonly DeliverItem[]
      try {
        const query = { kind: 'fetch-chain', chain, inc, from, to, fluPaths: false } as const
        items = (await link.request(query, 'fetched')).items
      } catch (error) {
        // Without a link nothing of this frame is kept, so that it comes again.
        if (isLinkTrouble(error) || !isRelayError(error)) throw error
        return
      }
      if (items.length === 0) return
      for (const item of items) {
        if (item.form === 'full') await this.#takeFull(batch, topic, item, link, evidence, false)
      }
      from += items.length
    }
  }

  async #open(
    batch: Batch,
    topic: number,
    item: FullItem,
    verified: VerifiedItem,
    chainRestarted: boolean,
    link: Link,
    evidence: Evidence[],
  ): Promise<void> {
    const { directory, epochs, acks, clock } = this.#deps
    const { ctx, core, member } = verified
    const from: RowSender = { dev: ctx.from, mem: member }
    const opened = await openItem(directory, epochs, item, verified)
    if (!opened.ok) {
      this.#collect(evidence, ctx.top, core, opened.error)
      return this.#undecryptable(batch, topic, item.cursor, opened.error.code, core, from)
    }
    const { body, schema, reportId, messageKey } = opened.value
    const slots = await this.#deps.slots.check(item, verified, messageKey, link)
    if (slots !== null) {
      this.#collect(evidence, ctx.top, core, { code: slots, messageKey, detail: 'slots' })
    }
    // Evidence has its own copy; nothing else needs the key any more.
    messageKey.fill(0)
    const conflict =
      reportId === null ? false : await this.#seenReport(batch, member, reportId, core, body)
    if (conflict === null) {
      // The same report of the same member in another envelope: acknowledged, not shown twice.
      return acks.add(batch, core, { kind: 'ok' })
    }
    const word: AckWord = slots === null ? { kind: 'ok' } : { kind: 'bad', code: slots }
    await acks.add(batch, core, word)
    await this.#row(batch, {
      kind: 'report',
      topic,
      cursor: item.cursor,
      t: clock(),
      core,
      from,
      body,
      schema: schema?.name ?? '',
      sealedAt: epochMs(ctx.t),
      hc: ctx.hc,
      senderSuspended: verified.suspendedAt !== null,
      chainRestarted,
      conflict,
    })
  }

  #collect(evidence: Evidence[], topic: number, core: Uint8Array, failure: OpenFailure): void {
    const { messageKey, code, detail } = failure
    if (messageKey !== null)
      evidence.push({ core, topic, messageKey: new Uint8Array(messageKey), code, detail })
  }

  /** @returns null when this very report was shown; otherwise whether another content has its name. */
  async #seenReport(
    batch: Batch,
    member: number,
    reportId: string,
    core: Uint8Array,
    body: Uint8Array,
  ): Promise<boolean | null> {
    const key = reportKey(member, reportId)
    const hash = sha256(body)
    const known = await batch.get('reports', key)
    if (known === null) {
      batch.put('reports', key, reportMark(core, hash))
      return false
    }
    const decoded = decodeCbor(known)
    if (!decoded.ok) throw new RelayError('store_unavailable', { field: 'reports' })
    const [, knownHash] = decoded.value as unknown as readonly [Uint8Array, Uint8Array]
    return equal(knownHash, hash) ? null : true
  }

  async #undecryptable(
    batch: Batch,
    topic: number,
    cursor: number,
    code: ErrorCode,
    core: Uint8Array | null,
    from: RowSender | null,
  ): Promise<void> {
    if (core !== null && !unacknowledged.has(code)) {
      await this.#deps.acks.add(batch, core, { kind: 'bad', code })
    }
    const t = this.#deps.clock()
    await this.#row(batch, { kind: 'undecryptable', topic, cursor, t, code, core, from })
  }

  async #gap(batch: Batch, topic: number, dev: number, from: number, to: number): Promise<void> {
    this.#gaps.push({ topic, device: dev, from, to })
    await this.#row(batch, { kind: 'gap', topic, cursor: 0, t: this.#deps.clock(), dev, from, to })
  }

  async #row(batch: Batch, row: InboxRow): Promise<void> {
    const arrival = (await this.#lastArrival()) + 1
    this.#arrival = arrival
    batch.put('inbox', numberKey(arrival), encodeRow(row))
  }

  async #lastArrival(): Promise<number> {
    this.#arrival ??= await this.newest()
    return this.#arrival
  }
}

const cursorKey = (topic: number): string => `cursor/${topic}`

/** Encodes a number as the store keeps it. */
const numberBytes = (n: number): Uint8Array => encodeCbor(n)
