import type { Report } from '@liaison/schemas'
import { v5 } from 'uuid'
import {
  actorsOf,
  type ExportedReport,
  type FoundActor,
  type FoundPlace,
  type LeftOut,
  placesOf,
  timeOf,
  titleOf,
} from './exported-report.ts'
import { caveatOf, type StixObject, type TlpEdition, tlpMarking } from './stix-markings.ts'

/** A STIX 2.1 bundle. */
export interface StixBundle {
  readonly type: 'bundle'
  readonly id: string
  readonly objects: readonly StixObject[]
}

/** How to export. */
export interface StixOptions {
  /** Edition of the Traffic Light Protocol; 1.0 for consumers that refuse 2.0. */
  readonly tlp?: TlpEdition
}

/** Namespace of our deterministic ids: exporting again gives the same objects, not new ones. */
const namespace = '7f1c2b0e-9d7c-5b0a-8a0f-2f6b4e2f8a51'

/** Founding day of the process, as the moment since when a member is known. */
const membersSince = '2013-03-17T00:00:00.000Z'

/** Types that stay in the network unless the person who exports writes another program. */
const notExported: ReadonlySet<string> = new Set([
  'capacity-need',
  'humanitarian-site',
  'meeting',
  'questionnaire',
])

const reportTypes: Readonly<Record<string, string>> = {
  spotrep: 'observed-data',
  seizure: 'observed-data',
  'actor-profile': 'threat-actor',
}

const idOf = (type: string, ...parts: readonly string[]): string =>
  `${type}--${v5(JSON.stringify([type, ...parts]), namespace)}`

/** Seconds become milliseconds: some consumers insist on three digits. */
const stixTime = (instant: string): string => new Date(instant).toISOString()

/**
 * Reports as STIX 2.1. Each becomes a `report` with the places, actors and measures that it names, and
 * a `note` with everything that STIX has no word for. Every object that is referred to is in the
 * bundle, every id follows from the report, and every object carries the marking.
 *
 * @returns The bundle, and the reports that are not exported with the reason.
 */
export function toStix(
  items: readonly ExportedReport[],
  { tlp = '2.0' }: StixOptions = {},
): { readonly bundle: StixBundle; readonly leftOut: readonly LeftOut[] } {
  const objects = new Map<string, StixObject>()
  const leftOut: LeftOut[] = []
  for (const { report } of items) {
    const { type, meta } = report
    if (notExported.has(type)) {
      leftOut.push({ id: meta.id, type, why: 'this type is not exported' })
      continue
    }
    for (const object of objectsOf(report, tlp)) objects.set(object.id, object)
  }
  const all = [...objects.values()]
  const id = idOf('bundle', ...all.map((object) => object.id).sort())
  return { bundle: { type: 'bundle', id, objects: all }, leftOut }
}

