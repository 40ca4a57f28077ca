import { ContentError } from '@liaison/client-sdk'
import { errorRow, isRelayError, RelayError } from '@liaison/protocol'
import type { Problem } from '@liaison/schemas'
import { CommanderError } from 'commander'
import { clean, type JsonObject, schemaVersion } from './output.ts'

/** The person pressed Ctrl-C, or the system asked the process to end. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted'
}

/** The work was done, but the answer to "is it so?" is no: everything was said, only the exit code is left. */
export class SilentExit extends Error {
  override readonly name = 'SilentExit'
  readonly exit: number

  constructor(exit: number) {
    super(`exit ${exit}`)
    this.exit = exit
  }
}

/** A failure of the command with words of its own. @param field Option or file at fault. */
export const usage = (detail: string, field?: string): RelayError =>
  new RelayError('usage_invalid', { detail, ...(field === undefined ? {} : { field }) })

/** A failure as it is reported. */
export interface Failure {
  readonly exit: number
  readonly lines: readonly string[]
  readonly object: JsonObject
}

interface Report {
  readonly code: string
  readonly text: string
  readonly remedy: string
  readonly exit: number
  readonly field: string | undefined
  readonly detail: string | undefined
  readonly problems: readonly Problem[]
}

/** Says what happened, in which field, what to do next, and the code. Never a stack or a secret. */
export function describeFailure(error: unknown, hint?: string): Failure {
  const report = reportOf(error)
  const { code, text, remedy, exit, field, detail, problems } = report
  const where = field === undefined || problems.length > 0 ? '' : ` (${clean(field)})`
  const lines = [`liaison: ${clean(text)}${where}`]
  if (detail !== undefined) lines.push(`  ${clean(detail)}`)
  for (const problem of problems) lines.push(`  ${problemLine(problem)}`)
  lines.push(`  What to do: ${hint ?? remedy}`, `  Code: ${code} (exit ${exit})`)
  const fields = {
    code,
    text,
    remedy: hint ?? remedy,
    exit,
    ...(field === undefined ? {} : { field }),
    ...(detail === undefined ? {} : { detail }),
    ...(problems.length === 0 ? {} : { problems: problems.map(problemObject) }),
  }
  return { exit, lines, object: { schemaVersion, error: fields } }
}

function reportOf(error: unknown): Report {
  if (error instanceof CommanderError) return reportOf(usage(commanderText(error)))
  if (!isRelayError(error)) {
    // Unknown errors may quote anything, so their words are only shown on request (LIAISON_DEBUG=1).
    const row = errorRow('internal')
    return {
      code: 'internal',
      text: 'The command met an error of its own.',
      remedy: 'Run it again with LIAISON_DEBUG=1 and report what it prints.',
      exit: row.exit,
      field: undefined,
      detail: undefined,
      problems: [],
    }
  }
  const { code, field, detail } = error
  const { text, remedy, exit } = errorRow(code)
  const problems = error instanceof ContentError ? error.problems : []
  return { code, text, remedy, exit, field, detail, problems }
}

/** Commander prefixes its messages and adds hints on lines of their own. */
const commanderText = (error: CommanderError): string => {
  const text = error.message.replace(/^error: /, '').replaceAll('\n', ' ')
  return text.charAt(0).toUpperCase() + text.slice(1)
}

/** What a problem in a report means, in words. */
export function problemLine({ pointer, code, params }: Problem): string {
  const facts = Object.entries(params ?? {}).map(([key, value]) => `${key} ${shown(value)}`)
  const remedy = facts.length === 0 ? '' : ` (${facts.join(', ')})`
  return `${clean(pointer === '' ? '/' : pointer)}: ${wordsOf(code)}${clean(remedy)} [${code}]`
}

/** A problem as JSON. */
export const problemObject = ({ pointer, code, params }: Problem): JsonObject => ({
  field: pointer,
  code,
  text: wordsOf(code),
  ...(params === undefined ? {} : { params }),
})

const shown = (value: unknown): string => (Array.isArray(value) ? value.join('|') : String(value))

const words: { readonly [code: string]: string } = {
  required: 'is missing; add it',
  unknown_field: 'is not a field of this schema; remove it',
  unknown_type: 'is not a report type of this release; see `liaison schema list`',
  type: 'has the wrong kind of value',
  const: 'must have exactly the value that the schema gives',
  enum: 'must be one of the values of the schema',
  format: 'does not have the form of the schema',
  pattern: 'does not have the form of the schema',
  too_short: 'is too short',
  too_long: 'is too long; shorten it',
  min: 'is below the smallest value',
  max: 'is above the greatest value',
  min_items: 'has too few items',
  max_items: 'has too many items',
  json_syntax: 'is not JSON; check commas, quotes and brackets there',
  duplicate_key: 'occurs twice; keep one',
  too_large: 'is larger than a report may be',
  invalid_utf8: 'is not UTF-8 text',
}

/** Plain words for a code; the code itself, read aloud, where there are none. */
const wordsOf = (code: string): string => words[code] ?? `${code.replaceAll('_', ' ')}; correct it`
