import type { Assessment } from '@liaison/schemas'
import { type ClockOptions, type Deadline, deadlineOf } from './deadline.ts'
import { bodyAs, type KnownReport, type KnownReports } from './known-reports.ts'
import type { Standing } from './standing.ts'

type Recommendation = NonNullable<Assessment['recommendation']>

/** Why a statement about a recommendation was not followed. */
export type IgnoredReason = 'closed_without_evidence' | 'not_owner_nor_author'

/** A recommendation of an assessment mission and how it stands. */
export interface RecommendationView {
  readonly id: string
  readonly core: string
  readonly author: string
  readonly domain: Assessment['domain']
  readonly owner: string
  readonly text: string
  readonly due: string | null
  readonly state: Recommendation['state']
  /** Open, due or overdue; null once it is closed or rejected. */
  readonly deadline: Deadline | null
  readonly evidence: NonNullable<Recommendation['evidence']>
  /** Whether every report given as evidence is held here, so that it can be read. */
  readonly evidenceHeld: boolean
  /** Statements that were not followed, by core hash. */
  readonly ignored: readonly { readonly core: string; readonly reason: IgnoredReason }[]
}

/**
 * How the recommendations among some reports stand. The owner and the author report progress; a
 * closure counts only with evidence, whatever its message says.
 */
export function recommendationsIn(
  members: readonly KnownReport[],
  reports: KnownReports,
  standing: ReadonlyMap<string, Standing>,
  clock: ClockOptions,
): readonly RecommendationView[] {
  const assessments = members.filter(
    (known) =>
      known.common.type === 'assessment' &&
      known.common.msgType !== 'cancel' &&
      standing.get(known.core)?.state !== 'cancelled',
  )
  const rootOf = (known: KnownReport, steps = members.length): KnownReport => {
    if (
      bodyAs(known, 'assessment')?.kind === 'recommendation' &&
      known.common.msgType === 'alert'
    ) {
      return known
    }
    const earlier = known.common.references
      .map((reference) => reports.find(reference))
      .find((found) => found !== null && bodyAs(found, 'assessment')?.recommendation !== undefined)
    return earlier === null || earlier === undefined || steps === 0
      ? known
      : rootOf(earlier, steps - 1)
  }
  return assessments.flatMap((root) => {
    if (rootOf(root) !== root) return []
    const followed = assessments.filter((known) => known !== root && rootOf(known) === root)
    const view = viewOf(root, followed, reports, clock)
    return view === null ? [] : [view]
  })
}

function viewOf(
  root: KnownReport,
  later: readonly KnownReport[],
  reports: KnownReports,
  clock: ClockOptions,
): RecommendationView | null {
  const first = bodyAs(root, 'assessment')
  if (first?.recommendation === undefined) return null
  let now: Recommendation = proven(first.recommendation)
  const ignored: { readonly core: string; readonly reason: IgnoredReason }[] = []
  if (now !== first.recommendation) {
    ignored.push({ core: root.core, reason: 'closed_without_evidence' })
  }
  for (const known of later) {
    const said = bodyAs(known, 'assessment')?.recommendation
    if (said === undefined) continue
    if (known.member !== root.member && known.member !== now.owner) {
      ignored.push({ core: known.core, reason: 'not_owner_nor_author' })
    } else if (proven(said) !== said) {
      ignored.push({ core: known.core, reason: 'closed_without_evidence' })
    } else {
      // Who has to act, and by when, is for the author to say.
      now = known.member === root.member ? said : { ...now, ...progressOf(said) }
    }
  }
  const evidence = now.evidence ?? []
  const over = now.state === 'closed' || now.state === 'rejected'
  return {
    id: root.common.id,
    core: root.core,
    author: root.member,
    domain: first.domain,
    owner: now.owner,
    text: now.text,
    due: now.due ?? null,
    state: now.state,
    deadline: over ? null : deadlineOf(now.due, clock),
    evidence,
    evidenceHeld: evidence.every(
      ({ report }) => report === undefined || reports.find(report) !== null,
    ),
    ignored,
  }
}

const progressOf = (said: Recommendation): Pick<Recommendation, 'state' | 'evidence'> => ({
  state: said.state,
  ...(said.evidence === undefined ? {} : { evidence: said.evidence }),
})

/** The same, but open when it claims to be closed and shows nothing. */
const proven = (said: Recommendation): Recommendation =>
  said.state === 'closed' && (said.evidence ?? []).length === 0 ? { ...said, state: 'open' } : said
