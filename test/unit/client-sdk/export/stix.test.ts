import { readFile } from 'node:fs/promises'
import { type StixBundle, type StixObject, toStix } from '@liaison/client-sdk/stix'
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

const everyField = async (type: string, name = 'every-field'): Promise<Report> => {
  const url = new URL(
    `../../../../schemas/examples/valid/${type}/${type}--${name}.json`,
    import.meta.url,
  )
  return JSON.parse(await readFile(url, 'utf8')) as Report
}

/** Another report of the same member, that an example may refer to. */
const renamed = (report: Report, id: string, meta: object = {}): Report =>
  ({ ...report, meta: { ...report.meta, id, ...meta } }) as Report

t.test('each type becomes the objects that it is', async (t) => {
  const typesOf = (...some: readonly Report[]) => {
    const { bundle } = toStix(some.map((report) => ({ report })))
    t.same(stixProblems(bundle), [])
    return bundle.objects
  }
  const named = (objects: readonly StixObject[], wanted: string) =>
    objects.filter(({ type }) => type === wanted)

  const spotrep = typesOf(await everyField('spotrep'))
  t.match(named(spotrep, 'observed-data'), [
    { number_observed: 1, object_refs: [named(spotrep, 'liaison-observation')[0]?.id] },
  ])
  t.match(named(spotrep, 'sighting')[0], {
    observed_data_refs: [named(spotrep, 'observed-data')[0]?.id],
  })
  t.match(named(spotrep, 'extension-definition'), [{ extension_types: ['new-sco'] }])

  const seizure = typesOf(await everyField('seizure'))
  t.match(named(seizure, 'liaison-item')[0], { item_class: 'weapon', serial: 'AB 12345' })
  t.equal(named(seizure, 'liaison-item').length, 4)
  t.equal(named(seizure, 'observed-data').length, 1)

  const profile = await everyField('actor-profile')
  const ally = renamed(profile, '0195a1c0-0000-7000-8000-000000000002')
  const actors = typesOf(profile, ally)
  t.equal(named(actors, 'intrusion-set').length, 2)
  const relations = named(actors, 'relationship')
  const target = named(toStix([{ report: ally }]).bundle.objects, 'intrusion-set')[0]
  t.ok(actors.some(({ id }) => id === target?.id))
  t.same([...new Set(relations.map((one) => one['relationship_type']))].sort(), [
    'attributed-to',
    'located-at',
    'related-to',
  ])
  t.ok(relations.some((one) => one['description'] === 'allied' && one['start_time'] !== undefined))

  const intsum = await everyField('intsum')
  const [first] = (intsum as unknown as { readonly significant: readonly [{ id: string }] })
    .significant
  const summed = await everyField('spotrep')
  const known = {
    report: first.id.length === 36 ? renamed(summed, first.id) : summed,
    core: first.id,
  }
  const { bundle } = toStix([{ report: intsum }, known])
  t.same(stixProblems(bundle), [])
  const [grouping] = named(bundle.objects, 'grouping')
  const own = named(toStix([known]).bundle.objects, 'report')[0]?.id
  t.ok(((grouping?.['object_refs'] ?? []) as string[]).includes(String(own)))

  const answer = typesOf(await everyField('rfi', 'answer'))
  t.ok(named(answer, 'note').some(({ abstract }) => abstract === 'Answer'))
  const question = typesOf(await everyField('rfi', 'request-every-field'))
  t.ok(named(question, 'note').some(({ abstract }) => abstract === 'Question'))

  const doubted = await everyField('warning')
  const id = '0195a1c0-0000-7000-8000-0000000000aa'
  const doubt = {
    ...renamed(await everyField('intrep'), id),
    derivedFrom: [{ id: doubted.meta.id, relation: 'contradicts' }],
  } as Report
  const disputed = typesOf(doubted, doubt)
  t.match(named(disputed, 'opinion'), [{ opinion: 'disagree' }])
  t.same(named(typesOf(doubt), 'opinion'), [], 'none about what is not in the bundle')
  t.same(named(disputed, 'indicator'), [], 'a warning has no pattern')
})

t.test('what was withdrawn is revoked, and how a report stands is said', async (t) => {
  const report = await everyField('intrep')
  const id = '0195a1c0-0000-7000-8000-0000000000aa'
  const meta = { issued: '2014-01-01T00:00:00Z', references: [report.meta.id] }
  const find = (objects: readonly StixObject[], of: Report) => {
    const own = toStix([{ report: of }]).bundle.objects.find(({ type }) => type === 'report')?.id
    return objects.find((object) => object.id === own) as StixObject
  }
  const cancel = renamed(report, id, { ...meta, msgType: 'cancel' })
  const withdrawn = toStix([{ report }, { report: cancel }]).bundle
  t.same(stixProblems(withdrawn), [])
  t.match(find(withdrawn.objects, report), {
    revoked: true,
    modified: '2014-01-01T00:00:00.000Z',
    labels: /withdrawn/,
  })
  t.match(find(withdrawn.objects, cancel), {
    revoked: true,
    labels: ['intrep', 'test', 'priority', 'cancel', 'withdrawal'],
  })
  const made = withdrawn.objects.filter(({ created_by_ref, type }) => {
    return created_by_ref !== undefined && type !== 'extension-definition'
  })
  t.ok(
    made.every(({ revoked }) => revoked === true),
    'and so is all that it named',
  )

  const update = renamed(report, id, {
    ...meta,
    msgType: 'update',
    validUntil: '2015-01-01T00:00:00Z',
  })
  const { objects } = toStix([{ report }, { report: update }]).bundle
  t.notOk(Object.hasOwn(find(objects, report), 'revoked'))
  t.ok((find(objects, report)['labels'] as string[]).includes('superseded'))
  const contents = objects.flatMap(({ content }) =>
    content === undefined ? [] : [JSON.parse(String(content)) as { readonly meta: object }],
  )
  t.match(
    contents.map(({ meta: said }) => said),
    [
      { standing: { state: 'superseded' } },
      { msgType: 'update', validUntil: '2015-01-01T00:00:00Z' },
    ],
  )
})

t.test('a test says so in its title and its marking', async (t) => {
  const report = await everyField('intrep')
  const { objects } = toStix([{ report }]).bundle
  t.equal(report.meta.status, 'test')
  t.match(
    objects.find(({ type }) => type === 'report'),
    { name: /^TEST: / },
  )
  t.ok(objects.some(({ definition }) => /TEST TEST TEST/.test(JSON.stringify(definition) ?? '')))
})

t.test('the check finds what is wrong with observations and relationships', async (t) => {
  const { bundle } = toStix([
    { report: await everyField('spotrep') },
    { report: await everyField('actor-profile') },
  ])
  t.same(stixProblems(bundle), [])
  const broken = (wanted: string, changes: object) => {
    const objects = bundle.objects.map((o) => (o.type === wanted ? { ...o, ...changes } : o))
    return stixProblems({ ...bundle, objects } as StixBundle).length > 0
  }
  t.ok(broken('observed-data', { number_observed: 0 }))
  t.ok(broken('observed-data', { object_refs: [bundle.objects[0]?.id] }))
  t.ok(broken('observed-data', { last_observed: '1999-01-01T00:00:00.000Z' }))
  t.ok(broken('relationship', { target_ref: bundle.objects[0]?.id }))
  t.ok(broken('liaison-observation', { extensions: { 'extension-definition--x': {} } }))
  t.ok(broken('report', { revoked: 'yes' }))
})
