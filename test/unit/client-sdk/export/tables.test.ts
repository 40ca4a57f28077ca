import { toCsv, toGeoJson, toMispFeed } from '@liaison/client-sdk/stix'
import type { Report } from '@liaison/schemas'
import t from 'tap'
import { exampleReports } from '../../../support/example-reports.ts'

const reports = await exampleReports()
const items = reports.map((report) => ({ report, topic: 'terrorism' }))

/** A reader of RFC 4180 of its own, so that the writer is not believed. */
function readCsv(text: string): string[][] {
  const rows: string[][] = [['']]
  let quoted = false
  for (let i = 0; i < text.length; i++) {
    const char = text[i] ?? ''
    const row = rows.at(-1) as string[]
    const append = (more: string): void => void row.push(`${row.pop() ?? ''}${more}`)
    if (quoted) {
      if (char !== '"') append(char)
      else if (text[i + 1] === '"') {
        append('"')
        i++
      } else quoted = false
    } else if (char === '"') quoted = true
    else if (char === ',') row.push('')
    else if (char === '\r') rows.push([''])
    else if (char !== '\n') append(char)
  }
  return rows.slice(0, -1)
}

t.test('a table has a row for each report, whatever stands in it', async (t) => {
  const [header = [], ...rows] = readCsv(toCsv(items))
  t.equal(rows.length, reports.length)
  t.ok(rows.every((row) => row.length === header.length))
  const column = (name: string) => rows.map((row) => row[header.indexOf(name)])
  t.same(
    column('id'),
    reports.map(({ meta }) => meta.id),
  )
  t.same(
    column('summary'),
    reports.map(({ summary }) => summary),
  )
  t.ok(column('title').every((title) => title?.startsWith('EXERCISE: ')))
})

t.test('nothing in a table is taken for a formula', async (t) => {
  const base = reports[0] as Report
  for (const start of ['=', '+', '-', '@', '\t']) {
    const report = { ...base, summary: `${start}HYPERLINK("http://x","a")` } as Report
    const [header = [], row = []] = readCsv(toCsv([{ report }]))
    t.equal(row[header.indexOf('summary')]?.[0], "'", JSON.stringify(start))
  }
})

t.test('places are features, longitude first, marked like their report', async (t) => {
  const { features } = toGeoJson(items)
  t.ok(features.length >= reports.filter(({ type }) => type === 'spotrep').length)
  t.equal(new Set(features.map(({ id }) => id)).size, features.length)
  const wrong = features.filter(({ geometry, properties }) => {
    const { type, coordinates } = (geometry ?? { type: '' }) as {
      readonly type: string
      readonly coordinates?: readonly number[]
    }
    const [longitude = 0, latitude = 0] = type === 'Point' ? (coordinates ?? []) : []
    return (
      Math.abs(longitude) > 180 ||
      Math.abs(latitude) > 90 ||
      typeof properties['tlp'] !== 'string' ||
      properties['status'] !== 'exercise'
    )
  })
  t.same(wrong, [])
})

t.test('a MISP feed has an event for each report and a manifest of all', async (t) => {
  const files = toMispFeed(items)
  const manifest = JSON.parse(files.get('manifest.json') ?? '') as Record<string, object>
  t.equal(Object.keys(manifest).length, reports.length)
  t.equal(files.get('hashes.csv'), '')
  const events = Object.keys(manifest).map(
    (uuid) =>
      (JSON.parse(files.get(`${uuid}.json`) ?? '') as { readonly Event: Record<string, unknown> })
        .Event,
  )
  t.ok(events.every(({ published, distribution }) => published === false && distribution === '0'))
  t.ok(
    events.every(({ Tag }) =>
      (Tag as { name: string }[]).some(({ name }) => /^tlp:(clear|green|amber|red)/.test(name)),
    ),
  )
  t.ok(events.every(({ EventReport }) => (EventReport as unknown[]).length === 1))
  t.same(toMispFeed([...items].reverse()).get('hashes.csv'), '')
  t.same([...toMispFeed([...items].reverse()).keys()].sort(), [...files.keys()].sort())
})
