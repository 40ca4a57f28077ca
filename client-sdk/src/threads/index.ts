/** Conversations as data: pure functions over what a device holds. */
export { type ActionOptions, type OpenAction, openActions } from './actions.ts'
export { type Corroboration, corroborationOf, type Support } from './corroboration.ts'
export type { ClockOptions, Deadline } from './deadline.ts'
export type { ThreadItem } from './known-reports.ts'
export type {
  AnswerProblem,
  QuestionnaireResponse,
  QuestionnaireView,
} from './questionnaires.ts'
export type {
  QuestionOptions,
  QuestionResponse,
  QuestionState,
  QuestionView,
} from './questions.ts'
export type { IgnoredReason, RecommendationView } from './recommendations.ts'
export type { Reactions, Standing } from './standing.ts'
export { type Thread, type ThreadEntry, threadOf } from './thread.ts'
