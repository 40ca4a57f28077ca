import {
  type Directory,
  type EpochMs,
  fromHex,
  type Names,
  type Operations,
  RelayError,
} from '@liaison/protocol'
import { schemaRegistry } from '@liaison/schemas'
import { JsonFields, parseJson } from '../identity/json-fields.ts'
import { draftGrant, draftMember, draftSchema, draftTopic } from './drafts.ts'
import type { StatementFile } from './statement-file.ts'

/** Members, topics and rights of a network before any of them is in the directory. */
export interface NetworkDescription {
  readonly members: readonly {
    readonly code: string
    readonly kind: Operations['member']['kind']
    readonly names: Names
  }[]
  readonly topics: readonly {
    readonly name: string
    readonly titles: Names
    readonly status: Operations['topic']['status']
    /** Names of schemas of this release. */
    readonly schemas: readonly string[]
  }[]
  readonly grants: readonly {
    readonly topic: string
    /** Codes of members. */
    readonly members: readonly string[]
    readonly publish: boolean
    readonly read: boolean
    /** Highest handling code, 0..4. */
    readonly clearance: number
  }[]
}

const languages = ['fr', 'en', 'ar', 'pt'] as const

/**
 * Reads the members, topics and grants of a description; what else is in the file (administrators,
 * devices) is for others.
 *
 * @throws RelayError `config_invalid` with the first field that is wrong.
 */
export function parseNetworkDescription(text: string): NetworkDescription {
  const value = parseJson(text, bad)
  const all = typeof value === 'object' && value !== null ? Object.keys(value) : []
  const fields = new JsonFields(value, '', all, bad)
  const description: NetworkDescription = {
    members: fields.list('members', (item, at) => {
      const member = new JsonFields(item, at, ['code', 'kind', 'names'], bad)
      return {
        code: member.text('code', { min: 2, max: 16, pattern: /^[A-Z][A-Z0-9]*$/ }),
        kind: member.word('kind', ['state', 'organisation', 'observer']),
        names: readNames(member, 'names'),
      }
    }),
    topics: fields.list('topics', (item, at) => {
      const topic = new JsonFields(item, at, [...topicFields, 'paragraph'], bad)
      return {
        name: topic.text('name', { max: 64 }),
        titles: readNames(topic, 'titles'),
        status: topic.word('status', ['exercise', 'actual']),
        schemas: topic.texts('schemas', { max: 64 }, { max: 64 }),
      }
    }),
    grants: fields.list('grants', (item, at) => {
      const grant = new JsonFields(item, at, grantFields, bad)
      return {
        topic: grant.text('topic', { max: 64 }),
        members: grant.texts('members', { max: 16 }),
        publish: grant.flag('publish'),
        read: grant.flag('read'),
        clearance: grant.uint('clearance', { max: 4 }),
      }
    }),
  }
  checkReferences(description)
  return description
}

const topicFields = ['name', 'titles', 'status', 'schemas']
const grantFields = ['topic', 'members', 'publish', 'read', 'clearance']

function readNames(fields: JsonFields, key: string): Names {
  const names = fields.object(key, languages)
  const there = languages.filter((lang) => names.has(lang))
  if (there.length === 0) fields.bad(key)
  return Object.fromEntries(there.map((lang) => [lang, names.text(lang, { max: 200 })]))
}

/** Every name must be known and every right given once, or the order would decide what holds. */
function checkReferences({ members, topics, grants }: NetworkDescription): void {
  const codes = new Set(members.map((member) => member.code))
  const names = new Set(topics.map((topic) => topic.name))
  const schemas = new Set<string>(schemaRegistry.map((entry) => entry.name))
  if (codes.size !== members.length) bad('/members')
  if (names.size !== topics.length) bad('/topics')
  for (const [i, topic] of topics.entries()) {
    if (!topic.schemas.every((name) => schemas.has(name))) bad(`/topics/${i}/schemas`)
  }
  const given = new Set<string>()
  for (const [i, grant] of grants.entries()) {
    if (!names.has(grant.topic)) bad(`/grants/${i}/topic`)
    for (const [j, code] of grant.members.entries()) {
      const right = `${grant.topic} ${code}`
      if (!codes.has(code) || given.has(right)) bad(`/grants/${i}/members/${j}`)
      given.add(right)
    }
  }
}

/**
 * The statements of a description that can be written on the present directory: all missing members
 * and the schemas of this release first; when those are there, the topics; then the rights. Empty
 * when nothing is missing. What exists is left as it is, even where it differs: it may have been
 * changed on purpose.
 *
 * Statements of one batch do not depend on each other and can be appended in any order.
 */
export function bootstrapStatements(
  directory: Directory,
  description: NetworkDescription,
  now: EpochMs,
): StatementFile[] {
  return Array.from(nextBatch(directory, description), (draft) => draft(now))
}

/** The first missing statement of {@link bootstrapStatements}, or null when nothing is missing. */
export function nextBootstrap(
  directory: Directory,
  description: NetworkDescription,
  now: EpochMs,
): StatementFile | null {
  for (const draft of nextBatch(directory, description)) return draft(now)
  return null
}

type Draft = (now: EpochMs) => StatementFile

/** Lazily, so that asking for one statement does not write them all. */
function* nextBatch(directory: Directory, description: NetworkDescription): Generator<Draft> {
  for (const batch of [membersAndSchemas, topicsOf, grantsOf]) {
    let missing = false
    for (const draft of batch(directory, description)) {
      missing = true
      yield draft
    }
    if (missing) return
  }
}

function* membersAndSchemas(
  directory: Directory,
  { members }: NetworkDescription,
): Generator<Draft> {
  for (const { code, kind, names } of members) {
    if (directory.memberByCode(code) !== null) continue
    yield (now) => draftMember(directory, { code, kind, name: names }, now)
  }
  for (const { name, version, hash } of schemaRegistry) {
    const bytes = fromHex(hash) ?? bad(`schema ${name}`)
    if (directory.schemaByHash(bytes) !== null) continue
    yield (now) => draftSchema(directory, { name, ver: version, hash: bytes, state: 'active' }, now)
  }
}

function* topicsOf(directory: Directory, { topics }: NetworkDescription): Generator<Draft> {
  for (const { name, titles, status, schemas } of topics) {
    if (directory.topicByName(name) !== null) continue
    const sch = schemas.map((schema) => schemaNumber(directory, schema)).sort((a, b) => a - b)
    yield (now) => draftTopic(directory, { name, title: titles, status, sch }, now)
  }
}

function schemaNumber(directory: Directory, name: string): number {
  const entry = schemaRegistry.find((one) => one.name === name)
  const hash = entry === undefined ? null : fromHex(entry.hash)
  const found = hash === null ? null : directory.schemaByHash(hash)
  return found === null ? bad(`schema ${name}`) : found.num
}

function* grantsOf(directory: Directory, { grants }: NetworkDescription): Generator<Draft> {
  for (const { topic, members, publish, read, clearance } of grants) {
    const top = directory.topicByName(topic)?.num ?? bad(`topic ${topic}`)
    for (const code of members) {
      const mem = directory.memberByCode(code)?.num ?? bad(`member ${code}`)
      if (directory.grant(top, mem) !== null) continue
      const body = { top, mem, pub: publish ? 1 : 0, read: read ? 1 : 0, hc: clearance } as const
      yield (now) => draftGrant(directory, body, now)
    }
  }
}

function bad(field: string): never {
  throw new RelayError('config_invalid', { field })
}
