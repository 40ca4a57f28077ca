import {
  type Clock,
  chainIdOf,
  coreHashOf,
  type DeliverItem,
  type Directory,
  type ErrorCode,
  envelopeKinds,
  epochMs,
  equal,
  isRelayError,
  RelayError,
  sha256,
  toHex,
} from '@liaison/protocol'
import { decodeCbor, encodeCbor } from '@liaison/protocol/internal'
import type { EpochKeys } from '../keys/epoch-keys.ts'
import type { PublicKeys } from '../keys/public-keys.ts'
import type { Random } from '../session/backoff.ts'
import type { Link } from '../session/link.ts'
import type { Batch } from '../store/batch.ts'
import type { ClientStore } from '../store/client-store.ts'
import { type AckQueue, type AckWord, isLinkTrouble } from './ack-queue.ts'
import { advanceChain, type ChainLink, judgeChain } from './chains.ts'
import type { NoticeProof, RowSender } from './inbox-row.ts'
import type { InboxRows } from './inbox-rows.ts'
import { judgeNotice } from './judge-notice.ts'
import { type OpenedItem, type OpenFailure, openItem, reportKey, reportMark } from './open-item.ts'
import { SlotChecker } from './slot-checker.ts'
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

/** What taking in needs. */
export interface IntakeDeps {
  readonly store: ClientStore
  readonly rows: InboxRows
  readonly directory: Directory
  readonly device: number
  readonly epochs: EpochKeys
  readonly acks: AckQueue
  readonly keys: PublicKeys
  readonly random: Random
  readonly clock: Clock
  /** Fetches directory entries that are still missing. */
  readonly syncDirectory: (link: Link) => Promise<void>
}

/** The frame that is taken in, and where everything of it is written. */
export interface IntakeFrame {
  readonly batch: Batch
  readonly topic: number
  readonly link: Link
}

/** A place of an item that stays closed, for the row that tells of it. */
interface ClosedItem {
  /** Name under which the fault is remembered. */
  readonly name: Uint8Array
  /** The same, once it is certain that it is the item's name. */
  readonly core: Uint8Array | null
  readonly from: RowSender | null
}

/** Takes the items of one frame into one batch: verified, put in their chain, opened, acknowledged. */
export class Intake {
  readonly #deps: IntakeDeps
  readonly #batch: Batch
  readonly #topic: number
  readonly #link: Link
  readonly #evidence: Evidence[] = []
  readonly #gaps: InboxGap[] = []
  readonly #slots: SlotChecker

  constructor(deps: IntakeDeps, { batch, topic, link }: IntakeFrame) {
    this.#deps = deps
    this.#batch = batch
    this.#topic = topic
    this.#link = link
    this.#slots = new SlotChecker(deps)
  }

  /** What senders did wrong, with the keys that prove it. */
  get evidence(): readonly Evidence[] {
    return this.#evidence
  }

  /** What stayed missing. */
  get gaps(): readonly InboxGap[] {
    return this.#gaps
  }

