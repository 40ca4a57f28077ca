import { dirname, join } from 'node:path'
import { formatNetworkFile } from '@liaison/client-sdk'
import {
  formatStatementFile,
  reviewStatement,
  type StatementFile,
  type StatementReview,
  statementProgress,
} from '@liaison/client-sdk/admin'
import type { Directory, SignatureProgress } from '@liaison/protocol'
import { type Desk, signWith } from './admin-desk.ts'
import type { Context } from './context.ts'
import { writeTextFile } from './files.ts'
import { clean, type JsonObject, moment } from './output.ts'

/** What a person reads before signing. */
export function reviewLines(review: StatementReview): string[] {
  const { threshold } = review
  const who =
    threshold === null
      ? 'every founding administrator'
      : threshold.from === 'all'
        ? 'every administrator'
        : `${threshold.orgs} organisation${threshold.orgs === 1 ? '' : 's'}`
  return [
    `Statement   ${review.op}, ${review.id.slice(0, 16)}`,
    ...review.about.map((name) => `About       ${clean(name)}`),
    ...bodyLines(review.body),
    `Written     ${moment(review.written)}, to be complete by ${moment(review.expires)}`,
    ...(review.fingerprint === undefined ? [] : [`Fingerprint ${review.fingerprint}`]),
    `Signatures  needed from ${who}; ${progressText(review.progress)}`,
    ...(review.summary === undefined
      ? []
      : [`Note        ${clean(review.summary)} (by the author, not signed)`]),
  ]
}

/** Keys and proofs say nothing to a person; the fingerprint stands for them. */
const unreadable = new Set(['ik', 'n', 'pop', 'kids', 'key', 'hash'])

function bodyLines(body: unknown): string[] {
  if (typeof body !== 'object' || body === null) return []
  return Object.entries(body)
    .filter(([key]) => !unreadable.has(key))
    .map(([key, value]) => `  ${key.padEnd(10)}${clean(valueText(key, value))}`)
}

function valueText(key: string, value: unknown): string {
  if ((key === 'nb' || key === 'na') && typeof value === 'number') return moment(value)
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** `1 of 2 organisations have signed (FLU)`. */
export function progressText({ have, need, unit, next }: SignatureProgress): string {
  const names = have.length === 0 ? '' : ` (${have.map(clean).join('; ')})`
  const others =
    next === undefined ? '' : `, and ${next.have.length} of ${next.need} of the new organisations`
  return `${have.length} of ${need} ${unit} have signed${names}${others}`
}

/** What came of a statement. */
export interface Settled {
  readonly file: StatementFile
  readonly progress: SignatureProgress
  /** Position in the directory, when it was appended. */
  readonly index: number | null
  /** Where the statement was written, when it was not. */
  readonly written: string | null
  /** Welcome file of a new device. */
  readonly welcome: string | null
}

/** Where things go. */
export interface SettleOptions {
  /** File for a statement that is not complete; it is replaced. */
  readonly out: string
  readonly welcome?: string | undefined
  /** Keep the signed statement as a file even when it is complete. */
  readonly hold?: boolean
}

/**
 * Signs a statement with all open keys. When that is enough and the relay is there it is appended;
 * otherwise the file for the next administrator is written.
 */
export async function settle(
  desk: Desk,
  unsigned: StatementFile,
  options: SettleOptions,
): Promise<Settled> {
  const file = signWith(unsigned, desk.directory, desk.keys)
  const progress = statementProgress(file, desk.directory)
  if (progress.complete && desk.session !== null && options.hold !== true) {
    return append(desk, file, progress, options)
  }
  await writeTextFile(options.out, formatStatementFile(file), { replace: true })
  return { file, progress, index: null, written: options.out, welcome: null }
}

/** Appends a complete statement and writes the welcome file of a new device. */
export async function append(
  desk: Desk,
  file: StatementFile,
  progress: SignatureProgress,
  { out, welcome }: SettleOptions,
): Promise<Settled> {
  const { session } = desk
  if (session === null) return { file, progress, index: null, written: null, welcome: null }
  const { index } = await session.append(file)
  const isDevice =
    session.directory.device(index) !== null && opOf(file, session.directory) === 'enrol'
  if (!isDevice) return { file, progress, index, written: null, welcome: null }
  const path = welcome ?? join(dirname(out), `welcome-${index}.json`)
  const text = formatNetworkFile(session.directory, desk.relays, index)
  await writeTextFile(path, text, { replace: true })
  return { file, progress, index, written: null, welcome: path }
}

const opOf = (file: StatementFile, directory: Directory): string =>
  reviewStatement(file, directory).op

/** Says what came of it and what to do next. */
export function tellSettled(context: Context, settled: Settled, more: JsonObject = {}): void {
  const { progress, index, written, welcome } = settled
  const state = index === null ? (progress.complete ? 'complete' : 'incomplete') : 'appended'
  context.out.data(
    {
      state,
      index,
      file: written,
      welcome,
      signatures: { have: progress.have, need: progress.need, unit: progress.unit },
      ...more,
    },
    () => [
      index === null
        ? `${progressText(progress)}: ${written}`
        : `In the directory as number ${index}; ${progressText(progress)}`,
      ...(welcome === null ? [] : [`Welcome file ${welcome}`]),
    ],
  )
  if (welcome !== null) {
    context.out.say(
      'Next: send the welcome file to the device, and there:',
      `  liaison --home DEVICE enrol status ${welcome}`,
    )
  } else if (index === null && progress.complete) {
    context.out.say(`Next: liaison admin append ${written} --identity KEYFILE`)
  } else if (index === null) {
    context.out.say(
      'Next: another administrator, of another organisation, signs the same file:',
      `  liaison admin sign ${written} --identity KEYFILE`,
    )
  }
}
