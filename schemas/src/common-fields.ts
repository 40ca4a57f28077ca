import { isInstant } from './formats.ts'
import type { Derivation, Meta } from './generated/types.ts'
import { type Tlp, tlpLabels } from './marking.ts'

/** What every report has, of whatever type and version; null is what is absent or has another form. */
export interface CommonFields {
  readonly type: string
  readonly version: number
  readonly id: string
  readonly originator: string
  /** RFC 3339, UTC. */
  readonly issued: string
  readonly msgType: Meta['msgType']
  /** References that have the form of one; others are left out. */
  readonly references: readonly string[]
  readonly thread: string | null
  readonly derivedFrom: readonly Derivation[]
  readonly tlp: Tlp | null
  readonly title: string | null
  readonly summary: string | null
  readonly lang: string | null
}

/**
 * Reads the common fields of a report that this release may not know: a newer version of a type, or a
 * type that did not exist yet. Nothing is removed from the value, so the rest survives for whoever
 * can read it.
 *
 * @param value A parsed body, not validated.
 * @returns Null when it does not say what it is, who issued it, when, and under which id.
 */
export function commonFields(value: unknown): CommonFields | null {
  const body = fieldsOf(value)
  const meta = fieldsOf(body['meta'])
  const type = matching(body['type'], /^[a-z][a-z0-9-]{0,39}$/)
  const version = body['version']
  const id = matching(meta['id'], reportId)
  const originator = matching(meta['originator'], /^[A-Z][A-Z0-9-]{1,15}$/)
  const issued = typeof meta['issued'] === 'string' && isInstant(meta['issued'])
  if (type === null || id === null || originator === null || !issued) return null
  if (typeof version !== 'number' || !Number.isSafeInteger(version) || version < 1) return null
  const tlp = fieldsOf(meta['handling'])['tlp']
  return {
    type,
    version,
    id,
    originator,
    issued: meta['issued'] as string,
    msgType: msgTypes.find((name) => name === meta['msgType']) ?? 'alert',
    references: listOf(meta['references']).filter(isReference),
    thread: matching(meta['thread'], reportId),
    derivedFrom: listOf(body['derivedFrom']).flatMap(derivationOf),
    tlp: tlpLabels.find((label) => label === tlp) ?? null,
    title: lineOf(body['title'], 160),
    summary: lineOf(body['summary'], 500),
    lang: matching(meta['lang'], /^[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$/),
  }
}

const reportId = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const coreHash = /^[0-9a-f]{64}$/
const msgTypes = ['alert', 'update', 'cancel'] as const
const relations = ['quotes', 'summarises', 'confirms', 'contradicts'] as const
const listMax = 50

type Fields = Readonly<Record<string, unknown>>

const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {}

const listOf = (value: unknown): readonly unknown[] =>
  Array.isArray(value) ? value.slice(0, listMax) : []

const matching = (value: unknown, pattern: RegExp): string | null =>
  typeof value === 'string' && pattern.test(value) ? value : null

const isReference = (value: unknown): value is string =>
  typeof value === 'string' && (reportId.test(value) || coreHash.test(value))

/** Control characters and direction overrides could make a list show something else. */
const unfit = /[\p{Cc}\p{Cs}\u2028-\u202e]/u

const lineOf = (value: unknown, lengthMax: number): string | null =>
  typeof value === 'string' && value.length > 0 && value.length <= lengthMax && !unfit.test(value)
    ? value
    : null

function derivationOf(value: unknown): readonly Derivation[] {
  const { id, relation } = fieldsOf(value)
  const known = relations.find((name) => name === relation)
  return isReference(id) && known !== undefined ? [{ id, relation: known }] : []
}
