import { bodyAs, type KnownReport, type KnownReports } from './known-reports.ts'

/**
 * Name of the conversation that a report belongs to: the id of its first report, which may not be
 * held here. A report says so itself, or follows the first report to which it refers.
 */
export function rootOf(known: KnownReport, reports: KnownReports): string {
  const seen = new Set<string>()
  let at = known
  while (!seen.has(at.core)) {
    seen.add(at.core)
    const { id, references, thread } = at.common
    if (thread !== null && thread !== id) return thread
    const towards = firstKnown([...references, ...aboutOf(at)], reports)
    if (thread === id || towards === null) return id
    at = towards
  }
  // Reports that refer to each other in a ring: the one that was issued first names the conversation.
  const ring = reports.all.find(({ core }) => seen.has(core))
  return (ring ?? known).common.id
}

function firstKnown(references: readonly string[], reports: KnownReports): KnownReport | null {
  for (const reference of references) {
    const found = reports.find(reference)
    if (found !== null) return found
  }
  return null
}

function aboutOf(known: KnownReport): readonly string[] {
  const about = bodyAs(known, 'feedback')?.about ?? bodyAs(known, 'questionnaire')?.questionnaire
  return about === undefined ? [] : [about]
}
