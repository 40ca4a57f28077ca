import { readFile } from 'node:fs/promises'
import { validateReport } from '@liaison/schemas/reports'
import t from 'tap'

const url = new URL(
  '../../../schemas/examples/valid/humanitarian-site/humanitarian-site--every-field.json',
  import.meta.url,
)
const every = JSON.parse(await readFile(url, 'utf8')) as object

/** Pointers to the free texts of a report: what a person may have typed anything into. */
function texts(node: unknown, path: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof node === 'string') return node.includes(' ') ? [path] : []
  if (typeof node !== 'object' || node === null) return []
  return Object.entries(node).flatMap(([key, value]) => texts(value, [...path, key]))
}

function withValue(path: readonly string[], value: unknown): unknown {
  const copy: unknown = structuredClone(every)
  let node = copy as Record<string, unknown>
  for (const key of path.slice(0, -1)) node = node[key] as Record<string, unknown>
  node[path.at(-1) ?? ''] = value
  return copy
}

const codesOf = (value: unknown): readonly string[] => {
  const result = validateReport(value)
  return result.ok ? [] : result.problems.map(({ code }) => code)
}

t.test('a personal identifier is found in whatever text it stands', (t) => {
  const free = texts(every)
  t.ok(free.length >= 10, `${free.length} texts`)
  for (const path of free) {
    for (const identifier of [
      '+222 45 25 26 27',
      '+1 (222) 452-5262',
      'a.person@example.org',
      'NIN 1850775123456',
    ]) {
      t.same(
        codesOf(withValue(path, `Text, ${identifier}.`)),
        ['personal_identifier'],
        path.join('/'),
      )
    }
  }
  t.end()
})

t.test('what people write about camps is no identifier', (t) => {
  for (const text of [
    'Counted on 2013-03-17 and 17/03/2013, for 2012-2013.',
    'On 17.03.2013 at 06:30: 74 108 people, 22 390 households, 30 litres each.',
    'Document S/2013/163, paragraph 12, resolution 2085 (2012).',
    'US$ 1,234,567 of 16 million.',
  ]) {
    t.same(codesOf(withValue(['comment'], text)), [], text)
  }
  t.end()
})

t.test('a count of nine or fewer is refused wherever counts stand', (t) => {
  for (const path of [
    ['population', 'households'],
    ['population', 'individuals'],
    ['population', 'bands', '0', 'individuals'],
    ['incidents', '0', 'affected'],
  ]) {
    for (const count of [1, 9]) {
      t.ok(codesOf(withValue(path, count)).includes('small_count'), `${path.join('/')}: ${count}`)
    }
    for (const count of [0, 10]) {
      t.notOk(
        codesOf(withValue(path, count)).includes('small_count'),
        `${path.join('/')}: ${count}`,
      )
    }
  }
  t.end()
})

t.test('coordinates with more than two decimals are refused, in every geometry', (t) => {
  const place = ['places', '0', 'geometry']
  const fine = [-5.751, 15.85]
  for (const geometry of [
    { type: 'Point', coordinates: fine },
    { type: 'LineString', coordinates: [[-5, 15], fine] },
    { type: 'Polygon', coordinates: [[[-5, 15], fine, [-6, 15], [-5, 15]]] },
  ]) {
    t.same(codesOf(withValue(place, geometry)), ['coordinates_too_fine'], geometry.type)
  }
  for (const coarse of [
    [-5.7, 15.85],
    [0.07, 0.29],
    [-179.99, 89.99],
  ]) {
    t.same(codesOf(withValue(place, { type: 'Point', coordinates: coarse })), [])
  }
  t.end()
})

t.test('a telephone number is found however it is written', (t) => {
  for (const number of [
    '76\u00a012\u00a034\u00a056',
    '76\u202f12\u202f34\u202f56',
    '76\u201312\u201334\u201356',
    '76 \u2014 12 \u2014 34 \u2014 56',
    '(+223)(76)(12)(34)(56)',
    '+223 66 7 5 40 12 1',
    '+222 612 345 678',
    '7612-3456',
    '76-12-3456',
    '1234/5678',
    '22-10-12 34',
    '7\u200b6123456',
    '７６１２３４５６',
    '٧٦ ١٢ ٣٤ ٥٦',
    'a@bücher.de',
    'a＠b.org',
    'a @b.org',
    'a(at)b.org',
    'first.last@mail.x.org',
  ]) {
    t.same(codesOf(withValue(['comment'], `call ${number}.`)), ['personal_identifier'], number)
  }
  t.end()
})

