import { creditBytes } from '@liaison/protocol'
import type { Link, Unasked } from './link.ts'
import { OwedCredit } from './owed-credit.ts'

/** Frames that a subscription brings. */
export type SubscribedFrame = Extract<Unasked, { kind: 'deliver' | 'acks' }>

/** Takes in frames one after the other and gives credit back when they are kept. */
export class DeliveryQueue {
  #last: Promise<unknown> = Promise.resolve()
  /** Credit of the present connection, by subscription. */
  #owed: { readonly link: Link | null; readonly subs: Map<number, OwedCredit> } = {
    link: null,
    subs: new Map(),
  }

  /** Takes a frame in behind all earlier ones. @returns once it is kept. */
  add(link: Link, frame: SubscribedFrame, take: () => Promise<void>): Promise<void> {
    const { sub } = frame
    const owed = this.#owedBy(link, sub)
    owed.arrived()
    const mine = this.#last.then(take).then(() => {
      const grant = owed.taken(creditOf(frame))
      if (grant !== null) link.send({ kind: 'credit', sub, ...grant })
    })
    this.#last = mine.catch(() => undefined)
    return mine
  }

  /** Resolves when nothing is being taken in. */
  async idle(): Promise<void> {
    await this.#last
  }

  /** What a subscription of this connection owes. */
  #owedBy(link: Link, sub: number): OwedCredit {
    if (this.#owed.link !== link) this.#owed = { link, subs: new Map() }
    let owed = this.#owed.subs.get(sub)
    if (owed === undefined) {
      owed = new OwedCredit()
      this.#owed.subs.set(sub, owed)
    }
    return owed
  }
}

/** What a frame took of the credit, as the relay counts it. */
function creditOf(frame: SubscribedFrame): number {
  if (frame.kind === 'acks') return frame.items.reduce((sum, i) => sum + i.ack.length + 80, 0)
  return frame.items.reduce((sum, item) => sum + creditBytes(item), 0)
}
