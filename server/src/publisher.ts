import {
  type Clock,
  type Envelope,
  type ErrorCode,
  encodeReceipt,
  errorRow,
  type Receipt,
  toHex,
} from '@liaison/protocol'
import { type Identified, identify, refusedBytesHash } from './admission/identify.ts'
import { judge } from './admission/judge.ts'
import type { RejectAuditor } from './audit-reject.ts'
import type { DirectoryHost } from './directory/directory-host.ts'
import type { AcceptedPlace, AcceptOutcome, ChainHead, RelayLog } from './log/relay-log.ts'
import type { Metrics } from './metrics.ts'

/** Admissions of one envelope before the relay gives up on a directory that grows all the time. */
const fenceTriesMax = 8

/** Ways a started envelope can end. */
type Ending =
  | { readonly kind: 'accepted' | 'duplicate'; readonly place: AcceptedPlace }
  | { readonly kind: 'refused'; readonly code: ErrorCode; readonly head?: ChainHead | null }

interface Started {
  readonly item: Identified
  readonly ending: Promise<Ending>
}

/** What became of one envelope. */
export interface Published {
  readonly receipt: Uint8Array
  /** Null when it was accepted. */
  readonly refused: ErrorCode | null
  readonly duplicate: boolean
}

/** The stages of a published envelope in their order: identify, look up, judge, append, receipt. */
export class Publisher {
  readonly #host: DirectoryHost
  readonly #log: RelayLog
  readonly #clock: Clock
  readonly #relayNumber: number
  readonly #rejects: RejectAuditor
  readonly #metrics: Metrics

  constructor(deps: {
    host: DirectoryHost
    log: RelayLog
    clock: Clock
    relayNumber: number
    rejects: RejectAuditor
    metrics: Metrics
  }) {
    this.#host = deps.host
    this.#log = deps.log
    this.#clock = deps.clock
    this.#relayNumber = deps.relayNumber
    this.#rejects = deps.rejects
    this.#metrics = deps.metrics
  }

  /**
   * Begins the envelopes of one frame in their order; the returned promise ends when each is durable
   * or refused. The outer promise ends when all have reached the log, so that a next frame may begin
   * without overtaking this one.
   */
  async begin(
    device: number,
    envelopes: readonly Envelope[],
  ): Promise<{ readonly done: Promise<Published[]> }> {
    const started: (Started | { readonly envelope: Envelope; readonly code: ErrorCode })[] = []
    for (const envelope of envelopes) {
      const item = identify(this.#host.directory.net, device, envelope)
      started.push(item.ok ? await this.#start(item.value) : { envelope, code: item.error })
    }
    return { done: this.#finish(device, started) }
  }

  /** Hands the envelope to the log, if it may go there; `ending` is left to be awaited later. */
  async #start(item: Identified): Promise<Started> {
    const found = await this.#log.find(item.chain, item.inc, item.ctx.seq)
    const ending = this.#lookedUp(item, found) ?? this.#append(item)
    // Handled here too: another envelope of the frame may fail first.
    ending.catch(() => undefined)
    return { item, ending }
  }

  #lookedUp(item: Identified, found: AcceptedPlace | null): Promise<Ending> | null {
    if (found === null) return null
    return Promise.resolve(
      toHex(found.core) === toHex(item.core)
        ? { kind: 'duplicate', place: found }
        : { kind: 'refused', code: 'seq_reused' },
    )
  }

  async #append(item: Identified): Promise<Ending> {
    for (let tries = 0; tries < fenceTriesMax; tries++) {
      const fence = this.#host.directory.size
      const now = this.#clock()
      const judged = judge(this.#host.directory, item, now)
      if (!judged.ok) return { kind: 'refused', code: judged.error }
      const { ctx, core, chain, inc, envelope } = item
      const began = performance.now()
      const outcome: AcceptOutcome = await this.#log.accept({
        fence,
        core,
        from: ctx.from,
        topic: ctx.top,
        chain,
        inc,
        seq: ctx.seq,
        prev: ctx.prev,
        id: ctx.id,
        t: now,
        envelope,
        slotLeaves: judged.value.slotLeaves,
      })
      if (outcome.kind === 'accepted') this.#metrics.appended(performance.now() - began)
      if (outcome.kind !== 'fence') return outcome
      // Another relay was first; without its entry every further try would end the same way.
      if (outcome.size > this.#host.directory.size) await this.#host.follow()
    }
    return { kind: 'refused', code: 'audience_stale' }
  }

  async #finish(
    device: number,
    started: readonly (Started | { readonly envelope: Envelope; readonly code: ErrorCode })[],
  ): Promise<Published[]> {
    const out: Published[] = []
    /** Chains of which an earlier envelope of this frame was refused. */
    const broken = new Set<string>()
    for (const one of started) {
      if ('code' in one) {
        out.push(await this.#refuse(device, one.code, refusedBytesHash(one.envelope), null, null))
        continue
      }
      const chain = toHex(one.item.chain)
      const ending = await one.ending
      if (ending.kind === 'refused') {
        const follows = broken.has(chain) && ending.code === 'seq_gap'
        broken.add(chain)
        const code = follows ? 'prev_rejected' : ending.code
        out.push(await this.#refuse(device, code, one.item.core, one.item, ending.head ?? null))
      } else {
        out.push(this.#accepted(one.item, ending.place, ending.kind === 'duplicate'))
      }
    }
    return out
  }

  #accepted(item: Identified, place: AcceptedPlace, duplicate: boolean): Published {
    const receipt: Receipt = {
      v: 1,
      rc: 0,
      rk: this.#relayNumber,
      d: duplicate ? 1 : 0,
      cid: place.core,
      t: place.t,
      ix: place.leaf.index,
      lh: place.leaf.hash,
      cur: place.cursor,
      ...names(item),
    }
    return { receipt: encodeReceipt(receipt), refused: null, duplicate }
  }

  async #refuse(
    device: number,
    code: ErrorCode,
    object: Uint8Array,
    item: Identified | null,
    head: ChainHead | null,
  ): Promise<Published> {
    const t = this.#clock()
    const leaf = await this.#rejects.record(device, code, object, t)
    const receipt: Receipt = {
      v: 1,
      rc: errorRow(code).n,
      rk: this.#relayNumber,
      d: 0,
      cid: object,
      t,
      ...(leaf === null ? {} : { ix: leaf.index, lh: leaf.hash }),
      ...(item === null ? { dev: device } : names(item)),
      ...(head === null ? {} : { head: [head.inc, head.seq, head.core] as const }),
    }
    return { receipt: encodeReceipt(receipt), refused: code, duplicate: false }
  }
}

const names = ({ ctx, chain, inc }: Identified) => ({
  id: ctx.id,
  dev: ctx.from,
  chain,
  inc,
  seq: ctx.seq,
})
