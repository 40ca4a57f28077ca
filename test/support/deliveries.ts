import { sha256, toHex, utf8 } from '@liaison/protocol'
import type { ControlBody, Report } from '@liaison/schemas'
import { validateControl, validateReport } from '@liaison/schemas/reports'
import type { ThreadItem } from '../../client-sdk/src/threads/index.ts'

/** Report id with this number. */
export const idOf = (n: number): string =>
  `0195a1c0-0000-7000-8000-${n.toString(16).padStart(12, '0')}`

const coreBytes = (n: number): Uint8Array => sha256(utf8(`envelope ${n}`))

/** Core hash that {@link delivered} gives to the report with this number. */
export const coreOf = (n: number): string => toHex(coreBytes(n))

/** What a test says about a report; everything else has a usual value. */
export interface ReportSpec {
  readonly n: number
  readonly member: string
  /** Day and hour in March 2013. */
  readonly issued?: string
  readonly meta?: object
  readonly body: { readonly type: string; readonly [field: string]: unknown }
  readonly verified?: ThreadItem['verified']
  /** When it arrived, ms; its number when absent. */
  readonly receivedAt?: number
  /** Schema as the header names it; empty for one that this release does not know. */
  readonly schema?: string
}

/** A delivery of a report that really is valid. @throws Error with what is wrong with it. */
export function delivered(spec: ReportSpec): ThreadItem {
  const { n, member, issued = '17T09:00:00', body } = spec
  const report = {
    version: 1,
    title: `Report ${n}`,
    summary: `What report ${n} says.`,
    ...body,
    meta: {
      id: idOf(n),
      originator: member,
      issued: `2013-03-${issued}Z`,
      msgType: 'alert',
      references: [],
      status: 'exercise',
      precedence: 'routine',
      handling: { tlp: 'GREEN' },
      lang: 'en',
      ...spec.meta,
    },
  }
  if (spec.schema !== '') {
    const result = validateReport(report)
    if (!result.ok) throw new Error(`report ${n}: ${JSON.stringify(result.problems)}`)
  }
  return item(spec, report)
}

/** A delivery of feedback about a report. */
export function feedback(spec: Omit<ReportSpec, 'body'>, about: string, kind: string): ThreadItem {
  const { n, member, issued = '17T09:00:00' } = spec
  const body = {
    type: 'feedback',
    version: 1,
    meta: {
      id: idOf(n),
      originator: member,
      issued: `2013-03-${issued}Z`,
      status: 'exercise',
      lang: 'en',
    },
    about,
    kind,
  }
  const result = validateControl(body)
  if (!result.ok) throw new Error(`feedback ${n}: ${JSON.stringify(result.problems)}`)
  return item({ ...spec, body }, body)
}

function item(spec: ReportSpec, report: object): ThreadItem {
  return {
    core: coreBytes(spec.n),
    from: { device: 1, member: spec.member, label: undefined },
    schema: spec.schema ?? spec.body.type,
    report: report as Report & ControlBody,
    verified: spec.verified ?? true,
    receivedAt: spec.receivedAt ?? spec.n,
  }
}

/** A moment in March 2013, ms. */
export const march = (moment: string): number => Date.parse(`2013-03-${moment}Z`)

/** A small spot report. */
export const spotrep = {
  type: 'spotrep',
  activity: { code: 'movement' },
  place: { country: 'ML', precision: 'admin1' },
  time: { from: '2013-03-16T06:00:00Z', precision: 'day' },
} as const
