import { type ExportedReport, placesOf, timeOf, titleOf } from './exported-report.ts'

const columns = [
  'id',
  'type',
  'originator',
  'issued',
  'status',
  'precedence',
  'tlp',
  'topic',
  'title',
  'summary',
  'lang',
  'from',
  'to',
  'country',
  'subdivision',
  'place',
  'latitude',
  'longitude',
] as const

type Row = Readonly<Partial<Record<(typeof columns)[number], string | number>>>

/**
 * Reports as a table (RFC 4180, UTF-8), one row each, with the first place that it names. Cells that a
 * spreadsheet would take for a formula begin with an apostrophe.
 */
export function toCsv(items: readonly ExportedReport[]): string {
  const lines = items.map((item) => columns.map((column) => cell(rowOf(item)[column])).join(','))
  return `${[columns.join(','), ...lines].join('\r\n')}\r\n`
}

function rowOf({ report, topic }: ExportedReport): Row {
  const { meta, type, summary } = report
  const [place] = placesOf(report)
  const point = place?.geometry?.type === 'Point' ? place.geometry.coordinates : []
  const [longitude = '', latitude = ''] = point as readonly number[]
  const { from, to = '' } = timeOf(report)
  return {
    id: meta.id,
    type,
    originator: meta.originator,
    issued: meta.issued,
    status: meta.status,
    precedence: meta.precedence,
    tlp: meta.handling.tlp,
    topic: topic ?? '',
    title: titleOf(report),
    summary,
    lang: meta.lang,
    from,
    to,
    country: place?.country ?? '',
    subdivision: place?.subdivision ?? '',
    place: place?.name ?? '',
    latitude,
    longitude,
  }
}

function cell(value: string | number | undefined): string {
  const raw = String(value ?? '')
  const text = typeof value === 'string' && /^[=+\-@\t\r]/.test(raw) ? `'${raw}` : raw
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** A collection of places (RFC 7946). */
export interface FeatureCollection {
  readonly type: 'FeatureCollection'
  readonly features: readonly {
    readonly type: 'Feature'
    readonly id: string
    readonly geometry: object | null
    readonly properties: Readonly<Record<string, unknown>>
  }[]
}

/** Reports as places on a map: a feature for each place, without geometry where none is known. */
export function toGeoJson(items: readonly ExportedReport[]): FeatureCollection {
  const features = items.flatMap(({ report, topic }) =>
    placesOf(report).map((place) => {
      const { geometry, pointer, country, subdivision, name, precision, errorMetres } = place
      const { meta, type } = report
      return {
        type: 'Feature',
        id: `${meta.id}${pointer}`,
        geometry: geometry ?? null,
        properties: {
          report: meta.id,
          type,
          originator: meta.originator,
          issued: meta.issued,
          status: meta.status,
          tlp: meta.handling.tlp,
          title: titleOf(report),
          ...(topic === undefined ? {} : { topic }),
          country,
          ...(subdivision === undefined ? {} : { subdivision }),
          ...(name === undefined ? {} : { name }),
          precision,
          ...(errorMetres === undefined ? {} : { errorMetres }),
        },
      } as const
    }),
  )
  return { type: 'FeatureCollection', features }
}
