import { bodyAs, type KnownReport, type KnownReports } from './known-reports.ts'

/** Whether a report still stands. */
export interface Standing {
  readonly state: 'current' | 'superseded' | 'cancelled'
  /** Core hash of the newest report that replaced or withdrew it, or null. */
  readonly by: string | null
}

const current: Standing = { state: 'current', by: null }

/**
 * Which reports were replaced or withdrawn. Only the member that issued a report can replace it, by a
 * later report of the same type; what anybody else writes about it is a contradiction at most.
 *
 * @returns Standing by core hash.
 */
export function standings(reports: KnownReports): ReadonlyMap<string, Standing> {
  const found = new Map(reports.all.map(({ core }): [string, Standing] => [core, current]))
  // In the order of issue, so that the newest has the last word.
  for (const newer of reports.all) {
    const { msgType, references, type } = newer.common
    if (msgType === 'alert') continue
    for (const reference of references) {
      const older = reports.find(reference)
      if (older === null || older.core === newer.core) continue
      const own = older.member === newer.member && older.common.type === type
      if (!own || older.issued > newer.issued) continue
      found.set(older.core, {
        state: msgType === 'cancel' ? 'cancelled' : 'superseded',
        by: newer.core,
      })
    }
  }
  return found
}

/** Core hash of the version that stands now for a report. */
export function newestOf(core: string, standing: ReadonlyMap<string, Standing>): string {
  let newest = core
  // A newer version was issued later, or at the same moment by a sender who wants a ring.
  for (let steps = 0; steps < standing.size; steps += 1) {
    const by = standing.get(newest)?.by ?? null
    if (by === null) break
    newest = by
  }
  return newest
}

/** Core hashes of the reports that confirm and that contradict one. */
export interface Reactions {
  readonly confirmedBy: readonly string[]
  readonly contradictedBy: readonly string[]
}

/** Who says about a report that it is so, or that it is not: by a report or by feedback. */
export function reactionsTo(reports: KnownReports, about: KnownReport): Reactions {
  const withRelation = (relation: 'confirms' | 'contradicts'): readonly string[] =>
    reports.all.filter((other) => says(reports, other, relation, about)).map(({ core }) => core)
  return {
    confirmedBy: withRelation('confirms'),
    contradictedBy: withRelation('contradicts'),
  }
}

function says(
  reports: KnownReports,
  other: KnownReport,
  relation: 'confirms' | 'contradicts',
  about: KnownReport,
): boolean {
  if (other.core === about.core) return false
  const feedback = bodyAs(other, 'feedback')
  if (feedback !== null) {
    return feedback.kind === relation && reports.find(feedback.about)?.core === about.core
  }
  return other.common.derivedFrom.some(
    (source) => source.relation === relation && reports.find(source.id)?.core === about.core,
  )
}
