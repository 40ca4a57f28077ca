import type { Questionnaire } from '@liaison/schemas'
import { type Deadline, deadlineOf } from './deadline.ts'
import { bodyAs, type KnownReport, type KnownReports } from './known-reports.ts'
import type { QuestionOptions } from './questions.ts'
import { newestOf, type Standing } from './standing.ts'

type Question = NonNullable<Questionnaire['questions']>[number]
type Answer = NonNullable<Questionnaire['answers']>[number]

/** What is wrong with the answer to one question. */
export interface AnswerProblem {
  readonly question: string
  readonly code:
    | 'question_unknown'
    | 'answer_missing'
    | 'answer_kind'
    | 'choice_unknown'
    | 'out_of_range'
}

/** The response of one member; the newest when it sent several. */
export interface QuestionnaireResponse {
  readonly id: string
  readonly core: string
  readonly member: string
  readonly issued: string
  readonly late: boolean
  readonly problems: readonly AnswerProblem[]
}

/** A questionnaire: who answered, who has not, and the report made from the answers. */
export interface QuestionnaireView {
  readonly id: string
  readonly core: string
  readonly issuer: string
  readonly due: string | null
  readonly deadline: Deadline
  readonly responses: readonly QuestionnaireResponse[]
  /** Members asked that have not responded; empty when it is not known who was asked. */
  readonly outstanding: readonly string[]
  readonly consolidation: {
    readonly id: string
    readonly core: string
    /** Responses cited, by core hash. */
    readonly cited: readonly string[]
    /** Responses cited that are not held here: not released to this member, or not yet. */
    readonly notHeld: readonly string[]
    /** Responses received that the report does not cite. */
    readonly notCited: readonly string[]
  } | null
}

/** The questionnaires among some reports. */
export function questionnairesIn(
  members: readonly KnownReport[],
  reports: KnownReports,
  standing: ReadonlyMap<string, Standing>,
  options: QuestionOptions,
): readonly QuestionnaireView[] {
  const current = members.filter(
    (known) => standing.get(known.core)?.state === 'current' && known.common.msgType !== 'cancel',
  )
  return current.flatMap((known) => {
    const issue = bodyAs(known, 'questionnaire')
    if (issue?.kind !== 'issue') return []
    const belongs = (body: Questionnaire): boolean => {
      const target = body.questionnaire === undefined ? null : reports.find(body.questionnaire)
      return target !== null && newestOf(target.core, standing) === known.core
    }
    const byMember = new Map<string, QuestionnaireResponse>()
    let consolidation: QuestionnaireView['consolidation'] = null
    for (const other of current) {
      const body = bodyAs(other, 'questionnaire')
      if (body === null || body.kind === 'issue' || !belongs(body)) continue
      if (body.kind === 'response') {
        byMember.set(other.member, {
          id: other.common.id,
          core: other.core,
          member: other.member,
          issued: other.common.issued,
          late: issue.due !== undefined && other.issued > Date.parse(issue.due),
          problems: answerProblems(issue.questions ?? [], body.answers ?? []),
        })
      } else if (other.member === known.member) {
        const cited = [...new Set((body.citations ?? []).map(({ response }) => response))]
        consolidation = {
          id: other.common.id,
          core: other.core,
          cited,
          notHeld: cited.filter((core) => reports.find(core) === null),
          notCited: [],
        }
      }
    }
    const responses = [...byMember.values()]
    const cited = new Set(consolidation?.cited ?? [])
    const asked = (options.asked ?? []).filter((code) => code !== known.member)
    return [
      {
        id: known.common.id,
        core: known.core,
        issuer: known.member,
        due: issue.due ?? null,
        deadline: deadlineOf(issue.due, options),
        responses,
        outstanding: asked.filter((code) => !byMember.has(code)),
        consolidation: consolidation && {
          ...consolidation,
          notCited: responses.map(({ core }) => core).filter((core) => !cited.has(core)),
        },
      },
    ]
  })
}

/** Whether answers fit the questions that they answer. */
export function answerProblems(
  questions: readonly Question[],
  answers: readonly Answer[],
): readonly AnswerProblem[] {
  const given = new Map(answers.map((answer) => [answer.question, answer]))
  const missing = questions
    .filter(({ answer, id }) => answer.required === true && !given.has(id))
    .map(({ id }): AnswerProblem => ({ question: id, code: 'answer_missing' }))
  const wrong = answers.flatMap((answer): readonly AnswerProblem[] => {
    const question = questions.find(({ id }) => id === answer.question)
    const code = question === undefined ? 'question_unknown' : faultOf(question, answer)
    return code === null ? [] : [{ question: answer.question, code }]
  })
  return [...missing, ...wrong]
}

const valueNames = {
  text: 'text',
  'yes-no': 'yes',
  number: 'number',
  date: 'date',
  choice: 'choices',
  choices: 'choices',
} as const

function faultOf({ answer: form }: Question, answer: Answer): AnswerProblem['code'] | null {
  if (answer[valueNames[form.kind]] === undefined) return 'answer_kind'
  const { choices = [], number } = answer
  if (form.kind === 'choice' && choices.length !== 1) return 'answer_kind'
  const allowed = new Set((form.choices ?? []).map(({ code }) => code))
  if (choices.some((code) => !allowed.has(code))) return 'choice_unknown'
  const { max = Number.POSITIVE_INFINITY, min = Number.NEGATIVE_INFINITY } = form
  return number !== undefined && (number < min || number > max) ? 'out_of_range' : null
}
