import { type KnownReport, KnownReports, type ThreadItem } from './known-reports.ts'
import { type QuestionnaireView, questionnairesIn } from './questionnaires.ts'
import { type QuestionOptions, type QuestionView, questionsIn } from './questions.ts'
import { type RecommendationView, recommendationsIn } from './recommendations.ts'
import { type Reactions, reactionsTo, type Standing, standings } from './standing.ts'
import { rootOf } from './thread-root.ts'

/** One report of a conversation. */
export interface ThreadEntry extends Standing, Reactions {
  readonly id: string
  /** Core hash, 64 hexadecimal digits. */
  readonly core: string
  readonly type: string
  readonly version: number
  /** Member whose device signed it. */
  readonly member: string
  readonly issued: string
  readonly title: string | null
  readonly verified: ThreadItem['verified']
}

/** A conversation as data: nothing in it depends on anything but the deliveries and the clock. */
export interface Thread {
  /** Id of the first report, which may not be held here. */
  readonly root: string
  /** In the order of issue. */
  readonly entries: readonly ThreadEntry[]
  readonly questions: readonly QuestionView[]
  readonly recommendations: readonly RecommendationView[]
  readonly questionnaires: readonly QuestionnaireView[]
}

/**
 * The conversation that a report belongs to: what replaced what, who confirms and who contradicts, and
 * how its requests, recommendations and questionnaires stand.
 *
 * @param deliveries What the device holds, in any order.
 * @param id Id or core hash of any report of the conversation.
 * @returns Null when neither the report nor anything that belongs to it is held.
 */
export function threadOf(
  deliveries: readonly ThreadItem[],
  id: string,
  options: QuestionOptions,
): Thread | null {
  const reports = new KnownReports(deliveries)
  const standing = standings(reports)
  const named = reports.find(id)
  const root = named === null ? id : rootOf(named, reports)
  const members = reports.all.filter((known) => rootOf(known, reports) === root)
  if (members.length === 0) return null
  return {
    root,
    entries: members.map((known) => entryOf(known, reports, standing)),
    questions: questionsIn(members, reports, standing, options),
    recommendations: recommendationsIn(members, reports, standing, options),
    questionnaires: questionnairesIn(members, reports, standing, options),
  }
}

function entryOf(
  known: KnownReport,
  reports: KnownReports,
  standing: ReadonlyMap<string, Standing>,
): ThreadEntry {
  const { id, issued, title, type, version } = known.common
  const { core, member, verified } = known
  const stands = standing.get(core) ?? { state: 'current', by: null }
  const own = { id, core, type, version, member, issued, title, verified }
  return { ...own, ...stands, ...reactionsTo(reports, known) }
}
