import type { ActorProfile, Report, Rfi, Seizure, Spotrep } from '@liaison/schemas'
import { type FoundActor, type FoundPlace, timeOf, titleOf } from './exported-report.ts'
import { extensionOf, idIn, type StixMaker, stixTime } from './stix-maker.ts'
import type { StixObject } from './stix-markings.ts'

/** Another report of the same export, by its id or core hash. */
export type FindReport = (reference: string) => Report | undefined

/** A place as a `location`. */
export function locationOf(maker: StixMaker, place: FoundPlace): StixObject {
  const { country, subdivision, name, geometry, errorMetres } = place
  const [longitude, latitude] =
    geometry?.type === 'Point' ? (geometry.coordinates as readonly number[]) : []
  return maker.make('location', place.pointer, {
    name: name ?? subdivision ?? country,
    country,
    ...(subdivision === undefined ? {} : { administrative_area: subdivision }),
    ...(latitude === undefined || longitude === undefined ? {} : { latitude, longitude }),
    // Only together with coordinates may a precision be given.
    ...(latitude === undefined || errorMetres === undefined ? {} : { precision: errorMetres }),
  })
}

/** States and civilians are no threat actors, whatever part they played. */
export function actorOf(maker: StixMaker, { pointer, name, kind }: FoundActor): StixObject {
  if (kind === 'state-force') {
    return maker.make('identity', pointer, { name, identity_class: 'organization' })
  }
  if (kind === 'civilian') return maker.make('identity', pointer, { name, identity_class: 'class' })
  return maker.make('threat-actor', pointer, { name, threat_actor_types: [actorType(kind)] })
}

const actorType = (kind: string): string =>
  kind === 'criminal' || kind === 'network' ? 'crime-syndicate' : 'unknown'

/** What the objects of one report are made from. */
export interface Named {
  readonly places: readonly StixObject[]
  readonly actors: readonly StixObject[]
  readonly find: FindReport
}

/** What a report is, beside being a report. */
export function ownObjects(maker: StixMaker, report: Report, named: Named): readonly StixObject[] {
  switch (report.type) {
    case 'spotrep':
      return spotrepObjects(maker, report, named)
    case 'seizure':
      return seizureObjects(maker, report)
    case 'border-measure':
      return [
        maker.make('course-of-action', '', { name: titleOf(report), description: report.summary }),
      ]
    case 'actor-profile':
      return profileObjects(maker, report, named.find)
    case 'rfi':
      return rfiNotes(maker, report)
    case 'intsum': {
      const reports = report.significant.flatMap(({ id }) => {
        const found = named.find(id)
        return found === undefined ? [] : [idIn('report', found, '')]
      })
      const object_refs = [...new Set([...reports, ...named.places.map(({ id }) => id)])]
      return object_refs.length === 0
        ? []
        : [
            maker.make('grouping', '', {
              name: titleOf(report),
              context: 'unspecified',
              object_refs,
            }),
          ]
    }
    default:
      return []
  }
}

function observed(
  maker: StixMaker,
  report: Report,
  observables: readonly StixObject[],
): StixObject {
  const { from, to } = timeOf(report)
  return maker.make('observed-data', '', {
    first_observed: stixTime(from),
    last_observed: stixTime(to ?? from),
    number_observed: 1,
    object_refs: observables.map(({ id }) => id),
  })
}

function spotrepObjects(
  maker: StixMaker,
  report: Spotrep,
  { actors, places }: Named,
): readonly StixObject[] {
  const { activity, equipment, size, unit } = report
  const { from, to } = timeOf(report)
  const seen = maker.observable('liaison-observation', '', {
    activity: activity.code,
    ...(activity.text === undefined ? {} : { text: activity.text }),
    ...(size === undefined ? {} : { size }),
    ...(unit === undefined ? {} : { unit }),
    ...(equipment === undefined || equipment.length === 0 ? {} : { equipment }),
  })
  const data = observed(maker, report, [seen])
  const incident = maker.make('incident', '', {
    name: titleOf(report),
    description: `${report.summary} (${from})`,
  })
  // Where and when which threat actor was seen.
  const sightings = actors
    .filter(({ type }) => type === 'threat-actor')
    .map((actor, i) =>
      maker.make('sighting', `sighting/${i}`, {
        sighting_of_ref: actor.id,
        observed_data_refs: [data.id],
        ...(places.length === 0 ? {} : { where_sighted_refs: places.map(({ id }) => id) }),
        first_seen: stixTime(from),
        last_seen: stixTime(to ?? from),
        count: 1,
      }),
    )
  return [...extensionOf('liaison-observation'), seen, data, incident, ...sightings]
}

