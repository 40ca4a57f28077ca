import type { HistoryEvent } from '../history.ts'

/** What became of one attempt to publish. */
export interface Attempt {
  readonly id: string
  readonly dev: number
  readonly begun: number
  core: string | undefined
  ended: {
    readonly t: number
    readonly type: 'ok' | 'fail' | 'info'
    readonly code?: string
  } | null
  ix: number | undefined
  cur: number | undefined
}

/** Something that a device showed. */
export interface Shown {
  readonly t: number
  readonly dev: number
  readonly proc: string
  readonly id: string
  readonly core: string
  readonly kind: string
}

/** An entry of the log at the end. */
export interface Entry {
  readonly core: string
  readonly id: string
  readonly dev: number
  readonly cur: number
  readonly ix: number
  readonly chain: string
  readonly seq: number
  readonly audience: readonly number[]
  /** A device says that it cannot open another one's envelope. */
  readonly isNotice: boolean
}

/** A time in which a device was out, ns. */
export interface Out {
  readonly from: number
  to: number
}

/** A fault, and when it was over; what went wrong with it, if it never was. */
export interface Fault {
  readonly kind: string
  readonly begun: number
  healed: number | null
  problem: string
}

/** Everything that the rules look at, gathered in one pass over one network's history. */
export class Facts {
  readonly attempts = new Map<string, Attempt>()
  readonly endings: HistoryEvent[] = []
  readonly shown: Shown[] = []
  readonly gaps: HistoryEvent[] = []
  readonly sends = new Map<number, HistoryEvent[]>()
  readonly reads = new Map<number, HistoryEvent[]>()
  readonly outs = new Map<number, Out[]>()
  readonly faults: Fault[] = []
  readonly log = new Map<string, Entry>()
  readonly twiceInLog: string[] = []
  /** Leaves of accepted reports. */
  readonly leaves: HistoryEvent[] = []
  /** Leaves of directory entries. */
  readonly entryLeaves: HistoryEvent[] = []
  /** What a directory entry says about a device, by its index. */
  readonly statements = new Map<
    number,
    { readonly op: 'suspend' | 'resume'; readonly dev: number }
  >()
  readonly sizes: HistoryEvent[] = []
  readonly again: HistoryEvent[] = []
  readonly scans: HistoryEvent[] = []
  readonly samples: HistoryEvent[] = []
  readonly refusals: HistoryEvent[] = []
  quiesce: HistoryEvent | null = null
  readonly #audiences = new Map<string, readonly number[]>()
  readonly #open = new Map<string, Fault>()

  constructor(events: readonly HistoryEvent[]) {
    for (const event of events) this.#take(event)
  }

  #take(event: HistoryEvent): void {
    const { dev = 0, op, type } = event
    if (op === 'publish') this.#publish(event)
    else if (op === 'show') this.#show(event)
    else if (op === 'fault') this.#fault(event)
    else if (op === 'log') this.#entry(event)
    else if (op === 'audience') this.#audiences.set(event.id, event.devs ?? [])
    else if (op === 'quiesce') this.quiesce = event
    else if (op === 'leaf') this.#leaf(event)
    else if (op === 'suspend' && type === 'ok') {
      this.#statement(op, event)
      const outs = this.#of(this.outs, dev)
      // Said twice, it counts from the first time.
      if (outs.at(-1)?.to !== Number.POSITIVE_INFINITY) {
        outs.push({ from: event.t, to: Number.POSITIVE_INFINITY })
      }
    } else if (op === 'resume' && type === 'invoke') {
      const last = this.outs.get(dev)?.at(-1)
      if (last !== undefined) last.to = Math.min(last.to, event.t)
    } else if (op === 'resume' && type === 'ok') this.#statement(op, event)
    else if (op === 'send') this.#of(this.sends, dev).push(event)
    else if (op === 'read') this.#of(this.reads, dev).push(event)
    else this.#plain(op)?.push(event)
  }

  #plain(op: HistoryEvent['op']): HistoryEvent[] | undefined {
    const lists: Partial<Record<HistoryEvent['op'], HistoryEvent[]>> = {
      gap: this.gaps,
      sizes: this.sizes,
      again: this.again,
      scan: this.scans,
      sample: this.samples,
      refusal: this.refusals,
    }
    return lists[op]
  }

  #of<T>(map: Map<number, T[]>, dev: number): T[] {
    const known = map.get(dev) ?? []
    map.set(dev, known)
    return known
  }

  #leaf(event: HistoryEvent): void {
    if (event.id === 'directory') this.entryLeaves.push(event)
    else this.leaves.push(event)
  }

  #statement(op: 'suspend' | 'resume', { ix, dev = 0 }: HistoryEvent): void {
    if (ix !== undefined) this.statements.set(ix, { op, dev })
  }

  #show({ t, dev = 0, proc, id, core = '', kind = 'report' }: HistoryEvent): void {
    this.shown.push({ t, dev, proc, id, core, kind })
  }

  #publish(event: HistoryEvent): void {
    const { id, t, type, core, ix, cur, code } = event
    if (type === 'invoke') {
      const dev = event.dev ?? 0
      this.attempts.set(id, { id, dev, begun: t, core, ended: null, ix: undefined, cur: undefined })
      return
    }
    this.endings.push(event)
    const attempt = this.attempts.get(id)
    // An unknown outcome may become known later, by asking again; what is known stays.
    if (attempt === undefined || (attempt.ended !== null && attempt.ended.type !== 'info')) return
    attempt.ended = { t, type, ...(code === undefined ? {} : { code }) }
    attempt.core = core ?? attempt.core
    attempt.ix = ix ?? attempt.ix
    attempt.cur = cur ?? attempt.cur
  }

  #fault({ id, kind = '', type, t, detail = '' }: HistoryEvent): void {
    if (type === 'invoke') {
      const fault: Fault = { kind, begun: t, healed: null, problem: '' }
      this.faults.push(fault)
      this.#open.set(id, fault)
      return
    }
    const fault = this.#open.get(id)
    if (fault === undefined) return
    if (type === 'ok') fault.healed = t
    else fault.problem = detail
  }

  #entry(event: HistoryEvent): void {
    const { core = '', id, dev = 0, cur = 0, ix = -1, chain = '', seq = 0 } = event
    if (this.log.has(core)) this.twiceInLog.push(core)
    const isNotice = event.detail === 'notice'
    const audience = this.#audiences.get(event.kind ?? '') ?? []
    this.log.set(core, { core, id, dev, cur, ix, chain, seq, audience, isNotice })
  }
}
