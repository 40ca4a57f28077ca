/**
 * Every code that a problem can have, by the part that finds it. The group and the code together
 * are the message key, so `required` of `schema` is worded under `schema.required`.
 */
export const problemGroups = {
  /** The bytes: found before or while they are parsed. */
  body: [
    'too_large',
    'invalid_utf8',
    'json_syntax',
    'too_deep',
    'too_many_values',
    'duplicate_key',
    'forbidden_key',
    'unsafe_number',
    'lone_surrogate',
    'not_json',
  ],
  /** The structure: found by the published schema. */
  schema: [
    'unknown_type',
    'required',
    'unknown_field',
    'type',
    'const',
    'enum',
    'format',
    'pattern',
    'too_short',
    'too_long',
    'min',
    'max',
    'min_items',
    'max_items',
    'max_fields',
    'field_name',
    'any_of',
    'other',
  ],
  /** The meaning: found by the named checks, once the structure is right. */
  check: [
    'ack_before_issued',
    'answer_ambiguous',
    'answer_repeated',
    'answer_without_request',
    'choices_missing',
    'closed_without_evidence',
    'closure_not_closed',
    'confidence_mismatch',
    'coordinates_too_fine',
    'count_out_of_range',
    'country_unknown',
    'decided_after_issued',
    'derivation_repeated',
    'due_before_issued',
    'due_by_mismatch',
    'effective_before_decided',
    'ends_before_decided',
    'ends_before_effective',
    'exercise_field_in_actual',
    'exercise_field_unknown',
    'invisible_text',
    'language_repeated',
    'last_seen_before_first_seen',
    'latest_useful_before_due',
    'legal_basis_missing',
    'mgrs_invalid',
    'mgrs_mismatch',
    'need_not_linked',
    'next_before_period_end',
    'observed_after_issued',
    'observed_ends_after_issued',
    'period_reversed',
    'personal_identifier',
    'progress_without_recommendation',
    'question_repeated',
    'range_reversed',
    'reference_not_by_hash',
    'reference_repeated',
    'references_itself',
    'ring_open',
    'same_country',
    'serial_of_several',
    'small_count',
    'small_count_derivable',
    'subdivision_mismatch',
    'tlp_in_text',
    'tracing_without_marks',
    'valid_until_before_issued',
  ],
} as const

type Groups = typeof problemGroups

/** Part that finds a problem. */
export type ProblemGroup = keyof Groups

/** Stable code of a problem, lower-case snake. */
export type ProblemCode = Groups[ProblemGroup][number]

/** What a message may fill in: rules of ours, never what the document holds. */
export type ProblemParams = Readonly<Record<string, string | number | readonly string[]>>

/** One thing that is wrong with a body. */
export interface Problem {
  /** Where, as a JSON pointer (RFC 6901). A missing or unknown field is named itself. */
  readonly pointer: string
  readonly code: ProblemCode
  /** Key of the wording in the catalogues: group, full stop, code. */
  readonly messageKey: string
  readonly params: ProblemParams
}

const groupOf: ReadonlyMap<ProblemCode, ProblemGroup> = new Map(
  Object.entries(problemGroups).flatMap(([group, codes]) =>
    codes.map((code): [ProblemCode, ProblemGroup] => [code, group as ProblemGroup]),
  ),
)

/** Makes a problem; the message key follows from the code. */
export const problem = (
  pointer: string,
  code: ProblemCode,
  params: ProblemParams = {},
): Problem => ({ pointer, code, messageKey: `${groupOf.get(code) ?? 'schema'}.${code}`, params })

/** One step of a JSON pointer, escaped. */
export const pointerStep = (key: string | number): string =>
  `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`

const namedKeyLengthMax = 60
const plainKey = /^[\p{L}\p{N}\p{P}\p{S}]+$/u

/**
 * Pointer to a field that the document brought itself. Its name is repeated only if it is short and
 * printable, because problems end up in logs and on terminals; otherwise the parent is named.
 */
export const pointerToUnknown = (parent: string, key: string): string =>
  key.length <= namedKeyLengthMax && plainKey.test(key) ? parent + pointerStep(key) : parent

/** More than a person corrects in one go; also bounds what is kept of a hostile document. */
export const problemsMax = 50

/** Problems without repetition, in the order of their pointers, at most {@link problemsMax}. */
export function tidy(problems: readonly Problem[]): readonly Problem[] {
  const seen = new Map(problems.map((entry) => [`${entry.pointer}\n${entry.code}`, entry]))
  return [...seen.values()]
    .sort((a, b) => comparePointers(a.pointer, b.pointer) || (a.code < b.code ? -1 : 1))
    .slice(0, problemsMax)
}

/** Steps of digits compare as numbers, so that item 2 comes before item 10. */
function comparePointers(a: string, b: string): number {
  const left = a.split('/')
  const right = b.split('/')
  for (let index = 0; index < Math.min(left.length, right.length); index += 1) {
    const l = left[index] ?? ''
    const r = right[index] ?? ''
    if (l === r) continue
    if (/^\d+$/.test(l) && /^\d+$/.test(r)) return Number(l) - Number(r)
    return l < r ? -1 : 1
  }
  return left.length - right.length
}
