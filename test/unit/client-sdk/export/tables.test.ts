import { selectForExport, toCsv, toGeoJson, toMispFeed, toStix } from '@liaison/client-sdk/stix'
import type { Report } from '@liaison/schemas'
import t from 'tap'
import { exampleReports } from '../../../support/example-reports.ts'

const reports = await exampleReports()
const items = reports.map((report) => ({ report, topic: 'terrorism' }))
const exported = selectForExport(items).chosen.map(({ report }) => report)

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
  t.equal(rows.length, exported.length)
  t.ok(rows.every((row) => row.length === header.length))
  const column = (name: string) => rows.map((row) => row[header.indexOf(name)])
  t.same(
    column('id'),
    exported.map(({ meta }) => meta.id),
  )
  t.same(
    column('summary'),
    exported.map(({ summary }) => summary),
  )
  t.ok(column('title').every((title) => title?.startsWith('EXERCISE: ')))
})

t.test('nothing in a table is taken for a formula', async (t) => {
  const base = exported[0] as Report
  for (const start of ['=', '+', '-', '@', '\t', '＝', '－', '\u200b=', ' \u2060+', '"=']) {
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
  t.equal(Object.keys(manifest).length, exported.length)
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

t.test('nor where a spreadsheet may begin another cell', async (t) => {
  const base = exported[0] as Report
  const summaryOf = (summary: string) => {
    const [header = [], row = []] = readCsv(toCsv([{ report: { ...base, summary } as Report }]))
    return row[header.indexOf('summary')]
  }
  for (const end of [';', '|', '\t', '\n', '\r\n']) {
    for (const before of ['', ' ', '\u200b', '"']) {
      for (const sign of ['=', '+', '-', '@', '＝']) {
        const text = `Patrol${end}${before}${sign}HYPERLINK("x")`
        t.equal(
          summaryOf(text),
          `Patrol${end}'${before}${sign}HYPERLINK("x")`,
          JSON.stringify([end, before, sign]),
        )
      }
    }
  }
  for (const text of ['A - B', 'a+b = c', 'north; south', 'x, -5']) t.equal(summaryOf(text), text)
})

/** A report with another `meta`. */
const withMeta = (report: Report, meta: object, more: object = {}): Report =>
  ({ ...report, ...more, meta: { ...report.meta, ...meta } }) as Report

t.test('every form says how a report stands and how it is handled', async (t) => {
  const base = reports.find(({ type }) => type === 'spotrep') as Report
  const { id } = base.meta
  const other = '0195a1c0-0000-7000-8000-000000000009'
  const cancel = withMeta(base, {
    id: other,
    issued: '2014-04-01T00:00:00Z',
    msgType: 'cancel',
    references: [id],
    thread: id,
    validUntil: '2014-05-01T00:00:00Z',
    status: 'test',
    handling: { tlp: 'AMBER', orcon: true, releasableTo: ['ML', 'NE'], use: 'H3', caveat: 'sar-1' },
  })
  const both = [{ report: base }, { report: cancel }]

  const [header = [], ...rows] = readCsv(toCsv(both))
  const objects = rows.map((row) => Object.fromEntries(header.map((name, i) => [name, row[i]])))
  t.match(objects, [
    { id, standing: 'withdrawn', msgType: base.meta.msgType },
    {
      ...{ id: other, standing: 'withdrawal', msgType: 'cancel', references: id, thread: id },
      ...{ validUntil: '2014-05-01T00:00:00Z', tlp: 'AMBER', orcon: 'true' },
      ...{ releasableTo: 'ML NE', use: 'H3', caveat: 'sar-1', title: `TEST: ${base.title}` },
    },
  ])

  const { features } = toGeoJson(both)
  const ofOther = features.filter(({ properties }) => properties['report'] === other)
  t.ok(ofOther.length > 0)
  for (const { properties } of ofOther) {
    t.match(properties, {
      ...{ standing: 'withdrawal', msgType: 'cancel', references: [id], thread: id },
      ...{ orcon: true, releasableTo: ['ML', 'NE'], use: 'H3', caveat: 'sar-1' },
      title: /^TEST: /,
    })
  }
  t.match(
    features.filter(({ properties }) => properties['report'] === id),
    [{ properties: { standing: 'withdrawn' } }],
  )

  const texts = [...toMispFeed(both).values()].join()
  for (const tag of [
    ...['standing=\\"withdrawn\\"', 'standing=\\"withdrawal\\"', 'msg-type=\\"cancel\\"'],
    ...['valid-until=\\"2014-05-01T00:00:00Z\\"', 'orcon=\\"true\\"', 'releasable-to=\\"NE\\"'],
    ...['use=\\"H3\\"', 'caveat=\\"sar-1\\"', 'TEST: '],
  ]) {
    t.ok(texts.includes(tag), tag)
  }
})

t.test('only the member itself withdraws its reports', async (t) => {
  const base = reports.find(({ type }) => type === 'spotrep') as Report
  const core = 'ab'.repeat(32)
  const standing = (cancel: object) => {
    const report = withMeta(base, {
      id: '0195a1c0-0000-7000-8000-000000000009',
      issued: '2014-04-01T00:00:00Z',
      ...cancel,
    })
    const [header = [], row = []] = readCsv(toCsv([{ report: base, core }, { report }]))
    return row[header.indexOf('standing')]
  }
  const { id, originator } = base.meta
  t.equal(standing({ msgType: 'cancel', references: [core] }), 'withdrawn', 'by core hash')
  t.equal(standing({ msgType: 'update', references: [id] }), 'superseded')
  t.equal(standing({ msgType: 'alert', references: [id] }), 'current')
  const another = originator === 'ML' ? 'NE' : 'ML'
  t.equal(standing({ msgType: 'cancel', references: [id], originator: another }), 'current')
  const before = { msgType: 'cancel', references: [id], issued: '2001-01-01T00:00:00Z' }
  t.equal(standing(before), 'current', 'not before it was issued')
})

t.test('the same types are left out of every form, unless they are named', async (t) => {
  const camp = reports.find(({ type }) => type === 'humanitarian-site') as Report
  const one = [{ report: camp }]
  const counts = (include: readonly string[]) => [
    toCsv(one, { include }).trim().split('\r\n').length - 1,
    Math.min(1, toGeoJson(one, { include }).features.length),
    toMispFeed(one, { include }).size - 2,
    toStix(one, { include }).bundle.objects.filter(({ type }) => type === 'report').length,
  ]
  t.same(counts([]), [0, 0, 0, 0])
  t.same(counts(['meeting']), [0, 0, 0, 0])
  t.same(counts(['humanitarian-site']), [1, 1, 1, 1])
  const left = new Set(selectForExport(items).leftOut.map(({ type }) => type))
  t.same([...left].sort(), ['capacity-need', 'humanitarian-site', 'meeting', 'questionnaire'])
})

t.test('a narrative loads no picture and leads nowhere', async (t) => {
  const base = exported[0] as Report
  const summary =
    'See ![x](http://evil.example/a.png) [y](http://evil.example) <img src=x> www.evil.example @[tag](1) ~~s~~'
  const report = {
    ...base,
    title: `# ${summary.slice(0, 60)}`,
    summary,
    comment: '``` @![a](b) <b>',
  }
  const files = toMispFeed([{ report: report as Report }])
  const [, text = ''] = [...files].find(([name]) => /^[0-9a-f-]{36}\.json$/.test(name)) ?? []
  const { Event } = JSON.parse(text) as {
    readonly Event: { readonly EventReport: readonly [{ readonly content: string }] }
  }
  const { content } = Event.EventReport[0]
  t.notMatch(content, /(?<!\\):\/\//)
  t.notMatch(content, /www\./i)
  const parts = content.split('```')
  t.equal(parts.length, 3, 'one block, which ends where it should')
  const [prose = '', block = ''] = parts
  t.notMatch(prose, /(?<!\\)[[\]<!]/)
  t.equal((JSON.parse(block.slice('json'.length)) as { comment: string }).comment, report.comment)
})