t.test('amounts, years, dates and hours are no telephone numbers', (t) => {
  for (const text of [
    'Budget of 12 000 000 francs; 1 250 000 litres.',
    'In 2011 2012 2013 the camp had 1200. 3400.',
    'Resolution 2085 (2012), 2100 (2013). 15 000 - 20 000 people',
    '17.03.2013-18.03.2013, 2013-03-17/2013-03-18, 17 March 2013 14:30',
    'On 2013-03-17 12.30-14.30 hrs',
    '17-03-13',
    '17-03-13 18-03-13',
    'In 2013 12 000 people; 74 108 people, 22 390 households',
    'Report 0195a1c0-0000-7000-8000-000000000001.',
    `Envelope ${'12345678'.repeat(8)}.`,
    '01/2012-03/2013',
  ]) {
    t.same(codesOf(withValue(['comment'], text)), [], text)
  }
  t.end()
})

t.test('an exact place is found in texts and extensions', (t) => {
  for (const text of [
    'at 15.85123, -5.75123',
    '15.851°N 5.751°W',
    '15,85123 ; 5,75123',
    `16°46'24" N`,
    'grid 29PQT935521',
    '29P QT 93512 52103',
  ]) {
    t.same(codesOf(withValue(['comment'], text)), ['coordinates_too_fine'], text)
  }
  for (const text of [
    'at 15.85, -5.75',
    '1,234,567 people',
    '12.5-13.7 litres',
    'square 29PQT9352',
  ]) {
    t.same(codesOf(withValue(['comment'], text)), [], text)
  }
  t.end()
})

t.test('extensions hold no number that may be a count, a place or a telephone', (t) => {
  for (const [extension, code] of [
    [{ n: 76_123_456 }, 'personal_identifier'],
    [{ n: '76123456' }, 'personal_identifier'],
    [{ phoneNumber: 'x12' }, 'personal_identifier'],
    [{ passportNumber: 'A1' }, 'personal_identifier'],
    [{ passport_no: 'A1' }, 'personal_identifier'],
    [{ dateOfBirth: '1985-01-01' }, 'personal_identifier'],
    [{ firstName: 'A' }, 'personal_identifier'],
    [{ name: 'A' }, 'personal_identifier'],
    [{ prénom: 'A' }, 'personal_identifier'],
    [{ lat: 15.85123 }, 'coordinates_too_fine'],
    [{ lat: '15.85123' }, 'coordinates_too_fine'],
    [{ girls: 3 }, 'small_count'],
    [{ change: [-3] }, 'small_count'],
  ] as const) {
    t.same(codesOf(withValue(['x'], { 'ml.q': extension })), [code], JSON.stringify(extension))
  }
  const harmless = { siteName: 'Site B', version: 3, girls: 0, boys: 12, lat: 15.85, share: 0.5 }
  t.same(codesOf(withValue(['x'], { 'ml.q': harmless })), [])
  t.end()
})

t.test('codes and sources are no place for telephone numbers', (t) => {
  for (const path of [
    ['grading', 'sourceRef'],
    ['site', 'code'],
  ]) {
    for (const number of ['76123456', '76-12-34-56']) {
      t.same(codesOf(withValue(path, number)), ['personal_identifier'], path.join('/'))
    }
    t.same(codesOf(withValue(path, 'MRT-2013-0001')), [], path.join('/'))
  }
  const withSource = (source: object) => codesOf(withValue(['meta', 'sources'], [source]))
  t.same(withSource({ title: 'Call a@b.org' }), ['personal_identifier'])
  t.same(withSource({ title: 'T', note: 'call 76 12 34 56' }), ['personal_identifier'])
  t.same(withSource({ title: 'T', symbol: 'S/2013/163', url: 'https://a.example/12345678' }), [])
  t.end()
})

t.test('no small number follows from the others', (t) => {
  const population = (individuals: number, bands: readonly object[], more: object = {}) =>
    codesOf(withValue(['population'], { asOf: '2013-03-15', individuals, bands, ...more }))
  const female = { band: 'female', individuals: 3000 }
  const open = (band: string) => ({ band, suppressed: true })
  t.same(population(3003, [female]), ['small_count_derivable'], 'three males')
  const two = [female, open('male'), open('unaccompanied-children')]
  t.same(population(3002, two), ['small_count_derivable'], 'two open groups share two')
  const ages = [
    { band: 'age-0-4', individuals: 500 },
    { band: 'age-5-11', individuals: 496 },
    open('age-60-up'),
  ]
  t.same(population(1000, ages), ['small_count_derivable'], 'what three ages share')
  const disabled = [{ band: 'with-disability', individuals: 997 }]
  t.same(population(1000, disabled), ['small_count_derivable'], 'three without')
  t.same(population(3000, [female]), [], 'no male at all')
  t.same(population(6000, [female, open('male')]), [], 'a large group left out')
  t.same(population(100, [female]), ['count_out_of_range', 'count_out_of_range'])
  t.same(population(100, [], { households: 101 }), ['count_out_of_range'])
  t.end()
})
