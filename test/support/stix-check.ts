import type { StixBundle, StixObject } from '@liaison/client-sdk/stix'

/** Properties that STIX 2.1 requires of an object, beside those that all have. */
const required: Readonly<Record<string, readonly string[]>> = {
  'course-of-action': ['name'],
  identity: ['name'],
  incident: ['name'],
  location: [],
  'marking-definition': [],
  note: ['content', 'object_refs'],
  report: ['name', 'published', 'object_refs'],
  sighting: ['sighting_of_ref'],
  'threat-actor': ['name'],
}

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
  const wanted = required[type]
  if (wanted === undefined) {
    bad(`type ${type} is not expected`)
    return
  }
  if (!new RegExp(`^${type}--${uuid}$`).test(id)) bad('id')
  if (spec_version !== '2.1') bad('spec_version')
  const times = type === 'marking-definition' ? ['created'] : ['created', 'modified']
  for (const name of [...times, ...wanted])
    if (object[name] === undefined) bad(`${name} is missing`)
  for (const [name, value] of Object.entries(object)) {
    const isTime = times.includes(name) || ['published', 'first_seen', 'last_seen'].includes(name)
    if (isTime && !instant.test(String(value))) bad(`${name} is no time: ${String(value)}`)
    if (Array.isArray(value) && value.length === 0) bad(`${name} is empty`)
    if (value === null || value === undefined || value === '') bad(`${name} is nothing`)
    for (const ref of refsIn(name, value)) if (!known.has(ref)) bad(`${name} refers to ${ref}`)
  }
  for (const { url } of (object['external_references'] ?? []) as readonly { url?: string }[]) {
    if (url !== undefined && !uri.test(url)) bad(`no URI: ${url}`)
  }
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

function refsIn(name: string, value: unknown): readonly string[] {
  if (name.endsWith('_ref')) return [String(value)]
  return name.endsWith('_refs') ? (value as readonly string[]) : []
}
