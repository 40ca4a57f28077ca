import { checksOf } from './checks/index.ts'
import * as validators from './generated/bodies.ts'
import type { ControlName, ReportName, SchemaName } from './generated/registry.ts'
import type { ControlBody, Report } from './generated/types.ts'
import { type Problem, problem, tidy } from './problem.ts'
import { problemsOfErrors } from './problems-of-errors.ts'
import type { Validate } from './runtime.ts'
import { checkTree } from './tree.ts'

export { type Parsed, parseBody, parseText } from './parse-body.ts'
export {
  type Problem,
  type ProblemCode,
  type ProblemGroup,
  type ProblemParams,
  problemGroups,
} from './problem.ts'
export { bodyLimits } from './tree.ts'

/** A body that matches its schema and the named checks, or what is wrong with it. */
export type Validation<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly Problem[] }

const reports: Readonly<Record<ReportName, Validate>> = {
  'actor-profile': validators.actorProfile,
  assessment: validators.assessment,
  'border-measure': validators.borderMeasure,
  'capacity-need': validators.capacityNeed,
  'humanitarian-site': validators.humanitarianSite,
  intrep: validators.intrep,
  intsum: validators.intsum,
  meeting: validators.meeting,
  questionnaire: validators.questionnaire,
  rfi: validators.rfi,
  seizure: validators.seizure,
  sitrep: validators.sitrep,
  spotrep: validators.spotrep,
  warning: validators.warning,
}

const controls: Readonly<Record<ControlName, Validate>> = {
  feedback: validators.feedback,
  recall: validators.recall,
  release: validators.release,
  violation: validators.violation,
}

/** Names of the report types of this release. */
export const reportNames: readonly ReportName[] = Object.keys(reports) as ReportName[]

/**
 * Checks a value against one schema and the named checks that go with it. The value is not changed.
 *
 * @param name Schema that the envelope's header names; the body's own `type` must agree.
 * @returns Problems in the order of their pointers, at most fifty. They never hold content. The
 * named checks run only once the structure is right.
 */
export function validateAs(name: SchemaName, value: unknown): Validation<Report | ControlBody> {
  const unfit = checkTree(value)
  if (unfit !== null) return { ok: false, problems: [unfit] }
  const validate = { ...reports, ...controls }[name]
  if (!validate(value)) {
    return { ok: false, problems: tidy(problemsOfErrors(validate.errors ?? [])) }
  }
  const body = value as Report | ControlBody
  const problems = checksOf(body)
  return problems.length === 0 ? { ok: true, value: body } : { ok: false, problems: tidy(problems) }
}

/** Checks a report of whatever type it says it has. */
export function validateReport(value: unknown): Validation<Report> {
  const name = typeOf(value)
  if (!isIn(reports, name)) return unknownType(Object.keys(reports))
  return validateAs(name, value) as Validation<Report>
}

/** Checks the body of a control envelope of whatever type it says it has. */
export function validateControl(value: unknown): Validation<ControlBody> {
  const name = typeOf(value)
  if (!isIn(controls, name)) return unknownType(Object.keys(controls))
  return validateAs(name, value) as Validation<ControlBody>
}

const isIn = <K extends string>(table: Readonly<Record<K, Validate>>, key: unknown): key is K =>
  typeof key === 'string' && Object.hasOwn(table, key)

function typeOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return undefined
  return Object.getOwnPropertyDescriptor(value, 'type')?.value
}

const unknownType = (allowed: readonly string[]): Validation<never> => ({
  ok: false,
  problems: [problem('/type', 'unknown_type', { allowed })],
})