function seizureObjects(maker: StixMaker, report: Seizure): readonly StixObject[] {
  const items = report.items.map(({ class: kind, type, ...more }, i) =>
    maker.observable('liaison-item', `/items/${i}`, {
      item_class: kind,
      // `type` is what STIX calls the kind of object.
      ...(type === undefined ? {} : { item_type: type }),
      ...more,
    }),
  )
  return [...extensionOf('liaison-item'), ...items, observed(maker, report, items)]
}

function profileObjects(
  maker: StixMaker,
  report: ActorProfile,
  find: FindReport,
): readonly StixObject[] {
  const [name, ...aliases] = report.names.map((one) => one.name)
  const { alliances = [], areas = [], firstSeen, kind, lastSeen } = report
  const known = {
    name,
    ...(aliases.length === 0 ? {} : { aliases }),
    ...(firstSeen === undefined ? {} : { first_seen: stixTime(firstSeen) }),
    ...(lastSeen === undefined ? {} : { last_seen: stixTime(lastSeen) }),
  }
  const actor = maker.make('threat-actor', '', { ...known, threat_actor_types: [actorType(kind)] })
  const set = maker.make('intrusion-set', '', known)
  const relate = (relation: string, pointer: string, from: StixObject, to: string, more = {}) =>
    maker.make('relationship', pointer, {
      relationship_type: relation,
      source_ref: from.id,
      target_ref: to,
      ...more,
    })
  const located = areas.flatMap(({ country, name: area, subdivision }, i) => {
    const location = maker.make('location', `/areas/${i}`, {
      name: area ?? subdivision ?? country,
      country,
      ...(subdivision === undefined ? {} : { administrative_area: subdivision }),
    })
    return [location, relate('located-at', `/areas/${i}`, actor, location.id)]
  })
  const allied = alliances.flatMap(({ name: other, ref, relation, since }, i) => {
    const at = `/alliances/${i}`
    const more = {
      description: relation,
      ...(since === undefined ? {} : { start_time: stixTime(since) }),
    }
    const profile = ref === undefined ? undefined : find(ref)
    if (profile?.type === 'actor-profile' && profile !== report) {
      return [relate('related-to', at, actor, idIn('threat-actor', profile, ''), more)]
    }
    if (other === undefined) return []
    const made = maker.make('threat-actor', at, { name: other, threat_actor_types: ['unknown'] })
    return [made, relate('related-to', at, actor, made.id, more)]
  })
  return [actor, set, relate('attributed-to', '', set, actor.id), ...located, ...allied]
}

/** Question and answers as notes on their report. */
function rfiNotes(maker: StixMaker, report: Rfi): readonly StixObject[] {
  const { answers = [], declineReason, justification, question, referredTo } = report
  const note = (pointer: string, abstract: string, content: string): StixObject =>
    maker.make('note', pointer, {
      abstract,
      content,
      authors: [report.meta.originator],
      object_refs: [idIn('report', report, '')],
    })
  const asked = [question, justification].filter((text) => text !== undefined).join('\n\n')
  return [
    ...(question === undefined ? [] : [note('/question', 'Question', asked)]),
    ...answers.map(({ text }, i) => note(`/answers/${i}`, 'Answer', text)),
    ...(declineReason === undefined ? [] : [note('/declineReason', 'Declined', declineReason)]),
    ...(referredTo === undefined ? [] : [note('/referredTo', 'Referred to', referredTo)]),
  ]
}

/** What a report says about another one of the export: that it is so, or that it is not. */
export function opinionsOf(
  maker: StixMaker,
  report: Report,
  find: FindReport,
): readonly StixObject[] {
  return (report.derivedFrom ?? []).flatMap(({ id, relation }, i) => {
    const about = find(id)
    if (about === undefined || about === report) return []
    if (relation !== 'confirms' && relation !== 'contradicts') return []
    return [
      maker.make('opinion', `/derivedFrom/${i}`, {
        opinion: relation === 'confirms' ? 'agree' : 'disagree',
        explanation: `${report.type} ${report.meta.id} ${relation} it`,
        authors: [report.meta.originator],
        object_refs: [idIn('report', about, '')],
      }),
    ]
  })
}
