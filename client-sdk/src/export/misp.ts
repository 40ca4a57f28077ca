import type { Report } from '@liaison/schemas'
import { v5 } from 'uuid'
import {
  type ExportedReport,
  type FoundPlace,
  placesOf,
  timeOf,
  titleOf,
} from './exported-report.ts'
import { caveatOf } from './stix-markings.ts'

/** Namespace of our deterministic ids in MISP. */
const namespace = 'b0d1f9a2-5a55-5a0e-9a53-3a7a1d4c6e10'

const uuidOf = (...parts: readonly string[]): string => v5(JSON.stringify(parts), namespace)

const unixTime = (instant: string): string => String(Math.floor(Date.parse(instant) / 1000))

/** Template of MISP's `geolocation` object, as the public collection of templates has it. */
const geolocation = { uuid: 'fdd30d5f-6752-45ed-bef2-25e8ce4d8a3', version: '3' } as const

const threatLevels: Readonly<Record<string, string>> = {
  flash: '1',
  immediate: '1',
  priority: '2',
  routine: '3',
}

/**
 * Reports as a MISP feed: a folder that a MISP instance polls or reads from a stick. File name to text;
 * one event for each report, with the narrative as an event report, grading and marking as tags, and
 * places as `geolocation` objects. Events are not published and stay with the own organisation.
 */
export function toMispFeed(items: readonly ExportedReport[]): ReadonlyMap<string, string> {
  const files = new Map<string, string>()
  const manifest: Record<string, object> = {}
  for (const { report } of items) {
    const event = eventOf(report)
    const { uuid, info, date, timestamp, threat_level_id, analysis, Orgc, Tag } = event
    manifest[uuid] = { info, date, timestamp, threat_level_id, analysis, Orgc, Tag }
    files.set(`${uuid}.json`, `${JSON.stringify({ Event: event }, null, 2)}\n`)
  }
  files.set('manifest.json', `${JSON.stringify(manifest, null, 2)}\n`)
  // There are no attributes outside objects, so nothing is to be found by its hash.
  files.set('hashes.csv', '')
  return files
}

function eventOf(report: Report) {
  const { meta } = report
  const uuid = uuidOf(meta.originator, meta.id)
  return {
    uuid,
    info: titleOf(report),
    date: timeOf(report).from.slice(0, 10),
    timestamp: unixTime(meta.issued),
    threat_level_id: threatLevels[meta.precedence] ?? '4',
    analysis: '2',
    distribution: '0',
    published: false,
    Orgc: { name: meta.originator, uuid: uuidOf('member', meta.originator) },
    Tag: tagsOf(report).map((name) => ({ name })),
    Attribute: [],
    Object: placesOf(report).map((place) => ({
      uuid: uuidOf(uuid, place.pointer),
      name: 'geolocation',
      'meta-category': 'misc',
      template_uuid: geolocation.uuid,
      template_version: geolocation.version,
      timestamp: unixTime(meta.issued),
      distribution: '5',
      Attribute: attributesOf(uuid, place, unixTime(meta.issued)),
    })),
    EventReport: [
      {
        uuid: uuidOf(uuid, 'report'),
        name: titleOf(report),
        content: narrativeOf(report),
        distribution: '5',
        timestamp: unixTime(meta.issued),
        deleted: false,
      },
    ],
  }
}

function tagsOf(report: Report): readonly string[] {
  const { meta } = report
  const grading = 'grading' in report ? report.grading : undefined
  return [
    `tlp:${meta.handling.tlp.toLowerCase()}`,
    `liaison:type="${report.type}"`,
    `liaison:status="${meta.status}"`,
    ...(grading === undefined
      ? []
      : [
          `admiralty-scale:source-reliability="${grading.source.toLowerCase()}"`,
          `admiralty-scale:information-credibility="${grading.information}"`,
        ]),
  ]
}

function attributesOf(event: string, place: FoundPlace, timestamp: string): readonly object[] {
  const [longitude, latitude] =
    place.geometry?.type === 'Point' ? (place.geometry.coordinates as readonly number[]) : []
  const values: readonly (readonly [string, string, string | number | undefined])[] = [
    ['country', 'text', place.country],
    ['region', 'text', place.subdivision],
    ['text', 'text', descriptionOf(place)],
    ['latitude', 'float', latitude],
    ['longitude', 'float', longitude],
  ]
  return values
    .filter(([, , value]) => value !== undefined)
    .map(([relation, type, value]) => ({
      uuid: uuidOf(event, place.pointer, relation),
      type,
      category: 'Other',
      object_relation: relation,
      value: String(value),
      to_ids: false,
      disable_correlation: false,
      distribution: '5',
      timestamp,
    }))
}

/** Name and exactness of a place; the template has no field for the latter. */
const descriptionOf = ({ name, precision, errorMetres }: FoundPlace): string =>
  [
    ...(name === undefined ? [] : [name]),
    `known to: ${precision}`,
    ...(errorMetres === undefined ? [] : [`within ${errorMetres} m`]),
  ].join('; ')

/** The whole report in Markdown: what an analyst reads. */
function narrativeOf(report: Report): string {
  const caveat = caveatOf(report)
  const body = Object.fromEntries(
    Object.entries(report as unknown as Readonly<Record<string, unknown>>).filter(
      ([key]) => !['type', 'version', 'title', 'summary', 'meta', 'x'].includes(key),
    ),
  )
  return [
    `# ${titleOf(report)}`,
    `TLP:${report.meta.handling.tlp}${caveat === null ? '' : `. ${caveat}`}`,
    report.summary,
    `Originator ${report.meta.originator}, issued ${report.meta.issued}, report ${report.meta.id}`,
    `\`\`\`json\n${JSON.stringify(body, null, 2)}\n\`\`\``,
  ].join('\n\n')
}
