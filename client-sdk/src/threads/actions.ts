import type { Meeting } from '@liaison/schemas'
import { type ClockOptions, type Deadline, deadlineOf } from './deadline.ts'
import { bodyAs, type KnownReport, KnownReports, type ThreadItem } from './known-reports.ts'
import { recommendationsIn } from './recommendations.ts'
import { standings } from './standing.ts'
import { rootOf } from './thread-root.ts'

/** Something that a member has still to do. */
export interface OpenAction {
  readonly kind: 'meeting-action' | 'recommendation'
  /** Report that calls for it. */
  readonly id: string
  readonly core: string
  readonly owner: string
  readonly text: string
  /** Paragraph that calls for it, or null. */
  readonly ref: string | null
  readonly due: string | null
  readonly state: 'open' | 'under-way' | 'accepted'
  readonly deadline: Deadline
}

/** Whose actions, and the clock. */
export interface ActionOptions extends ClockOptions {
  /** Only those of this member. */
  readonly owner?: string
}

type MeetingAction = NonNullable<Meeting['actions']>[number]

/**
 * What members have still to do by the conclusions of meetings and the recommendations of missions:
 * first what is due first, then what has no date.
 */
export function openActions(
  deliveries: readonly ThreadItem[],
  options: ActionOptions,
): readonly OpenAction[] {
  const reports = new KnownReports(deliveries)
  const standing = standings(reports)
  const recommended = recommendationsIn(reports.all, reports, standing, options).flatMap(
    ({ state, deadline, core, due, id, owner, text }): readonly OpenAction[] =>
      state === 'closed' || state === 'rejected' || deadline === null
        ? []
        : [{ kind: 'recommendation', id, core, owner, text, ref: null, due, state, deadline }],
  )
  const current = reports.all.filter(
    (known) => standing.get(known.core)?.state === 'current' && known.common.msgType !== 'cancel',
  )
  return [...meetingActions(current, reports, options), ...recommended]
    .filter(({ owner }) => options.owner === undefined || owner === options.owner)
    .sort((a, b) => ((a.due ?? '9999') < (b.due ?? '9999') ? -1 : 1))
}

/**
 * An action has no number of its own: within one thread the same owner and paragraph, or without a
 * paragraph the same text, is the same action, and the latest message says how it stands.
 */
function meetingActions(
  current: readonly KnownReport[],
  reports: KnownReports,
  clock: ClockOptions,
): readonly OpenAction[] {
  const latest = new Map<string, { readonly known: KnownReport; readonly action: MeetingAction }>()
  for (const known of current) {
    for (const action of bodyAs(known, 'meeting')?.actions ?? []) {
      const key = JSON.stringify([rootOf(known, reports), action.owner, action.ref ?? action.text])
      const earlier = latest.get(key)
      // A message on progress need not repeat the date.
      const due = action.due ?? earlier?.action.due
      latest.set(key, {
        known: earlier?.known ?? known,
        action: due === undefined ? action : { ...action, due },
      })
    }
  }
  return [...latest.values()].flatMap(({ known, action }): readonly OpenAction[] => {
    const { due, owner, ref, state = 'open', text } = action
    if (state === 'done' || state === 'dropped') return []
    const { core, common } = known
    const deadline = deadlineOf(due, clock)
    const shown = { owner, text, ref: ref ?? null, due: due ?? null, state, deadline }
    return [{ kind: 'meeting-action', id: common.id, core, ...shown }]
  })
}
