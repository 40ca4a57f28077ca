import { toHex } from '@liaison/protocol'
import { type CommonFields, type ControlBody, commonFields, type Report } from '@liaison/schemas'
import type { ReportDelivery } from '../subscription.ts'

/** What the functions of this folder read of a delivery. */
export type ThreadItem = Pick<
  ReportDelivery,
  'core' | 'from' | 'receivedAt' | 'report' | 'schema' | 'verified'
>

/** A report that this device holds, with what every report has. */
export interface KnownReport {
  readonly common: CommonFields
  /** Core hash, 64 hexadecimal digits. */
  readonly core: string
  /** Member whose device signed it. */
  readonly member: string
  /** When it was issued, ms. */
  readonly issued: number
  /** The body, if this release knows its schema; null otherwise. */
  readonly body: Report | ControlBody | null
  readonly verified: ReportDelivery['verified']
}

/** The reports of a list of deliveries, by id and by core hash. */
export class KnownReports {
  /** In the order of issue; what was issued at the same moment in the order of core hashes. */
  readonly all: readonly KnownReport[]
  readonly #byName = new Map<string, KnownReport>()

  constructor(items: readonly ThreadItem[]) {
    const known: KnownReport[] = []
    // Who uses the id of another member's report has seen it first, so the first to arrive keeps the name.
    const arrived = [...items].sort((a, b) => a.receivedAt - b.receivedAt)
    for (const item of arrived) {
      const report = knownOf(item)
      if (report === null || this.#byName.has(report.core)) continue
      this.#byName.set(report.core, report)
      // Another content under a used name may be found by its hash only, or it would take the name over.
      if (item.verified === 'conflict') continue
      known.push(report)
      if (!this.#byName.has(report.common.id)) this.#byName.set(report.common.id, report)
    }
    this.all = known.sort(byIssue)
  }

  /** The report that a reference names, by id or core hash, or null when it is not held. */
  find(reference: string): KnownReport | null {
    return this.#byName.get(reference) ?? null
  }
}

/** Order of issue. */
export const byIssue = (a: KnownReport, b: KnownReport): number =>
  a.issued - b.issued || (a.core < b.core ? -1 : 1)

/** The body, if it is valid and of this type. */
export function bodyAs<T extends Report['type'] | ControlBody['type']>(
  known: KnownReport,
  type: T,
): Extract<Report | ControlBody, { readonly type: T }> | null {
  const { body } = known
  return body?.type === type ? (body as Extract<Report | ControlBody, { readonly type: T }>) : null
}

function knownOf(item: ThreadItem): KnownReport | null {
  const common = commonFields(item.report)
  if (common === null) return null
  return {
    common,
    core: toHex(item.core),
    member: item.from.member,
    issued: Date.parse(common.issued),
    body: item.schema === common.type ? item.report : null,
    verified: item.verified,
  }
}