function objectsOf(report: Report, tlp: TlpEdition): readonly StixObject[] {
  const { meta } = report
  const author: StixObject = {
    type: 'identity',
    spec_version: '2.1',
    id: idOf('identity', meta.originator),
    created: membersSince,
    modified: membersSince,
    name: meta.originator,
    identity_class: 'organization',
  }
  const markings = [tlpMarking(meta.handling.tlp, tlp), ...statementOf(report)]
  const base = {
    spec_version: '2.1',
    created_by_ref: author.id,
    created: stixTime(meta.issued),
    modified: stixTime(meta.issued),
    lang: meta.lang,
    object_marking_refs: markings.map(({ id }) => id),
  } as const
  const name = [meta.originator, meta.id] as const
  const make = (type: string, pointer: string, properties: object): StixObject => ({
    type,
    ...base,
    id: idOf(type, ...name, pointer),
    ...properties,
  })
  const places = placesOf(report).map((place) => make('location', place.pointer, location(place)))
  const actors = actorsOf(report).map((actor) => actorObject(make, actor))
  const own = ownObjects(make, report)
  const sightings = sightingsOf(make, report, actors, places)
  const named = [...places, ...actors, ...own, ...sightings]
  const noteId = idOf('note', ...name, '')
  const main = make('report', '', {
    name: titleOf(report),
    description: report.summary,
    published: stixTime(meta.issued),
    report_types: [reportTypes[report.type] ?? 'threat-report'],
    ...confidenceOf(report),
    labels: [report.type, meta.status, meta.precedence],
    external_references: [
      { source_name: 'liaison', external_id: meta.id },
      ...(meta.sources ?? []).map(({ title, publisher, url }) => ({
        source_name: publisher ?? title,
        description: title,
        ...(url === undefined ? {} : uriOf(url)),
      })),
    ],
    object_refs: [...named.map(({ id }) => id), noteId],
  })
  const note = make('note', '', {
    abstract: `${report.type} ${meta.id}: what STIX has no word for`,
    content: JSON.stringify(restOf(report), null, 2),
    authors: [meta.originator],
    object_refs: [main.id],
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

type Make = (type: string, pointer: string, properties: object) => StixObject

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

function location(place: FoundPlace): object {
  const { country, subdivision, name, geometry, errorMetres } = place
  const [longitude, latitude] =
    geometry?.type === 'Point' ? (geometry.coordinates as readonly number[]) : []
  return {
    name: name ?? subdivision ?? country,
    country,
    ...(subdivision === undefined ? {} : { administrative_area: subdivision }),
    ...(latitude === undefined || longitude === undefined ? {} : { latitude, longitude }),
    // Only together with coordinates may a precision be given.
    ...(latitude === undefined || errorMetres === undefined ? {} : { precision: errorMetres }),
  }
}

/** States and civilians are no threat actors, whatever part they played. */
function actorObject(make: Make, { pointer, name, kind }: FoundActor): StixObject {
  if (kind === 'state-force') {
    return make('identity', pointer, { name, identity_class: 'organization' })
  }
  if (kind === 'civilian') return make('identity', pointer, { name, identity_class: 'class' })
  const type = kind === 'criminal' || kind === 'network' ? 'crime-syndicate' : 'unknown'
  return make('threat-actor', pointer, { name, threat_actor_types: [type] })
}

/** What a report is, beside being a report. */
function ownObjects(make: Make, report: Report): readonly StixObject[] {
  switch (report.type) {
    case 'spotrep': {
      const { from } = timeOf(report)
      const description = `${report.summary} (${from})`
      return [make('incident', '', { name: titleOf(report), description })]
    }
    case 'border-measure':
      return [make('course-of-action', '', { name: titleOf(report), description: report.summary })]
    case 'actor-profile': {
      const [first, ...aliases] = report.names.map(({ name }) => name)
      const { firstSeen, lastSeen, kind } = report
      const type = kind === 'criminal' || kind === 'network' ? 'crime-syndicate' : 'unknown'
      return [
        make('threat-actor', '', {
          name: first,
          ...(aliases.length === 0 ? {} : { aliases }),
          threat_actor_types: [type],
          ...(firstSeen === undefined ? {} : { first_seen: stixTime(firstSeen) }),
          ...(lastSeen === undefined ? {} : { last_seen: stixTime(lastSeen) }),
        }),
      ]
    }
    default:
      return []
  }
}

/** Where and when a spot report saw which threat actor. */
function sightingsOf(
  make: Make,
  report: Report,
  actors: readonly StixObject[],
  places: readonly StixObject[],
): readonly StixObject[] {
  if (report.type !== 'spotrep') return []
  const { from, to } = timeOf(report)
  return actors
    .filter(({ type }) => type === 'threat-actor')
    .map((actor, i) =>
      make('sighting', `sighting/${i}`, {
        sighting_of_ref: actor.id,
        ...(places.length === 0 ? {} : { where_sighted_refs: places.map(({ id }) => id) }),
        first_seen: stixTime(from),
        last_seen: stixTime(to ?? from),
        count: 1,
      }),
    )
}

/** Everything but what the objects say already. */
function restOf(report: Report): Readonly<Record<string, unknown>> {
  const said = new Set(['type', 'version', 'title', 'summary', 'meta', 'x'])
  return Object.fromEntries(
    Object.entries(report as unknown as Readonly<Record<string, unknown>>).filter(
      ([key]) => !said.has(key),
    ),
  )
}
