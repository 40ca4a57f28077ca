import { readFile } from 'node:fs/promises'
import { Directory, epochMs, sodiumReady, toHex } from '@liaison/protocol'
import { schemaRegistry } from '@liaison/schemas'
import t from 'tap'
import {
  bootstrapStatements,
  nextBootstrap,
  parseNetworkDescription,
} from '../../../../client-sdk/src/admin/bootstrap.ts'
import {
  openStatementFile,
  type StatementFile,
} from '../../../../client-sdk/src/admin/statement-file.ts'
import { append, foundedNetwork, signedByEnough, start } from './founding.ts'

await sodiumReady()

const text = await readFile(
  new URL('../../../../keys-example/network.json', import.meta.url),
  'utf8',
)
const description = parseNetworkDescription(text)
const now = epochMs(start + 1000)

const opOf = (file: StatementFile): string => openStatementFile(file).operation.op

t.test('the example network is filled statement by statement', async (t) => {
  const { directory, genesis } = foundedNetwork()
  const ops: string[] = []
  let file = nextBootstrap(directory, description, now)
  while (file !== null) {
    ops.push(opOf(file))
    append(directory, signedByEnough(file, directory), now)
    file = nextBootstrap(directory, description, now)
  }
  const { members, topics, grants } = description
  const rights = grants.flatMap((grant) => grant.members.map((code) => ({ ...grant, code })))
  t.equal(ops.length, members.length + schemaRegistry.length + topics.length + rights.length)
  t.strictSame([...new Set(ops)], ['member', 'schema', 'topic', 'grant'], 'in this order')
  for (const { code, kind, names } of members) {
    t.match(directory.memberByCode(code), { code, kind, name: names })
  }
  t.strictSame(
    directory.schemas().map((schema) => [schema.name, schema.ver, toHex(schema.hash)]),
    schemaRegistry.map((entry) => [entry.name, entry.version, entry.hash]),
  )
  for (const { name, titles, status, schemas } of topics) {
    const topic = directory.topicByName(name)
    t.match(topic, { title: titles, status })
    t.strictSame(
      topic?.schemas.map((num) => directory.schema(num)?.name).sort(),
      [...schemas].sort(),
    )
  }
  for (const { topic, code, publish, read, clearance } of rights) {
    const top = directory.topicByName(topic)?.num ?? -1
    const mem = directory.memberByCode(code)?.num ?? -1
    t.strictSame(directory.grant(top, mem), { publish, read, clearance }, `${topic} ${code}`)
  }
  t.equal(directory.isFlu(directory.memberByCode('FLU')?.num ?? -1), true)
  const entries = Array.from({ length: directory.size }, (_, i) => directory.entry(i) ?? genesis)
  t.equal(Directory.replay(entries).ok, true, 'anybody can replay it')
})

t.test('whole batches are drafted at once and appended in any order', async (t) => {
  const { directory } = foundedNetwork()
  const batches: string[] = []
  for (;;) {
    const batch = bootstrapStatements(directory, description, now)
    if (batch.length === 0) break
    batches.push([...new Set(batch.map(opOf))].join('+'))
    for (const file of batch.reverse()) append(directory, signedByEnough(file, directory), now)
  }
  t.strictSame(batches, ['member+schema', 'topic', 'grant'])
})

t.test('what exists is left as it is', async (t) => {
  const { directory } = foundedNetwork()
  const small = parseNetworkDescription(
    JSON.stringify({
      members: [{ code: 'ML', kind: 'state', names: { en: 'Mali' } }],
      topics: [],
      grants: [],
    }),
  )
  append(
    directory,
    signedByEnough(nextBootstrap(directory, small, now) as StatementFile, directory),
    now,
  )
  const renamed = {
    ...small,
    members: [{ code: 'ML', kind: 'state', names: { en: 'Other' } }],
  } as const
  t.strictSame(
    bootstrapStatements(directory, renamed, now).map(opOf),
    schemaRegistry.map(() => 'schema'),
  )
})

t.test('a description whose parts do not fit together is refused', async (t) => {
  const good = JSON.parse(text) as Record<string, Record<string, unknown>[]>
  const change = (name: string, at: number, part: object): string =>
    JSON.stringify({
      ...good,
      [name]: good[name]?.map((item, i) => (i === at ? { ...item, ...part } : item)),
    })
  const cases: readonly [string, string][] = [
    ['/members', change('members', 1, { code: 'DZ' })],
    ['/members/0/code', change('members', 0, { code: 'dz' })],
    ['/members/0/kind', change('members', 0, { kind: 'planet' })],
    ['/members/0/names', change('members', 0, { names: {} })],
    ['/members/0/names/de', change('members', 0, { names: { de: 'Algerien' } })],
    ['/topics', change('topics', 1, { name: 'terrorism' })],
    ['/topics/0/schemas', change('topics', 0, { schemas: ['gossip'] })],
    ['/topics/0/status', change('topics', 0, { status: 'drill' })],
    ['/grants/0/topic', change('grants', 0, { topic: 'sport' })],
    ['/grants/0/members/0', change('grants', 0, { members: ['XX'] })],
    ['/grants/0/members/1', change('grants', 0, { members: ['DZ', 'DZ'] })],
    ['/grants/0/clearance', change('grants', 0, { clearance: 5 })],
    ['/grants/0/publish', change('grants', 0, { publish: 1 })],
    ['/grants', JSON.stringify({ ...good, grants: undefined })],
    ['/', '{'],
  ]
  for (const [field, json] of cases) {
    t.throws(() => parseNetworkDescription(json), { code: 'config_invalid', field }, field)
  }
})
