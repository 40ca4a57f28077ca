import { aboutReport, type ExportStanding, standingsIn } from './export-standing.ts'
import {
  type ExportedReport,
  type ExportOptions,
  placesOf,
  timeOf,
  titleOf,
} from './exported-report.ts'
import { selectForExport } from './selection.ts'

const columns = [
  'id',
  'type',
  'originator',
  'issued',
  'status',
  'precedence',
  'msgType',
  'standing',
  'references',
  'thread',
  'validUntil',
  'tlp',
  'orcon',
  'releasableTo',
  'use',
  'caveat',
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

type Cell = string | number | boolean | readonly string[]
type Row = Readonly<Partial<Record<(typeof columns)[number], Cell>>>

/**
 * Reports as a table (RFC 4180, UTF-8), one row each, with the first place that it names. Cells that a
 * spreadsheet would take for a formula, whatever it takes for the end of a cell, begin with an apostrophe.
 */
export function toCsv(items: readonly ExportedReport[], options: ExportOptions = {}): string {
  const { chosen } = selectForExport(items, options)
  const standing = standingsIn(items)
  const lines = chosen.map((item) => {
    const row = rowOf(item, standing(item.report))
    return columns.map((column) => cell(row[column])).join(',')
  })
  return `${[columns.join(','), ...lines].join('\r\n')}\r\n`
}

function rowOf({ report, topic }: ExportedReport, standing: ExportStanding): Row {
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
    ...aboutReport(report, standing),
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

/**
 * The sign with which a formula begins, in any width, at the beginning of a cell: of this one, or of one
 * that a spreadsheet makes of it when it parts cells by a semicolon, a bar, a tab or a line break.
 * What cannot be seen, and quotation marks, may stand before it.
 */
const formula =
  /(^|[;|\t\r\n])([\p{Zs}\p{Cf}\p{Default_Ignorable_Code_Point}"]{0,20})(?=[=+\-@＝＋－＠﹦﹢﹣﹫])|^(?=[\t\r])/gu

function cell(value: Cell | undefined): string {
  const raw = typeof value === 'object' ? value.join(' ') : String(value ?? '')
  const text = typeof value === 'number' ? raw : raw.replace(formula, "$1'$2")
  return /[",;|\t\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
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
export function toGeoJson(
  items: readonly ExportedReport[],
  options: ExportOptions = {},
): FeatureCollection {
  const standing = standingsIn(items)
  const features = selectForExport(items, options).chosen.flatMap(({ report, topic }) =>
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
          ...aboutReport(report, standing(report)),
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
