import type { EpochMs, NetworkId } from '../brand.ts'
import { compareBytes, toHex } from '../bytes.ts'
import { networkIdOf } from '../crypto/hash.ts'
import type { ErrorCode } from '../errors.ts'
import { limits } from '../limits.ts'
import { emptyRoot } from '../merkle.ts'
import { err, ok, type Result } from '../result.ts'
import { epochMs } from '../time.ts'
import { type Operation, type Operations, operationOf, type Statement } from './operations.ts'
import { requirementOf } from './requirement.ts'
import { judgeEnrol, judgeEpoch } from './rules-device.ts'
import { judgeGrant, judgeMember, judgeSchema, judgeTopic } from './rules-records.ts'
import { judgeGenesis, judgePolicy, judgeQuorum, judgeStanding } from './rules-root.ts'
import { isEnough, signersOrdered, soloSuspension, verifySelf, verifySigners } from './signers.ts'
import type { DirectoryState } from './state.ts'
import { decodeEntry, decodeStatement, type Entry, verifyStatement } from './statement.ts'
import { namedEntries, standingSubject, subjectsOf } from './subjects.ts'

/** An entry that the directory would accept as its next one. */
export interface CheckedEntry {
  readonly bytes: Uint8Array
  /** Position that it would get. */
  readonly index: number
  /** Log time that it would get. */
  readonly time: EpochMs
  readonly statement: Statement
  readonly operation: Operation
  /** Hex of the administrator's key that a suspension by one alone is charged to. */
  readonly chargedTo: string | null
}

/** An entry taken apart, its form judged and nothing else. */
export interface OpenedEntry extends Entry {
  readonly statement: Statement
  readonly operation: Operation
}

/** Takes an entry apart down to its typed operation. */
export function openEntry(bytes: Uint8Array): Result<OpenedEntry, ErrorCode> {
  if (bytes.length > limits.entryBytesMax) return err('entry_malformed')
  const entry = decodeEntry(bytes)
  if (!entry.ok) return err('entry_malformed')
  const statement = decodeStatement(entry.value.stmt)
  if (!statement.ok) return err('entry_malformed')
  const operation = operationOf(statement.value)
  if (typeof operation === 'string') return err(operation)
  const { t, exp } = statement.value
  if (exp < t || exp - t > limits.statementLifeMsMax) return err('entry_malformed')
  if (!signersOrdered(entry.value.signatures)) return err('signers_unordered')
  return ok({ ...entry.value, statement: statement.value, operation })
}

/** A genesis entry that every founding administrator has signed. */
export interface CheckedGenesis {
  readonly net: NetworkId
  readonly body: Operations['genesis']
  readonly checked: CheckedEntry
}

/** Judges a first entry. */
export function judgeFirst(bytes: Uint8Array): Result<CheckedGenesis, ErrorCode> {
  const opened = openEntry(bytes)
  if (!opened.ok) return opened
  const { stmt, signatures, statement, operation } = opened.value
  if (operation.op !== 'genesis') return err('entry_malformed')
  const [size, root] = statement.base
  if (size !== 0 || compareBytes(root, emptyRoot()) !== 0) return err('base_mismatch')
  const fault = judgeGenesis(operation.body)
  if (fault !== null) return err(fault)
  const net = networkIdOf(stmt)
  for (const [num, sig] of signatures) {
    const admin = operation.body.admins.find((one) => one.num === num)
    if (admin === undefined) return err('signer_unknown')
    if (!verifyStatement(net, admin.key, stmt, sig)) return err('signature_invalid')
  }
  if (signatures.length !== operation.body.admins.length) return err('quorum_missing')
  const time = epochMs(statement.t)
  const checked = { bytes, index: 0, time, statement, operation, chargedTo: null }
  return ok({ net, body: operation.body, checked })
}

/** Judges an entry as the next one of a directory; cheap rules first, signatures last. */
export function judgeEntry(
  state: DirectoryState,
  bytes: Uint8Array,
  now: EpochMs | null,
): Result<CheckedEntry, ErrorCode> {
  const opened = openEntry(bytes)
  if (!opened.ok) return opened
  const { statement, operation } = opened.value
  // Both clocks may be behind the other; log time never goes back.
  const time = epochMs(Math.max(state.time, statement.t))
  const fault =
    judgeBase(state, statement) ??
    judgeTime(state, statement, now) ??
    judgeConflict(state, statement, operation) ??
    judgeBody(state, operation, { t: epochMs(statement.t), time, now })
  if (fault !== null) return err(fault)
  const charged = judgeSignatures(state, opened.value, time)
  if (!charged.ok) return charged
  const index = state.size
  return ok({ bytes, index, time, statement, operation, chargedTo: charged.value })
}

function judgeBase(state: DirectoryState, { base, n }: Statement): ErrorCode | null {
  const [size, root] = base
  const known = size === 0 ? null : state.tree.rootAt(size)
  if (known === null || compareBytes(known, root) !== 0) return 'base_mismatch'
  return state.nonces.has(toHex(n)) ? 'nonce_used' : null
}

function judgeTime(state: DirectoryState, stmt: Statement, now: EpochMs | null): ErrorCode | null {
  if (stmt.t < state.timeAt(stmt.base[0])) return 'time_invalid'
  if (now !== null && stmt.t > now + limits.clockAheadMsMax) return 'time_invalid'
  // Also at admission, or the relay could admit what nobody can replay.
  if (stmt.exp < state.time) return 'statement_expired'
  return now !== null && now > stmt.exp ? 'statement_expired' : null
}

function judgeConflict(
  state: DirectoryState,
  { base }: Statement,
  op: Operation,
): ErrorCode | null {
  if (namedEntries(op).some((index) => index >= base[0])) return 'subject_unknown'
  // Taking rights away must always be possible, whoever is changing what at the same time.
  if (op.op === 'suspend') return null
  const changed = subjectsOf(op).untouched.some(
    (subject) => (state.changedAt.get(subject) ?? -1) >= base[0],
  )
  return changed ? 'subject_changed' : null
}

function judgeBody(
  state: DirectoryState,
  op: Operation,
  at: { readonly t: EpochMs; readonly time: EpochMs; readonly now: EpochMs | null },
): ErrorCode | null {
  switch (op.op) {
    case 'genesis':
      return 'entry_malformed'
    case 'quorum':
      return judgeQuorum(state, op.body)
    case 'policy':
      return judgePolicy(state, op.body)
    case 'member':
      return judgeMember(state, op.body)
    case 'topic':
      return judgeTopic(state, op.body)
    case 'schema':
      return judgeSchema(state, op.body)
    case 'grant':
      return judgeGrant(state, op.body)
    case 'enrol':
      return judgeEnrol(state, op.body, at.t)
    case 'epoch':
      return judgeEpoch(state, op.body, at)
    case 'suspend':
    case 'revoke':
    case 'resume':
      return judgeStanding(state, op)
  }
}

/** @returns the administrator's key that a suspension by one alone is charged to, else null. */
function judgeSignatures(
  state: DirectoryState,
  opened: OpenedEntry,
  time: EpochMs,
): Result<string | null, ErrorCode> {
  const op = opened.operation
  const need = requirementOf(state, op)
  if (need.from === 'self') {
    const fault = verifySelf(state, opened, need.dev)
    return fault === null ? ok(null) : err(fault)
  }
  const signers = verifySigners(state, opened, op)
  if (!signers.ok) return signers
  if (!isEnough(state, op, need, signers.value)) return err('quorum_missing')
  if (need.from !== 1 || op.op !== 'suspend') return ok(null)
  return soloSuspension(state, standingSubject(op.body).num, signers.value, time)
}
