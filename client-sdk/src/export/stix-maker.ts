import type { Report } from '@liaison/schemas'
import { v5 } from 'uuid'
import type { ExportStanding } from './export-standing.ts'
import type { StixObject } from './stix-markings.ts'

/** Namespace of our deterministic ids: exporting again gives the same objects, not new ones. */
const namespace = '7f1c2b0e-9d7c-5b0a-8a0f-2f6b4e2f8a51'

/** Founding day of the process, as the moment since when a member is known. */
export const membersSince = '2013-03-17T00:00:00.000Z'

/** Id of an object of a type; the same parts give the same id. */
export const idOf = (type: string, ...parts: readonly string[]): string =>
  `${type}--${v5(JSON.stringify([type, ...parts]), namespace)}`

/** Seconds become milliseconds: some consumers insist on three digits. */
export const stixTime = (instant: string): string => new Date(instant).toISOString()

/** Id of an object that is made from a report, of what stands at a pointer in it. */
export const idIn = (type: string, { meta }: Report, pointer: string): string =>
  idOf(type, meta.originator, meta.id, pointer)

/** An identity of an organisation or a system. */
export const identity = (name: string, kind: 'organization' | 'system'): StixObject => ({
  type: 'identity',
  spec_version: '2.1',
  id: idOf('identity', name),
  created: membersSince,
  modified: membersSince,
  name,
  identity_class: kind,
})

const ourselves = identity('Liaison', 'system')

/** What STIX has no observable for: what a patrol saw, and what was seized. */
const ownObservables = {
  'liaison-observation': 'What was seen: activity, number of persons or vehicles, unit, equipment.',
  'liaison-item': 'One seized item or lot: class, type, marks, quantity.',
} as const

/** Type of an observable of our own. */
export type OwnObservable = keyof typeof ownObservables

/** The definition of an observable of our own, with the identity that it names. */
export const extensionOf = (type: OwnObservable): readonly StixObject[] => [
  ourselves,
  {
    type: 'extension-definition',
    spec_version: '2.1',
    id: idOf('extension-definition', type),
    created_by_ref: ourselves.id,
    created: membersSince,
    modified: membersSince,
    name: type,
    schema: `${ownObservables[type]} Fields as in the report schemas of Liaison, version 1.`,
    version: '1.0.0',
    extension_types: ['new-sco'],
  },
]

/** Makes the objects of one report: all have its author, its time, its markings and its standing. */
export class StixMaker {
  readonly #report: Report
  readonly #base: Readonly<Record<string, unknown>>
  readonly #markings: readonly string[]

  /** @param markings Ids of the markings. */
  constructor(
    report: Report,
    author: string,
    markings: readonly string[],
    standing: ExportStanding,
  ) {
    const { meta } = report
    const isRevoked = standing.state === 'withdrawn' || standing.state === 'withdrawal'
    this.#report = report
    this.#markings = markings
    this.#base = {
      created_by_ref: author,
      created: stixTime(meta.issued),
      // What was withdrawn is a newer version of the object.
      modified: stixTime(isRevoked ? (standing.since ?? meta.issued) : meta.issued),
      ...(isRevoked ? { revoked: true } : {}),
      lang: meta.lang,
      object_marking_refs: markings,
    }
  }

  /** An object for what stands at a pointer of the report. */
  make(type: string, pointer: string, properties: object): StixObject {
    const id = idIn(type, this.#report, pointer)
    return { type, spec_version: '2.1', ...this.#base, id, ...properties }
  }

  /** An observable of our own; those have neither author nor time. */
  observable(type: OwnObservable, pointer: string, properties: object): StixObject {
    return {
      type,
      spec_version: '2.1',
      id: idIn(type, this.#report, pointer),
      object_marking_refs: this.#markings,
      ...properties,
      extensions: { [idOf('extension-definition', type)]: { extension_type: 'new-sco' } },
    }
  }
}
