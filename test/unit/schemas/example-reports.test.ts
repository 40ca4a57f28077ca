import { readdir, readFile } from 'node:fs/promises'
import { handlingCode, type Report } from '@liaison/schemas'
import { parseBody, reportNames, validateReport } from '@liaison/schemas/reports'
import t from 'tap'

interface Planned {
  readonly file: string
  readonly member: string
  readonly topic: string
  readonly to?: readonly string[]
}

interface Grant {
  readonly topic: string
  readonly members: readonly string[]
  readonly publish: boolean
  readonly read: boolean
  readonly clearance: number
}

interface Network {
  readonly example: boolean
  readonly administrators: readonly { readonly num: number; readonly org: string }[]
  readonly thresholds: { readonly m: number; readonly r: number }
  readonly flu: readonly string[]
  readonly members: readonly {
    readonly code: string
    readonly kind: string
    readonly names: Readonly<Record<string, string>>
  }[]
  readonly topics: readonly {
    readonly name: string
    readonly paragraph: string
    readonly titles: Readonly<Record<string, string>>
    readonly status: string
    readonly schemas: readonly string[]
  }[]
  readonly grants: readonly Grant[]
  readonly devices: readonly {
    readonly id: string
    readonly member: string
    readonly role: string
    readonly clearance: number
  }[]
}

const reports = new URL('../../../examples/reports/', import.meta.url)
const readJson = async (url: URL): Promise<unknown> => JSON.parse(await readFile(url, 'utf8'))
const network = (await readJson(
  new URL('../../../keys-example/network.json', import.meta.url),
)) as Network
const plan = (await readJson(new URL('plan.json', reports))) as readonly Planned[]

async function readReport(file: string): Promise<Report> {
  const parsed = parseBody(await readFile(new URL(file, reports)))
  if (!parsed.ok) throw new Error(`${file}: ${JSON.stringify(parsed.problems)}`)
  const valid = validateReport(parsed.value)
  if (!valid.ok) throw new Error(`${file}: ${JSON.stringify(valid.problems)}`)
  return valid.value
}

const grantOf = (topic: string, member: string): Grant | undefined =>
  network.grants.find((grant) => grant.topic === topic && grant.members.includes(member))

const hasDevice = (member: string, clearance: number, publishes: boolean): boolean =>
  network.devices.some(
    (device) =>
      device.member === member &&
      device.clearance >= clearance &&
      (!publishes || ['officer', 'analyst'].includes(device.role)),
  )

const loaded = await Promise.all(
  plan.map(async (planned) => ({ ...planned, report: await readReport(planned.file) })),
)

t.test('every file is planned once, and the other way round', async (t) => {
  const files = (await readdir(reports)).filter((file) => file !== 'plan.json').sort()
  t.same(plan.map(({ file }) => file).sort(), files)
  t.ok(files.length >= 50, `${files.length} reports`)
})

t.test('all types and all four languages occur', (t) => {
  t.same([...new Set(loaded.map(({ report }) => report.type))].sort(), [...reportNames].sort())
  t.same([...new Set(loaded.map(({ report }) => report.meta.lang))].sort(), [
    'ar',
    'en',
    'fr',
    'pt',
  ])
  t.end()
})

for (const { file, member, topic, to, report } of loaded) {
  t.test(file, (t) => {
    const { meta } = report
    const made = report.x?.exercise_fields ?? []
    t.equal(meta.status, 'exercise')
    t.ok((meta.sources?.length ?? 0) > 0, 'names its public sources')
    t.match(meta.issued, /^201[234]-/, 'from the years of the record')
    t.match(file, `-${report.type}-`, 'the file name says the type')
    for (const pointer of ['/meta/originator', '/meta/issued', '/meta/handling']) {
      t.ok(made.includes(pointer), `${pointer} is declared as made up`)
    }
    if (report.grading !== undefined) t.ok(made.includes('/grading'), 'so is a grading')

    const clearance = handlingCode(report)
    const allowed = network.topics.find(({ name }) => name === topic)
    const own = grantOf(topic, member)
    t.equal(meta.originator, member)
    t.equal(allowed?.status, 'exercise')
    t.ok(allowed?.schemas.includes(report.type), 'the topic takes the type')
    t.ok(own?.publish === true && own.clearance >= clearance, 'the member may publish it')
    t.ok(hasDevice(member, clearance, true), 'and has a device for it')
    for (const reader of [...(to ?? []), ...network.flu]) {
      const grant = grantOf(topic, reader)
      t.ok(grant?.read === true && grant.clearance >= clearance, `${reader} may read it`)
      t.ok(hasDevice(reader, clearance, false), `${reader} has a device for it`)
    }
    for (const code of meta.handling.releasableTo ?? []) {
      t.ok(
        network.members.some((entry) => entry.code === code),
        `${code} is a member`,
      )
    }
    t.end()
  })
}

