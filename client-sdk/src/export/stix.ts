import type { Report } from '@liaison/schemas'
import { type ExportStanding, standingsIn } from './export-standing.ts'
import {
  actorsOf,
  type ExportedReport,
  type ExportOptions,
  type LeftOut,
  placesOf,
  titleOf,
} from './exported-report.ts'
import { selectForExport } from './selection.ts'
import { identity, idOf, membersSince, StixMaker, stixTime } from './stix-maker.ts'
import { caveatOf, type StixObject, type TlpEdition, tlpMarking } from './stix-markings.ts'
import { actorOf, type FindReport, locationOf, opinionsOf, ownObjects } from './stix-objects.ts'

/** A STIX 2.1 bundle. */
export interface StixBundle {
  readonly type: 'bundle'
  readonly id: string
  readonly objects: readonly StixObject[]
}

/** How to export. */
export interface StixOptions extends ExportOptions {
  /** Edition of the Traffic Light Protocol; 1.0 for consumers that refuse 2.0. */
  readonly tlp?: TlpEdition
}

const reportTypes: Readonly<Record<string, string>> = {
  spotrep: 'observed-data',
  seizure: 'observed-data',
  'actor-profile': 'threat-actor',
}

/**
 * Reports as STIX 2.1. Each becomes a `report` with the places, actors and measures that it names, and
 * a `note` with everything that STIX has no word for. Every object that is referred to is in the
 * bundle, every id follows from the report, and every object carries the marking. What was withdrawn is
 * revoked; docs/adr/0009-what-stix-can-say.md has the whole mapping.
 *
 * @returns The bundle, and the reports that are not exported with the reason.
 */
export function toStix(
  items: readonly ExportedReport[],
  { tlp = '2.0', ...options }: StixOptions = {},
): { readonly bundle: StixBundle; readonly leftOut: readonly LeftOut[] } {
  const objects = new Map<string, StixObject>()
  const { chosen, leftOut } = selectForExport(items, options)
  const standing = standingsIn(items)
  const named = new Map<string, Report>()
  for (const { report, core } of chosen) {
    named.set(report.meta.id, report)
    if (core !== undefined) named.set(core, report)
  }
  const find: FindReport = (reference) => named.get(reference)
  for (const { report } of chosen) {
    for (const object of objectsOf(report, { tlp, standing: standing(report), find })) {
      objects.set(object.id, object)
    }
  }
  const all = [...objects.values()]
  const id = idOf('bundle', ...all.map((object) => object.id).sort())
  return { bundle: { type: 'bundle', id, objects: all }, leftOut }
}

interface Surroundings {
  readonly tlp: TlpEdition
  readonly standing: ExportStanding
  readonly find: FindReport
}

function objectsOf(report: Report, { tlp, standing, find }: Surroundings): readonly StixObject[] {
  const { meta } = report
  const author = identity(meta.originator, 'organization')
  const markings = [tlpMarking(meta.handling.tlp, tlp), ...statementOf(report)]
  const marks = markings.map(({ id }) => id)
  const maker = new StixMaker(report, author.id, marks, standing)
  const places = placesOf(report).map((place) => locationOf(maker, place))
  const actors = actorsOf(report).map((actor) => actorOf(maker, actor))
  const own = ownObjects(maker, report, { places, actors, find })
  const named = [...places, ...actors, ...own, ...opinionsOf(maker, report, find)]
  const note = maker.make('note', '', {
    abstract: `${report.type} ${meta.id}: what STIX has no word for`,
    content: JSON.stringify(restOf(report, standing), null, 2),
    authors: [meta.originator],
    object_refs: [maker.make('report', '', {}).id],
  })
  const main = maker.make('report', '', {
    name: titleOf(report),
    description: report.summary,
    published: stixTime(meta.issued),
    report_types: [reportTypes[report.type] ?? 'threat-report'],
    ...confidenceOf(report),
    labels: [
      ...[report.type, meta.status, meta.precedence, meta.msgType],
      ...(standing.state === 'current' ? [] : [standing.state]),
    ],
    external_references: [
      { source_name: 'liaison', external_id: meta.id },
      ...(meta.sources ?? []).map(({ title, publisher, url }) => ({
        source_name: publisher ?? title,
        description: title,
        ...(url === undefined ? {} : uriOf(url)),
      })),
    ],
    object_refs: [...named.map(({ id }) => id), note.id],
  })
  return [author, ...markings, ...named, main, note]
}

/** Addresses in reports may have any letters (RFC 3987); STIX wants them escaped (RFC 3986). */
function uriOf(address: string): { readonly url?: string } {
  // The form of a report does not rule out an address that is none: its title stays.
  if (!URL.canParse(address)) return {}
  return {
    url: new URL(address).href.replace(/[^\w\-.~:/?#[\]@!$&'()*+,;=%]/g, encodeURIComponent),
  }
}

function statementOf(report: Report): readonly StixObject[] {
  const statement = caveatOf(report)
  if (statement === null) return []
  return [
    {
      type: 'marking-definition',
      spec_version: '2.1',
      id: idOf('marking-definition', statement),
      created: membersSince,
      definition_type: 'statement',
      definition: { statement },
    },
  ]
}

/** STIX grades information only; the reliability of the source must not be folded into it. */
function confidenceOf(report: Report): { readonly confidence?: number } {
  const grading = 'grading' in report ? report.grading : undefined
  const values = [undefined, 90, 70, 50, 30, 10, undefined]
  const confidence = grading === undefined ? undefined : values[grading.information]
  return confidence === undefined ? {} : { confidence }
}

/** Everything but what the objects say already; of what the report says about itself, how it stands. */
function restOf(report: Report, standing: ExportStanding): Readonly<Record<string, unknown>> {
  const said = new Set(['type', 'version', 'title', 'summary', 'meta', 'x'])
  const { handling, msgType, references, thread, validUntil } = report.meta
  return {
    meta: { msgType, references, thread, validUntil, handling, standing },
    ...Object.fromEntries(
      Object.entries(report as unknown as Readonly<Record<string, unknown>>).filter(
        ([key]) => !said.has(key),
      ),
    ),
  }
}
