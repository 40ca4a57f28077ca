import type { StixBundle, StixObject } from '@liaison/client-sdk/stix'

/** Properties that STIX 2.1 requires of an object, beside those that all have. */
const required: Readonly<Record<string, readonly string[]>> = {
  'course-of-action': ['name'],
  'extension-definition': ['created_by_ref', 'name', 'schema', 'version', 'extension_types'],
  grouping: ['context', 'object_refs'],
  identity: ['name'],
  incident: ['name'],
  'intrusion-set': ['name'],
  location: [],
  'marking-definition': [],
  note: ['content', 'object_refs'],
  'observed-data': ['first_observed', 'last_observed', 'number_observed', 'object_refs'],
  opinion: ['opinion', 'object_refs'],
  relationship: ['relationship_type', 'source_ref', 'target_ref'],
  report: ['name', 'published', 'object_refs'],
  sighting: ['sighting_of_ref'],
  'threat-actor': ['name'],
}

/** Observables of our own, which have neither author nor time, and need a definition. */
const observables: Readonly<Record<string, readonly string[]>> = {
  'liaison-item': ['item_class', 'extensions'],
  'liaison-observation': ['activity', 'extensions'],
}

/** Between which types STIX 2.1 names a relationship; `related-to` is for any. */
const relationships: Readonly<Record<string, readonly [string, string]>> = {
  'attributed-to': ['intrusion-set', 'threat-actor'],
  'located-at': ['threat-actor', 'location'],
}

const opinions = ['strongly-disagree', 'disagree', 'neutral', 'agree', 'strongly-agree']

/** The extension by which OASIS added TLP 2.0; its definition is in no bundle. */
const published = 'extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d'

const times = [
  'published',
  'first_seen',
  'last_seen',
  'first_observed',
  'last_observed',
  'start_time',
]

const uuid = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[89ab][0-9a-f]{3}-[0-9a-f]{12}'
const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

/** RFC 3986 has no other characters; `%` only before two hexadecimal digits. */
const uri = /^https?:\/\/(?:[\w\-.~:/?#[\]@!$&'()*+,;=]|%[\dA-Fa-f]{2})+$/

/** What a bundle does against STIX 2.1, section by section of what we use of it; empty is good. */
export function stixProblems(bundle: StixBundle): readonly string[] {
  const problems: string[] = []
  const known = new Map(bundle.objects.map((object) => [object.id, object]))
  if (known.size !== bundle.objects.length) problems.push('an object is there twice')
  if (!new RegExp(`^bundle--${uuid}$`).test(bundle.id)) problems.push(`bundle id ${bundle.id}`)
  for (const object of bundle.objects) {
    const bad = (what: string): void => void problems.push(`${object.id}: ${what}`)
    checkObject(object, known, bad)
  }
  return problems
}

function checkObject(
  object: StixObject,
  known: ReadonlyMap<string, StixObject>,
  bad: (what: string) => void,
): void {
  const { type, id, spec_version } = object
  const isObservable = observables[type] !== undefined
  const wanted = required[type] ?? observables[type]
  if (wanted === undefined) {
    bad(`type ${type} is not expected`)
    return
  }
  if (!new RegExp(`^${type}--${uuid}$`).test(id)) bad('id')
  if (spec_version !== '2.1') bad('spec_version')
  const made = isObservable
    ? []
    : type === 'marking-definition'
      ? ['created']
      : ['created', 'modified']
  for (const name of [...made, ...wanted]) if (object[name] === undefined) bad(`${name} is missing`)
  for (const [name, value] of Object.entries(object)) {
    const isTime = made.includes(name) || times.includes(name)
    if (isTime && !instant.test(String(value))) bad(`${name} is no time: ${String(value)}`)
    if (Array.isArray(value) && value.length === 0) bad(`${name} is empty`)
    if (value === null || value === undefined || value === '') bad(`${name} is nothing`)
    for (const ref of refsIn(name, value)) if (!known.has(ref)) bad(`${name} refers to ${ref}`)
  }
  for (const { url } of (object['external_references'] ?? []) as readonly { url?: string }[]) {
    if (url !== undefined && !uri.test(url)) bad(`no URI: ${url}`)
  }
  for (const extension of Object.keys(object['extensions'] ?? {})) {
    if (extension !== published && !known.has(extension)) bad(`extension ${extension}`)
  }
  checkMeaning(object, known, bad)
  const { confidence, latitude, longitude, country } = object
  if (confidence !== undefined && !(Number(confidence) >= 0 && Number(confidence) <= 100)) {
    bad('confidence')
  }
  if (type !== 'location') return
  if ((latitude === undefined) !== (longitude === undefined)) bad('half a position')
  if (Math.abs(Number(latitude ?? 0)) > 90 || Math.abs(Number(longitude ?? 0)) > 180)
    bad('position')
  if (object['precision'] !== undefined && latitude === undefined) bad('precision of nothing')
  if (latitude === undefined && country === undefined) bad('a place that is nowhere')
}

/** What the words of an object have to be, and which time comes first. */
function checkMeaning(
  object: StixObject,
  known: ReadonlyMap<string, StixObject>,
  bad: (what: string) => void,
): void {
  const { type, created, modified, revoked } = object
  if (revoked !== undefined && typeof revoked !== 'boolean') bad('revoked')
  const ordered = [
    [created, modified],
    [object['first_seen'], object['last_seen']],
    [object['first_observed'], object['last_observed']],
  ]
  for (const [first, last] of ordered) {
    if (first !== undefined && last !== undefined && String(last) < String(first)) {
      bad(`${String(last)} comes before ${String(first)}`)
    }
  }
  if (type === 'opinion' && !opinions.includes(String(object['opinion']))) bad('opinion')
  if (type === 'observed-data') {
    if (!(Number(object['number_observed']) >= 1)) bad('number_observed')
    for (const ref of refsIn('object_refs', object['object_refs'])) {
      if (observables[known.get(ref)?.type ?? ''] === undefined) bad(`${ref} cannot be observed`)
    }
  }
  if (type !== 'relationship') return
  const ends = [object['source_ref'], object['target_ref']].map((id) => known.get(String(id))?.type)
  const named = relationships[String(object['relationship_type'])]
  if (named !== undefined && (named[0] !== ends[0] || named[1] !== ends[1])) {
    bad(`${ends[0]} ${String(object['relationship_type'])} ${ends[1]}`)
  }
}

function refsIn(name: string, value: unknown): readonly string[] {
  if (name.endsWith('_ref')) return [String(value)]
  return name.endsWith('_refs') ? (value as readonly string[]) : []
}