t.test('references and threads lead to earlier examples', (t) => {
  const issued = new Map(loaded.map(({ report }) => [report.meta.id, report.meta.issued]))
  t.equal(issued.size, loaded.length, 'ids are unique')
  for (const { file, report } of loaded) {
    const { id, references, thread } = report.meta
    for (const earlier of [...references, ...(thread === undefined ? [] : [thread])]) {
      const at = issued.get(earlier)
      t.ok(at !== undefined && (earlier === id || at < report.meta.issued), `${file}: ${earlier}`)
    }
    const ms = Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)
    t.equal(ms, Date.parse(report.meta.issued), `${file}: the id carries the moment of issue`)
  }
  t.end()
})

t.test('the example network is that of the conclusions', (t) => {
  const codes = (kind: string): readonly string[] =>
    network.members.filter((member) => member.kind === kind).map(({ code }) => code)
  t.same(codes('state'), ['DZ', 'BF', 'TD', 'CI', 'GN', 'LY', 'ML', 'MR', 'NE', 'NG', 'SN'])
  t.same(codes('organisation'), ['ACSRT', 'AUC', 'CEMOC', 'CISSA', 'ECOWAS', 'EU', 'FLU', 'UN'])
  t.same(codes('observer'), ['CN', 'FR', 'RU', 'GB', 'US'])
  t.equal(network.example, true)
  const organisations = new Set(network.administrators.map(({ org }) => org))
  t.equal(network.administrators.length, 5)
  t.equal(organisations.size, 5)
  t.ok(network.thresholds.r < organisations.size, 'one organisation may be away')
  t.ok(network.thresholds.m >= 2 && network.thresholds.r > network.thresholds.m)
  t.ok(network.devices.filter(({ member }) => network.flu.includes(member)).length >= 2)
  t.end()
})

t.test('topics cover the paragraphs, in four languages', (t) => {
  const paragraphs = network.topics.map(({ paragraph }) => paragraph).join(', ')
  for (const wanted of [
    '5',
    '6',
    '8(a)',
    '8(b)',
    '8(c)',
    '8(d)',
    '8(e)',
    '8(f)',
    '9',
    '10-12',
    '13',
    '14',
  ]) {
    t.ok(paragraphs.split(', ').includes(wanted), `paragraph ${wanted}`)
  }
  for (const { names } of network.members)
    t.same(Object.keys(names).sort(), ['ar', 'en', 'fr', 'pt'])
  for (const { titles, schemas } of network.topics) {
    t.same(Object.keys(titles).sort(), ['ar', 'en', 'fr', 'pt'])
    t.same(
      schemas.filter((name) => !(reportNames as readonly string[]).includes(name)),
      [],
    )
  }
  t.end()
})

t.test('grants name what exists, once, and always the FLU', (t) => {
  const members = new Map(network.members.map(({ code, kind }) => [code, kind]))
  const seen = new Set<string>()
  for (const { topic, members: granted } of network.grants) {
    t.ok(
      network.topics.some(({ name }) => name === topic),
      topic,
    )
    for (const code of granted) {
      t.ok(members.has(code) && members.get(code) !== 'observer', `${code} may be granted ${topic}`)
      t.notOk(seen.has(`${topic} ${code}`), `${code} has one grant on ${topic}`)
      seen.add(`${topic} ${code}`)
    }
  }
  for (const { name } of network.topics) {
    const highest = Math.max(
      ...network.grants.filter(({ topic }) => topic === name).map(({ clearance }) => clearance),
    )
    for (const flu of network.flu) {
      const grant = grantOf(name, flu)
      t.ok(grant?.read === true && grant.clearance === highest, `${flu} reads all of ${name}`)
    }
  }
  for (const { member } of network.devices) t.ok(members.has(member), `${member} is listed`)
  t.end()
})
