import {
  type Directory,
  describeStatement,
  missingSignatures,
  type Operation,
  RelayError,
  type SignatureProgress,
  type StatementView,
  type Threshold,
  thresholdFor,
} from '@liaison/protocol'
import { adminLabel, deviceLabel, memberLabel, topicLabel } from './labels.ts'
import { networkOf, openStatementFile, type StatementFile } from './statement-file.ts'

/** A statement as an administrator reviews it before signing. */
export interface StatementReview extends StatementView {
  /** Fingerprint of the network that it belongs to. */
  readonly net: string
  /** Who has to sign; null for a genesis, which every founding administrator signs. */
  readonly threshold: Threshold | null
  readonly progress: SignatureProgress
  /** Names of the numbers in the body, in the order in which they occur. */
  readonly about: readonly string[]
  /** What the author wrote. Not signed, so it may say anything. */
  readonly summary?: string
}

/**
 * How far the gathering of signatures has come.
 *
 * @param directory null for a genesis.
 * @throws RelayError `network_mismatch`, `statement_file_malformed`.
 */
export function statementProgress(
  file: StatementFile,
  directory: Directory | null,
): SignatureProgress {
  const opened = openStatementFile(file)
  networkOf(file, opened, directory)
  const progress = missingSignatures(directory, opened.stmt, opened.signatures)
  if (!progress.ok) throw new RelayError(progress.error)
  return progress.value
}

/** Everything that a person should see before signing. Errors as of {@link statementProgress}. */
export function reviewStatement(file: StatementFile, directory: Directory | null): StatementReview {
  const opened = openStatementFile(file)
  const view = describeStatement(opened.stmt, networkOf(file, opened, directory))
  if (!view.ok) throw new RelayError(view.error)
  const { operation } = opened
  const founding = directory === null || operation.op === 'genesis'
  return {
    ...view.value,
    net: file.net,
    threshold: founding ? null : thresholdFor(directory, operation),
    progress: statementProgress(file, directory),
    about: directory === null ? [] : namesIn(operation, directory),
    ...(file.summary === undefined ? {} : { summary: file.summary }),
  }
}

function namesIn(operation: Operation, directory: Directory): string[] {
  const { op, body } = operation
  switch (op) {
    case 'enrol':
      return [memberLabel(directory, body.mem)]
    case 'grant':
      return [topicLabel(directory, body.top), memberLabel(directory, body.mem)]
    case 'epoch':
      return [deviceLabel(directory, body.dev)]
    case 'suspend':
    case 'revoke':
    case 'resume':
      if (body.dev !== undefined) return [deviceLabel(directory, body.dev)]
      if (body.mem !== undefined) return [memberLabel(directory, body.mem)]
      return [adminLabel(directory, body.adm ?? 0)]
    default:
      return []
  }
}
