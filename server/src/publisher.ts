import {
  type Clock,
  type Envelope,
  type ErrorCode,
  encodeReceipt,
  envelopeSigningInput,
  errorRow,
  type Receipt,
  toHex,
} from '@liaison/protocol'
import { type Identified, identify, refusedBytesHash } from './admission/identify.ts'
import { judgeContent, judgeHeader } from './admission/judge.ts'
import type { RejectAuditor } from './audit-reject.ts'
import type { DirectoryHost } from './directory/directory-host.ts'
import type {
  AcceptedPlace,
  AcceptOutcome,
  ChainHead,
  RelayLog,
  StoredEnvelope,
} from './log/relay-log.ts'
import type { Metrics } from './metrics.ts'
import type { SignatureChecker } from './signatures/signature-checker.ts'

/** Admissions of one envelope before the relay gives up on a directory that grows all the time. */
const fenceTriesMax = 8

/** Ways a started envelope can end. */
type Ending =
  | { readonly kind: 'accepted' | 'duplicate'; readonly place: AcceptedPlace }
  | { readonly kind: 'refused'; readonly code: ErrorCode; readonly head?: ChainHead | null }

/** An envelope as far as it could be read. */
type Item = { readonly ok: true; readonly item: Identified } | NotIdentified

interface NotIdentified {
  readonly ok: false
  readonly envelope: Envelope
  readonly code: ErrorCode
}

/** What bytes and directory say of an envelope before the log is asked. */
type Judged =
  | { readonly ok: true; readonly fence: number; readonly slotLeaves: Uint8Array }
  | { readonly ok: false; readonly code: ErrorCode }

interface Started {
  readonly item: Identified
  readonly ending: Promise<Ending>
}

/** Hears of every accepted envelope after it is safe. */
type Accepted = (stored: StoredEnvelope, slots: Uint8Array) => void

/** Envelopes of one frame that are on their way. */
export interface Begun {
  /** Ends when all have reached the log: what is sent later cannot overtake them any more. */
  readonly reached: Promise<void>
  /** Ends when each is durable or refused. */
  readonly done: Promise<Published[]>
}

/** What became of one envelope. */
export interface Published {
  readonly receipt: Uint8Array
  /** Null when it was accepted. */
  readonly refused: ErrorCode | null
  readonly duplicate: boolean
}

/**
 * The stages of a published envelope in their order: identify, judge, signature, append, receipt. What
 * is refused is looked up first: a repeated envelope gets its first answer, whatever happened since.
 */
export class Publisher {
  readonly #host: DirectoryHost
  readonly #log: RelayLog
  readonly #clock: Clock
  readonly #relayNumber: number
  readonly #rejects: RejectAuditor
  readonly #metrics: Metrics
  readonly #signatures: SignatureChecker
  readonly #accepted: Accepted

  constructor(deps: {
    host: DirectoryHost
    log: RelayLog
    clock: Clock
    relayNumber: number
    rejects: RejectAuditor
    metrics: Metrics
    signatures: SignatureChecker
    accepted: Accepted
  }) {
    this.#host = deps.host
    this.#log = deps.log
    this.#clock = deps.clock
    this.#relayNumber = deps.relayNumber
    this.#rejects = deps.rejects
    this.#metrics = deps.metrics
    this.#signatures = deps.signatures
    this.#accepted = deps.accepted
  }

