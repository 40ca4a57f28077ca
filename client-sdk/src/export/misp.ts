import type { Report } from '@liaison/schemas'
import { v5 } from 'uuid'
import { type ExportStanding, standingsIn } from './export-standing.ts'
import {
  type ExportedReport,
  type ExportOptions,
  type FoundPlace,
  placesOf,
  timeOf,
  titleOf,
} from './exported-report.ts'
import { selectForExport } from './selection.ts'
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
export function toMispFeed(
  items: readonly ExportedReport[],
  options: ExportOptions = {},
): ReadonlyMap<string, string> {
  const standing = standingsIn(items)
  const files = new Map<string, string>()
  const manifest: Record<string, object> = {}
  for (const { report } of selectForExport(items, options).chosen) {
    const event = eventOf(report, standing(report))
    const { uuid, info, date, timestamp, threat_level_id, analysis, Orgc, Tag } = event
    manifest[uuid] = { info, date, timestamp, threat_level_id, analysis, Orgc, Tag }
    files.set(`${uuid}.json`, `${JSON.stringify({ Event: event }, null, 2)}\n`)
  }
  files.set('manifest.json', `${JSON.stringify(manifest, null, 2)}\n`)
  // There are no attributes outside objects, so nothing is to be found by its hash.
  files.set('hashes.csv', '')
  return files
}

function eventOf(report: Report, standing: ExportStanding) {
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
    Tag: tagsOf(report, standing).map((name) => ({ name })),
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
        content: narrativeOf(report, standing),
        distribution: '5',
        timestamp: unixTime(meta.issued),
        deleted: false,
      },
    ],
  }
}

function tagsOf(report: Report, { state }: ExportStanding): readonly string[] {
  const { meta } = report
  const { handling, validUntil } = meta
  const grading = 'grading' in report ? report.grading : undefined
  return [
    `tlp:${meta.handling.tlp.toLowerCase()}`,
    `liaison:type="${report.type}"`,
    `liaison:status="${meta.status}"`,
    `liaison:msg-type="${meta.msgType}"`,
    `liaison:standing="${state}"`,
    ...(validUntil === undefined ? [] : [`liaison:valid-until="${validUntil}"`]),
    ...(handling.orcon === true ? ['liaison:orcon="true"'] : []),
    ...(handling.releasableTo ?? []).map((code) => `liaison:releasable-to="${code}"`),
    ...(handling.use === undefined ? [] : [`liaison:use="${handling.use}"`]),
    ...(handling.caveat === undefined ? [] : [`liaison:caveat="${handling.caveat}"`]),
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

/**
 * Text of a report as Markdown that is nothing but text: no picture that tells its server who reads, no
 * link, no heading, no HTML. Addresses stay readable, but are none.
 */
const asText = (text: string): string =>
  text
    .replace(/[\\`*_{}[\]()<>#+!|~&@-]/g, '\\$&')
    .replace(/:(?=\/)/g, '\\:')
    .replace(/\bwww\./gi, (found) => `${found.slice(0, 3)}\\.`)

/** The whole report in Markdown: what an analyst reads. */
function narrativeOf(report: Report, { state, since }: ExportStanding): string {
  const { handling, id, issued, msgType, originator, references, thread, validUntil } = report.meta
  const caveat = caveatOf(report)
  const body = Object.fromEntries(
    Object.entries(report as unknown as Readonly<Record<string, unknown>>).filter(
      ([key]) => !['type', 'version', 'title', 'summary', 'meta', 'x'].includes(key),
    ),
  )
  const says = [
    ...(since === null ? [] : [`${state} since ${since}`]),
    `message ${msgType}`,
    ...(references.length === 0 ? [] : [`about ${references.join(', ')}`]),
    ...(thread === undefined ? [] : [`thread ${thread}`]),
    ...(validUntil === undefined ? [] : [`valid until ${validUntil}`]),
  ]
  return [
    `# ${asText(titleOf(report))}`,
    `TLP:${handling.tlp}${caveat === null ? '' : `. ${asText(caveat)}`}`,
    asText(report.summary),
    `Originator ${originator}, issued ${issued}, report ${id}; ${says.join('; ')}`,
    `\`\`\`json\n${fenced(body)}\n\`\`\``,
  ].join('\n\n')
}

/** JSON for a block of code: with the signs of MISP's and Markdown's own references escaped. */
const fenced = (body: object): string =>
  JSON.stringify(body, null, 2).replace(
    /[`@!<]|:(?=\/\/)/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
