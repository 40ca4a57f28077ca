import type { Report } from '@liaison/schemas'

/** A report on its way to other software, with where it came from. */
export interface ExportedReport {
  readonly report: Report
  /** Name of the topic, when the report came from a feed. */
  readonly topic?: string
  /** Core hash of its envelope, hexadecimal, when it is known: others may refer to it by that. */
  readonly core?: string
}

/** What holds for every form of export. */
export interface ExportOptions {
  /** Types that are exported although by default they stay in the network. */
  readonly include?: readonly string[]
}

/** A report that was left out, and why. */
export interface LeftOut {
  readonly id: string
  readonly type: string
  readonly why: string
}

/** A place somewhere in a report, with its JSON pointer. */
export interface FoundPlace {
  readonly pointer: string
  readonly country: string
  readonly subdivision?: string
  readonly name?: string
  readonly precision: string
  readonly errorMetres?: number
  readonly geometry?: { readonly type: string; readonly coordinates: unknown }
}

/** A named actor somewhere in a report. */
export interface FoundActor {
  readonly pointer: string
  readonly name: string
  readonly kind: string
  readonly role: string
}

type Fields = Readonly<Record<string, unknown>>

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Visits every object in a report, `x` and `meta` left out: these say nothing about the world. */
function visit(value: unknown, pointer: string, see: (fields: Fields, pointer: string) => void) {
  if (Array.isArray(value)) {
    for (const [i, one] of value.entries()) visit(one, `${pointer}/${i}`, see)
  } else if (isFields(value)) {
    see(value, pointer)
    for (const [key, one] of Object.entries(value)) {
      if (pointer === '' && (key === 'x' || key === 'meta')) continue
      visit(one, `${pointer}/${key}`, see)
    }
  }
}

/** All places that a report names, wherever they stand in it. */
export function placesOf(report: Report): readonly FoundPlace[] {
  const found: FoundPlace[] = []
  visit(report, '', (fields, pointer) => {
    if (typeof fields['country'] !== 'string' || typeof fields['precision'] !== 'string') return
    found.push({ ...(fields as unknown as FoundPlace), pointer })
  })
  return found
}

/** All actors that a report names; those that it only refers to are in another report. */
export function actorsOf(report: Report): readonly FoundActor[] {
  const found: FoundActor[] = []
  visit(report, '', (fields, pointer) => {
    const { name, kind, role } = fields
    if (typeof name !== 'string' || typeof kind !== 'string' || typeof role !== 'string') return
    found.push({ pointer, name, kind, role })
  })
  return found
}

/** Time that a report speaks of: that of its observation if it names one, else when it was issued. */
export function timeOf(report: Report): { readonly from: string; readonly to?: string } {
  const fields = report as unknown as Fields
  for (const key of ['time', 'observed', 'period', 'window']) {
    const span = fields[key]
    if (isFields(span) && typeof span['from'] === 'string') {
      const { from, to } = span as { readonly from: string; readonly to?: string }
      return to === undefined ? { from } : { from, to }
    }
  }
  return { from: report.meta.issued }
}

/** What is not real says so first, in every form and language; null for what is. */
export const statusWord = ({ meta }: Report): 'EXERCISE' | 'TEST' | null =>
  meta.status === 'actual' ? null : meta.status === 'exercise' ? 'EXERCISE' : 'TEST'

/** A title that says at once whether it is an exercise or a test. */
export function titleOf(report: Report): string {
  const word = statusWord(report)
  return word === null ? report.title : `${word}: ${report.title}`
}
