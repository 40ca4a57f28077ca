import { toStix } from '@liaison/client-sdk/stix'
import type { Report } from '@liaison/schemas'
import t from 'tap'
import { exampleReports } from '../../../support/example-reports.ts'
import { stixProblems } from '../../../support/stix-check.ts'

const reports = await exampleReports()
const items = reports.map((report) => ({ report }))
const notExported = ['capacity-need', 'humanitarian-site', 'meeting', 'questionnaire']

t.test(
  'every report of the examples is a good bundle by itself, and all are together',
  async (t) => {
    const bad = items.flatMap((item) => stixProblems(toStix([item]).bundle))
    t.same(bad, [])
    const { bundle, leftOut } = toStix(items)
    t.same(stixProblems(bundle), [])
    const exported = bundle.objects.filter(({ type }) => type === 'report')
    t.equal(exported.length + leftOut.length, reports.length, 'none is lost')
    t.ok(exported.length > 20)
    t.ok(leftOut.every(({ type }) => notExported.includes(type)))
  },
)

t.test('the check finds what is wrong', async (t) => {
  const { bundle } = toStix(items)
  const [first] = bundle.objects
  const without = { ...bundle, objects: bundle.objects.slice(1) }
  t.ok(stixProblems(without).some((problem) => problem.includes(`refers to ${first?.id}`)))
  const [report] = bundle.objects.filter(({ type }) => type === 'report')
  for (const changes of [{ published: '2013' }, { object_refs: [] }, { spec_version: '2.0' }]) {
    const objects = bundle.objects.map((o) => (o === report ? { ...o, ...changes } : o))
    t.ok(stixProblems({ ...bundle, objects } as never).length > 0, JSON.stringify(changes))
  }
})

t.test('exporting again gives the same ids, in whatever order', async (t) => {
  const ids = (some: typeof items) =>
    toStix(some)
      .bundle.objects.map(({ id }) => id)
      .sort()
  t.same(ids([...items].reverse()), ids(items))
})

t.test('labels of both editions: none is lowered', async (t) => {
  const base = reports.find(({ type }) => type === 'intrep') as Report
  const labels = ['CLEAR', 'GREEN', 'AMBER', 'AMBER+STRICT', 'RED'] as const
  const named = (tlp: (typeof labels)[number], edition: '1.0' | '2.0') => {
    const report = {
      ...base,
      meta: { ...base.meta, handling: { ...base.meta.handling, tlp } },
    } as Report
    const { objects } = toStix([{ report }], { tlp: edition }).bundle
    const main = objects.find(({ type }) => type === 'report')
    const marking = objects.find(({ name }) => String(name).startsWith('TLP:'))
    t.ok(((main?.['object_marking_refs'] ?? []) as string[]).includes(String(marking?.id)))
    return marking
  }
  t.same(
    labels.map((label) => named(label, '2.0')?.['name']),
    labels.map((label) => `TLP:${label}`),
  )
  t.same(
    labels.map((label) => named(label, '1.0')?.['name']),
    ['TLP:WHITE', 'TLP:GREEN', 'TLP:AMBER', 'TLP:RED', 'TLP:RED'],
  )
  t.match(named('AMBER+STRICT', '2.0'), {
    id: 'marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003',
    extensions: {
      'extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d': { tlp_2_0: 'amber+strict' },
    },
  })
})

t.test(
  'what a report says is there: grading, exercise, actors, places, all the rest',
  async (t) => {
    const base = reports.find(({ type }) => type === 'spotrep') as Report
    const report = {
      ...base,
      grading: { source: 'B', information: 2 },
      actors: [
        { name: 'A group', kind: 'armed-group', role: 'perpetrator' },
        { name: 'A force', kind: 'state-force', role: 'responder' },
      ],
    } as Report
    const { objects } = toStix([{ report }]).bundle
    const of = (wanted: string) => objects.filter(({ type }) => type === wanted)
    t.match(of('report')[0], {
      confidence: 70,
      name: /^EXERCISE: /,
      labels: ['spotrep', 'exercise'],
    })
    t.match(of('threat-actor'), [{ name: 'A group' }])
    t.equal(of('threat-actor').length, 1, 'a force of a state is no threat actor')
    t.match(of('sighting'), [{ sighting_of_ref: of('threat-actor')[0]?.id, count: 1 }])
    t.equal(of('incident').length, 1)
    t.ok(of('location').length >= 1)
    t.match(of('marking-definition'), [{}, { definition: { statement: /EXERCISE/ } }])
    const { content = '' } = of('note')[0] as { readonly content?: string }
    t.same(
      (JSON.parse(content) as { casualties?: unknown }).casualties,
      Reflect.get(base, 'casualties'),
    )
    const unknown = { ...report, grading: { source: 'F', information: 6 } } as Report
    const main = toStix([{ report: unknown }]).bundle.objects.find(({ type }) => type === 'report')
    t.notOk(Object.hasOwn(main ?? {}, 'confidence'), 'what cannot be judged has no number')
  },
)

t.test('addresses of sources are escaped as STIX wants them', async (t) => {
  const [base] = reports as [Report]
  const urlsOf = (...urls: readonly string[]): readonly unknown[] => {
    const sources = urls.map((url) => ({ title: 'A source', url }))
    const report = { ...base, type: 'intrep', meta: { ...base.meta, sources } } as unknown as Report
    const { bundle } = toStix([{ report }])
    t.same(stixProblems(bundle), [])
    const main = bundle.objects.find(({ type }) => type === 'report')
    return ((main?.['external_references'] ?? []) as { url?: string }[])
      .slice(1)
      .map(({ url }) => url)
  }
  t.same(urlsOf("https://wikiwand.com/fr/articles/l'unicité_et", 'https://a.example/b|c%20d?e=1'), [
    "https://wikiwand.com/fr/articles/l'unicit%C3%A9_et",
    'https://a.example/b%7Cc%20d?e=1',
  ])
  t.same(urlsOf('https://[nowhere'), [undefined], 'what is no address is left out')
})
