import type { Report } from '@liaison/schemas'
import { type KnownReport, KnownReports, type ThreadItem } from './known-reports.ts'
import { reactionsTo, standings } from './standing.ts'

/** One report that says the same, and where it has it from. */
export interface Support {
  readonly id: string
  readonly core: string
  readonly member: string
  /** Number of the source to which it traces; reports with one number count once. */
  readonly source: number
  /** It repeats a source that an earlier one stands for already. */
  readonly echo: boolean
}

/** On how many sources a report rests, however often it was repeated. */
export interface Corroboration {
  readonly id: string
  readonly core: string
  /** Independent sources, the report's own included. */
  readonly sources: number
  /** The report itself first, then those that confirm it, in the order of issue. */
  readonly support: readonly Support[]
  /** Core hashes of reports that contradict it. */
  readonly contradictedBy: readonly string[]
  /** Rings of reports that rest on one another, by core hash: circular reporting. */
  readonly circular: readonly (readonly string[])[]
  /** Reports on which some of these rest and that are not held here, so that nobody can say what they rest on. */
  readonly missing: readonly string[]
}

/**
 * Counts the sources of a report and of those that confirm it. Two reports have one source when they
 * trace to one report, quote the same public document, or name the same source of the same member. A
 * report that is not held counts as a source of its own, and is listed.
 *
 * @returns Null when the report is not held.
 */
export function corroborationOf(
  deliveries: readonly ThreadItem[],
  id: string,
): Corroboration | null {
  const reports = new KnownReports(deliveries)
  const about = reports.find(id)
  if (about === null) return null
  const standing = standings(reports)
  const { confirmedBy, contradictedBy } = reactionsTo(reports, about)
  const stands = (core: string): boolean => standing.get(core)?.state === 'current'
  const confirming = confirmedBy
    .filter(stands)
    .flatMap((core) => reports.find(core) ?? [])
    .filter(({ common }) => common.msgType !== 'cancel')
  const supporting = [about, ...confirming]
  const missing = new Set<string>()
  const groups = new Groups()
  for (const known of supporting) {
    const origins = originsOf(known, reports, missing)
    for (const origin of origins) groups.join(known.core, origin)
  }
  const numbers = new Map<string, number>()
  const support = supporting.map((known): Support => {
    const group = groups.of(known.core)
    const echo = numbers.has(group)
    const source = numbers.get(group) ?? numbers.size + 1
    numbers.set(group, source)
    return { id: known.common.id, core: known.core, member: known.member, source, echo }
  })
  return {
    id: about.common.id,
    core: about.core,
    sources: numbers.size,
    support,
    contradictedBy: contradictedBy.filter(stands),
    circular: ringsThrough(supporting, reports),
    missing: [...missing],
  }
}

/** Names of everything from which a report has what it says: reports, documents, sources. */
function originsOf(
  start: KnownReport,
  reports: KnownReports,
  missing: Set<string>,
): ReadonlySet<string> {
  const origins = new Set<string>()
  const seen = new Set<string>()
  const open = [start]
  for (let known = open.pop(); known !== undefined; known = open.pop()) {
    if (seen.has(known.core)) continue
    seen.add(known.core)
    origins.add(known.core)
    for (const name of ownSources(known)) origins.add(name)
    for (const { id, relation } of known.common.derivedFrom) {
      // Who confirms or contradicts has something of their own to say.
      if (relation === 'confirms' || relation === 'contradicts') continue
      const source = reports.find(id)
      if (source !== null) open.push(source)
      else {
        missing.add(id)
        origins.add(id)
      }
    }
  }
  return origins
}

function ownSources(known: KnownReport): readonly string[] {
  if (known.body === null || !('meta' in known.body) || !('title' in known.body)) return []
  const { grading, meta } = known.body as Report
  const documents = (meta.sources ?? []).map(
    ({ symbol, title, url }) => `document ${(symbol ?? url ?? title).trim().toLowerCase()}`,
  )
  const ref = grading?.sourceRef
  return ref === undefined ? documents : [...documents, `source ${known.member} ${ref}`]
}

/** Rings of derivation that pass through what supports the report or through its sources. */
function ringsThrough(
  supporting: readonly KnownReport[],
  reports: KnownReports,
): readonly (readonly string[])[] {
  const next = (known: KnownReport): readonly KnownReport[] =>
    known.common.derivedFrom
      .filter(({ relation }) => relation !== 'contradicts')
      .flatMap(({ id }) => reports.find(id) ?? [])
  const rings = new Map<string, readonly string[]>()
  const done = new Set<string>()
  const path: string[] = []
  const visit = (known: KnownReport): void => {
    const at = path.indexOf(known.core)
    if (at !== -1) {
      const ring = path.slice(at)
      rings.set([...ring].sort().join(' '), ring)
      return
    }
    if (done.has(known.core)) return
    path.push(known.core)
    for (const source of next(known)) visit(source)
    path.pop()
    done.add(known.core)
  }
  for (const known of supporting) visit(known)
  return [...rings.values()]
}

/** Names that belong together, however they were joined. */
class Groups {
  readonly #parents = new Map<string, string>()

  of(name: string): string {
    let at = name
    for (let up = this.#parents.get(at); up !== undefined; up = this.#parents.get(at)) at = up
    return at
  }

  join(a: string, b: string): void {
    const [left, right] = [this.of(a), this.of(b)]
    if (left !== right) this.#parents.set(right, left)
  }
}