  /**
   * Begins the envelopes of one frame. Their signatures are checked side by side; they reach the log in
   * their order, and not before `after` has ended.
   */
  begin(device: number, envelopes: readonly Envelope[], after: Promise<void>): Begun {
    const items = envelopes.map((envelope): Item => {
      const identified = identify(this.#host.directory.net, device, envelope)
      if (!identified.ok) return { ok: false, envelope, code: identified.error }
      return { ok: true, item: identified.value }
    })
    const judged = items.map((item) => (item.ok ? this.#judge(item.item) : null))
    const started = this.#startAll(items, judged, after)
    return {
      reached: started.then(() => undefined),
      done: started.then((all) => this.#finish(device, all)),
    }
  }

  async #startAll(
    items: readonly Item[],
    judged: readonly (Promise<Judged> | null)[],
    after: Promise<void>,
  ): Promise<(Started | NotIdentified)[]> {
    await after
    const started: (Started | NotIdentified)[] = []
    for (const [at, item] of items.entries()) {
      const verdict = await judged[at]
      started.push(item.ok && verdict ? this.#start(item.item, verdict) : (item as NotIdentified))
    }
    return started
  }

  async #judge(item: Identified): Promise<Judged> {
    const { directory } = this.#host
    const fence = directory.size
    const header = judgeHeader(directory, item, this.#clock())
    if (!header.ok) return { ok: false, code: header.error }
    const { identityKey } = header.value
    const good = await this.#signatures.check({
      signature: item.envelope.sig,
      message: envelopeSigningInput(directory.net, identityKey, item.envelope),
      publicKey: identityKey,
    })
    if (!good) return { ok: false, code: 'signature_invalid' }
    const content = judgeContent(item)
    if (!content.ok) return { ok: false, code: content.error }
    return { ok: true, fence, slotLeaves: content.value }
  }

  /** Hands the envelope to the log in this very turn; `ending` is left to be awaited later. */
  #start(item: Identified, judged: Judged): Started {
    const ending = this.#end(item, judged)
    // Handled here too: another envelope of the frame may fail first.
    ending.catch(() => undefined)
    return { item, ending }
  }

  async #end(item: Identified, first: Judged): Promise<Ending> {
    let judged = first
    for (let tries = 0; judged.ok && tries < fenceTriesMax; tries++) {
      const outcome = await this.#append(item, judged)
      if (outcome.kind !== 'fence') return outcome
      // Another relay was first; without its entry every further try would end the same way.
      if (outcome.size > this.#host.directory.size) await this.#host.follow()
      judged = this.#judgeAgain(item, judged.slotLeaves)
    }
    return this.#refusedOrRepeated(item, judged.ok ? 'audience_stale' : judged.code)
  }

  /** Under a newer directory; signature and content cannot have changed. */
  #judgeAgain(item: Identified, slotLeaves: Uint8Array): Judged {
    const { directory } = this.#host
    const header = judgeHeader(directory, item, this.#clock())
    if (!header.ok) return { ok: false, code: header.error }
    return { ok: true, fence: directory.size, slotLeaves }
  }

  async #append(
    item: Identified,
    { fence, slotLeaves }: Extract<Judged, { ok: true }>,
  ): Promise<AcceptOutcome> {
    const { ctx, core, chain, inc, envelope } = item
    const began = performance.now()
    const outcome = await this.#log.accept({
      fence,
      core,
      from: ctx.from,
      topic: ctx.top,
      chain,
      inc,
      seq: ctx.seq,
      prev: ctx.prev,
      id: ctx.id,
      t: this.#clock(),
      envelope,
      slotLeaves,
    })
    if (outcome.kind === 'accepted') {
      this.#metrics.appended(performance.now() - began)
      const { topic, cursor, t } = outcome.place
      const { ctx: header, seal, sig, payload, slots } = envelope
      const stored = { topic, cursor, core, ctx: header, seal, sig, payload, slotLeaves, t }
      this.#accepted(stored, slots)
    }
    return outcome
  }

  async #refusedOrRepeated(item: Identified, code: ErrorCode): Promise<Ending> {
    const found = await this.#log.find(item.chain, item.inc, item.ctx.seq)
    if (found === null) return { kind: 'refused', code }
    return toHex(found.core) === toHex(item.core)
      ? { kind: 'duplicate', place: found }
      : { kind: 'refused', code: 'seq_reused' }
  }

  async #finish(
    device: number,
    started: readonly (Started | NotIdentified)[],
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
        out.push(this.#receiptOf(one.item, ending.place, ending.kind === 'duplicate'))
      }
    }
    return out
  }

  #receiptOf(item: Identified, place: AcceptedPlace, duplicate: boolean): Published {
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
