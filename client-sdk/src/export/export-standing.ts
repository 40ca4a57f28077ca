import type { Report } from '@liaison/schemas'
import type { ExportedReport } from './exported-report.ts'

/** Whether what a report says still stands, as far as the exported reports tell. */
export interface ExportStanding {
  /** A `withdrawal` is the message that withdraws; what it names is `withdrawn`. */
  readonly state: 'current' | 'superseded' | 'withdrawn' | 'withdrawal'
  /** Since when, or null for what is current. */
  readonly since: string | null
}

/**
 * What became of each report. Only the member that issued one can replace or withdraw it, by a later
 * report of the same type.
 */
export function standingsIn(items: readonly ExportedReport[]): (report: Report) => ExportStanding {
  const byName = new Map<string, Report>()
  for (const { report, core } of items) {
    byName.set(report.meta.id, report)
    if (core !== undefined) byName.set(core, report)
  }
  const found = new Map<Report, ExportStanding>()
  const issued = (report: Report): number => Date.parse(report.meta.issued)
  const inOrder = items.map(({ report }) => report).sort((a, b) => issued(a) - issued(b))
  for (const newer of inOrder) {
    const { msgType, originator, references } = newer.meta
    if (msgType === 'alert') continue
    for (const reference of references) {
      const older = byName.get(reference)
      if (older === undefined || older === newer) continue
      const own = older.meta.originator === originator && older.type === newer.type
      if (!own || issued(older) > issued(newer)) continue
      const state = msgType === 'cancel' ? 'withdrawn' : 'superseded'
      found.set(older, { state, since: newer.meta.issued })
    }
    if (msgType === 'cancel') found.set(newer, { state: 'withdrawal', since: newer.meta.issued })
  }
  return (report) => found.get(report) ?? { state: 'current', since: null }
}

/** What a table or a map says of a report beside its content: handling, validity and standing. */
export function aboutReport(
  report: Report,
  { state }: ExportStanding,
): Readonly<Record<string, string | boolean | readonly string[]>> {
  const { handling, msgType, references, thread, validUntil } = report.meta
  return {
    msgType,
    standing: state,
    references,
    ...(thread === undefined ? {} : { thread }),
    ...(validUntil === undefined ? {} : { validUntil }),
    tlp: handling.tlp,
    orcon: handling.orcon === true,
    releasableTo: handling.releasableTo ?? [],
    ...(handling.use === undefined ? {} : { use: handling.use }),
    ...(handling.caveat === undefined ? {} : { caveat: handling.caveat }),
  }
}
