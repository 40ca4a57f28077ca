import type { DeliverItem } from '@liaison/protocol'
import type { StagedItem } from '../outbox/outbox.ts'
import type { Link } from '../session/link.ts'
import { Batch } from '../store/batch.ts'
import { InboxRows } from './inbox-rows.ts'
import type { Evidence, InboxGap, IntakeDeps } from './intake.ts'

/** What the inbox needs. */
export interface InboxDeps extends Omit<IntakeDeps, 'rows'> {
  /** Readies the notice that tells the FLU of evidence; null when there is none, or it is there already. */
  readonly noticeOf: (evidence: Evidence) => StagedItem | null
  /** Called after rows were kept, with the number of the newest. */
  readonly onRows: (arrival: number) => void
  /** Called after a gap was kept. */
  readonly onGap: (gap: InboxGap) => void
}

/**
 * Everything that reached this device, exactly once: an item, the cursor behind it, its place in the
 * sender's chain, the acknowledgement about it and the notice of what is wrong with it are written in
 * one step.
 */
export class Inbox {
  readonly rows: InboxRows
  readonly #deps: InboxDeps

  constructor(deps: InboxDeps) {
    this.#deps = deps
    this.rows = new InboxRows(deps.store)
  }

  /**
   * Takes in the items of one deliver frame. Frames are given one after the other. Whether an item is
   * new is decided by its sender's chain, never by its cursor: a relay that repeats, reorders or
   * invents cursors hides nothing. The cursor only moves over places that were told without a hole.
   */
  async take(topic: number, items: readonly DeliverItem[], link: Link): Promise<void> {
    const { rows } = this
    // With the validators, which opening needs too, the part that a page loads once something comes.
    const { Intake } = await import('./intake.ts')
    const batch = new Batch(this.#deps.store)
    const intake = new Intake({ ...this.#deps, rows }, { batch, topic, link })
    const before = await rows.lastArrival()
    let cursor = await rows.cursor(topic)
    const inOrder = [...items].sort((a, b) => a.cursor - b.cursor)
    let notices: readonly StagedItem[] = []
    try {
      for (const item of inOrder) {
        await intake.take(item)
        const end = item.form === 'skip' ? item.to : item.cursor
        if (item.cursor <= cursor + 1) cursor = Math.max(cursor, end)
      }
      rows.moveCursor(batch, topic, cursor)
      notices = this.#stageNotices(batch, intake.evidence)
      await batch.commit()
    } catch (error) {
      rows.dropUnwritten()
      throw error
    }
    for (const notice of notices) notice.kept()
    this.#deps.acks.schedule(link)
    for (const gap of intake.gaps) this.#deps.onGap(gap)
    const newest = await rows.lastArrival()
    if (newest > before) this.#deps.onRows(newest)
  }

  /** A fault is told as surely as the item is kept: after a crash nobody would find it again. */
  #stageNotices(batch: Batch, evidence: readonly Evidence[]): readonly StagedItem[] {
    return evidence.flatMap((one) => {
      const staged = this.#deps.noticeOf(one)
      if (staged === null) return []
      const { table, key, value } = staged.change
      batch.put(table, key, value)
      return [staged]
    })
  }
}
