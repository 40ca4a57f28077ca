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
    for (const count of [0, 1, 9]) {
      t.ok(codesOf(withValue(path, count)).includes('small_count'), `${path.join('/')}: ${count}`)
    }
    t.notOk(codesOf(withValue(path, 10)).includes('small_count'), `${path.join('/')}: 10`)
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
