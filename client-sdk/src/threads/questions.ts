import { type ClockOptions, type Deadline, deadlineOf } from './deadline.ts'
import { bodyAs, type KnownReport, type KnownReports } from './known-reports.ts'
import { newestOf, type Standing } from './standing.ts'

/** How a request for information stands. */
export type QuestionState = Deadline | 'answered' | 'declined' | 'referred'

/** One answer, interim answer, refusal or referral. */
export interface QuestionResponse {
  readonly id: string
  readonly core: string
  readonly member: string
  readonly kind: 'answer' | 'interim' | 'decline' | 'refer'
  readonly issued: string
  /** Issued after the due date. */
  readonly late: boolean
  readonly completeness: 'complete' | 'partial' | 'none' | null
  readonly referredTo: string | null
}

/** A request for information and what came back. */
export interface QuestionView {
  readonly id: string
  readonly core: string
  readonly asker: string
  readonly due: string | null
  readonly latestUseful: string | null
  readonly state: QuestionState
  /** False once an answer would come too late to be of use. */
  readonly stillUseful: boolean
  readonly responses: readonly QuestionResponse[]
  /** Members asked that have sent nothing final; empty when it is not known who was asked. */
  readonly outstanding: readonly string[]
}

/** Who was asked, and the clock. */
export interface QuestionOptions extends ClockOptions {
  /** Members to whom the question went; without it one refusal counts for all. */
  readonly asked?: readonly string[]
}

/** The state of every request among the members of a thread. Replaced versions are part of the newest one. */
export function questionsIn(
  members: readonly KnownReport[],
  reports: KnownReports,
  standing: ReadonlyMap<string, Standing>,
  options: QuestionOptions,
): readonly QuestionView[] {
  const stands = (known: KnownReport): boolean => standing.get(known.core)?.state === 'current'
  return members.flatMap((known) => {
    const request = bodyAs(known, 'rfi')
    if (request?.kind !== 'request' || request.meta.msgType === 'cancel' || !stands(known))
      return []
    const due = request.due ?? null
    const responses = members.flatMap((other): readonly QuestionResponse[] => {
      const body = bodyAs(other, 'rfi')
      if (body === null || body.kind === 'request' || !stands(other)) return []
      const about = other.common.references.some((reference) => {
        const target = reports.find(reference)
        return target !== null && newestOf(target.core, standing) === known.core
      })
      if (!about || body.meta.msgType === 'cancel') return []
      return [
        {
          id: other.common.id,
          core: other.core,
          member: other.member,
          kind: body.kind,
          issued: other.common.issued,
          late: due !== null && other.issued > Date.parse(due),
          completeness: body.completeness ?? null,
          referredTo: body.referredTo ?? null,
        },
      ]
    })
    const asked = options.asked?.filter((code) => code !== known.member)
    const final = new Set(responses.filter(({ kind }) => kind !== 'interim').map((r) => r.member))
    const useful = request.latestUseful
    return [
      {
        id: known.common.id,
        core: known.core,
        asker: known.member,
        due,
        latestUseful: useful ?? null,
        state: stateOf(responses, asked, deadlineOf(request.due, options)),
        stillUseful: useful === undefined || options.now <= Date.parse(useful),
        responses,
        outstanding: (asked ?? []).filter((code) => !final.has(code)),
      },
    ]
  })
}

function stateOf(
  responses: readonly QuestionResponse[],
  asked: readonly string[] | undefined,
  deadline: Deadline,
): QuestionState {
  const of = (kind: QuestionResponse['kind']): readonly QuestionResponse[] =>
    responses.filter((response) => response.kind === kind)
  if (of('answer').length > 0) return 'answered'
  const declined = new Set(of('decline').map(({ member }) => member))
  const open = of('refer').filter(({ referredTo }) => !declined.has(referredTo ?? ''))
  if (open.length > 0) return 'referred'
  const referred = of('refer').map(({ member }) => member)
  const gone = new Set([...declined, ...referred])
  const nobodyLeft = asked === undefined ? gone.size > 0 : asked.every((code) => gone.has(code))
  return declined.size > 0 && nobodyLeft && of('interim').length === 0 ? 'declined' : deadline
}