  /** Takes in one item. */
  async take(item: DeliverItem): Promise<void> {
    if (item.form === 'full') await this.#takeFull(item, true)
    else if (item.form === 'stub') {
      const name = coreHashOf(this.#deps.directory.net, item.ctx, item.seal)
      await this.#closed(item.cursor, 'expired', { name, core: null, from: null })
    }
  }

  async #takeFull(item: FullItem, mayFill: boolean): Promise<void> {
    const verified = await this.#verify(item)
    if ('code' in verified) return this.#refused(item, verified)
    const { ctx, core } = verified
    const chain = chainIdOf(this.#deps.directory.net, ctx)
    const place: ChainLink = { chain, inc: ctx.inc ?? 0, seq: ctx.seq, core, prev: ctx.prev }
    let verdict = await judgeChain(this.#batch, place)
    if (verdict.kind === 'repeated') return
    if (verdict.kind === 'gap' && mayFill) {
      await this.#fill({ ...verdict, chain, inc: place.inc })
      verdict = await judgeChain(this.#batch, place)
    }
    if (verdict.kind === 'gap') await this.#gap(ctx.from, verdict.from, verdict.to)
    if (verdict.kind === 'conflict') {
      const from = { dev: ctx.from, mem: verified.member }
      return this.#closed(item.cursor, 'chain_conflict', { name: core, core, from })
    }
    await this.#open(item, verified, verdict.kind === 'restarted')
    await advanceChain(this.#batch, place)
  }

  /** Verifies; when the sender knew a newer directory, this device catches up first. */
  async #verify(item: FullItem): Promise<VerifiedItem | VerifyFailure> {
    const { directory, device } = this.#deps
    const first = verifyItem(directory, device, this.#topic, item)
    if (first.ok) return first.value
    if (first.error.code !== 'directory_unknown') return first.error
    await this.#deps.syncDirectory(this.#link)
    const second = verifyItem(directory, device, this.#topic, item)
    return second.ok ? second.value : second.error
  }

  async #refused(item: FullItem, failure: VerifyFailure): Promise<void> {
    const device = failure.ctx === null ? null : this.#deps.directory.device(failure.ctx.from)
    const from = device === null ? null : { dev: device.num, mem: device.mem }
    const name = coreHashOf(this.#deps.directory.net, item.ctx, item.seal)
    await this.#closed(item.cursor, failure.code, { name, core: failure.core, from })
  }

  /** Keeps an item that has no place in a chain; the same fault of the same envelope is told once. */
  async #closed(cursor: number, code: ErrorCode, who: ClosedItem): Promise<void> {
    const key = `closed/${toHex(who.name)}/${code}`
    if ((await this.#batch.get('chains', key)) !== null) return
    this.#batch.put('chains', key, encodeCbor(cursor))
    await this.#undecryptable(cursor, code, who.core, who.from)
  }

  /** Asks the relay for the missing places of a chain and takes in what it has for this device. */
  async #fill(gap: {
    readonly chain: Uint8Array
    readonly inc: number
    readonly from: number
    readonly to: number
  }): Promise<void> {
    let from = gap.from
    while (from <= gap.to) {
      const { chain, inc, to } = gap
      let items: readonly DeliverItem[]
      try {
        const query = { kind: 'fetch-chain', chain, inc, from, to, fluPaths: false } as const
        items = (await this.#link.request(query, 'fetched')).items
      } catch (error) {
        // Without a link nothing of this frame is kept, so that it comes again.
        if (isLinkTrouble(error) || !isRelayError(error)) throw error
        return
      }
      if (items.length === 0) return
      for (const item of items) {
        if (item.form === 'full') await this.#takeFull(item, false)
      }
      from += items.length
    }
  }

  async #open(item: FullItem, verified: VerifiedItem, chainRestarted: boolean): Promise<void> {
    const { directory, epochs, acks, clock, rows } = this.#deps
    const { ctx, core, member } = verified
    const from: RowSender = { dev: ctx.from, mem: member }
    const opened = await openItem(directory, epochs, item, verified)
    if (!opened.ok) {
      this.#collect(verified, opened.error)
      return this.#undecryptable(item.cursor, opened.error.code, core, from)
    }
    const { body, schema, reportId, messageKey } = opened.value
    const slots = await this.#slots.check(item, verified, messageKey, this.#link)
    if (slots !== null) this.#collect(verified, { code: slots, messageKey, detail: 'slots' })
    // Evidence has its own copy; nothing else needs the key any more.
    messageKey.fill(0)
    const conflict = reportId === null ? false : await this.#seenReport(verified, reportId, body)
    if (conflict === null) {
      // The same report of the same member in another envelope: acknowledged, not shown twice.
      return acks.add(this.#batch, core, { kind: 'ok' })
    }
    const proof = await this.#proof(verified, opened.value)
    const bad = slots ?? (proof === 'not-proved' ? 'notice_unproved' : null)
    const word: AckWord = bad === null ? { kind: 'ok' } : { kind: 'bad', code: bad }
    await acks.add(this.#batch, core, word)
    await rows.append(this.#batch, {
      kind: 'report',
      topic: this.#topic,
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
      proof,
    })
  }

  /** Whether a notice proves what it says; null for everything that is none. */
  async #proof(verified: VerifiedItem, { parsed }: OpenedItem): Promise<NoticeProof | null> {
    if (verified.ctx.k !== envelopeKinds.violation) return null

    const { directory, device } = this.#deps
    return judgeNotice({ directory, device, slots: this.#slots }, verified.ctx, parsed, this.#link)
  }

  #collect({ ctx, core }: VerifiedItem, { messageKey, code, detail }: OpenFailure): void {
    if (messageKey === null) return
    const copy = new Uint8Array(messageKey)
    this.#evidence.push({ core, topic: ctx.top, messageKey: copy, code, detail })
  }

  /** @returns null when this very report was shown; otherwise whether another content has its name. */
  async #seenReport(
    { member, core }: VerifiedItem,
    reportId: string,
    body: Uint8Array,
  ): Promise<boolean | null> {
    const key = reportKey(member, reportId)
    const hash = sha256(body)
    const known = await this.#batch.get('reports', key)
    if (known === null) {
      this.#batch.put('reports', key, reportMark(core, hash))
      return false
    }
    const decoded = decodeCbor(known)
    if (!decoded.ok) throw new RelayError('store_unavailable', { field: 'reports' })
    const [, knownHash] = decoded.value as unknown as readonly [Uint8Array, Uint8Array]
    return equal(knownHash, hash) ? null : true
  }

  async #undecryptable(
    cursor: number,
    code: ErrorCode,
    core: Uint8Array | null,
    from: RowSender | null,
  ): Promise<void> {
    const { acks, clock, rows } = this.#deps
    if (core !== null && !unacknowledged.has(code)) {
      await acks.add(this.#batch, core, { kind: 'bad', code })
    }
    const base = { topic: this.#topic, cursor, t: clock() }
    await rows.append(this.#batch, { kind: 'undecryptable', ...base, code, core, from })
  }

  async #gap(dev: number, from: number, to: number): Promise<void> {
    const { clock, rows } = this.#deps
    this.#gaps.push({ topic: this.#topic, device: dev, from, to })
    const base = { topic: this.#topic, cursor: 0, t: clock() }
    await rows.append(this.#batch, { kind: 'gap', ...base, dev, from, to })
  }
}
