import {
  type Administrator,
  type Directory,
  type EpochMs,
  encodeEntry,
  encodeStatement,
  type OperationName,
  type Operations,
  RelayError,
  type Standing,
} from '@liaison/protocol'
import { type EnrolmentRequest, openEnrolmentRequest } from '../identity/enrolment.ts'
import { deviceLabel, memberLabel } from './labels.ts'
import { newStatementFile, type StatementFile } from './statement-file.ts'

/** What the administrators decide about a device that asks to be enrolled. */
export interface EnrolDecision {
  /** Highest handling code, 0..4. */
  readonly clearance: number
  /** Enrolment holds from (inclusive) and until (exclusive), ms. */
  readonly validFrom: number
  readonly validUntil: number
  readonly now: EpochMs
}

/** Every draft may carry a note for the other administrators; it is not signed. */
interface DraftExtra {
  readonly summary?: string
  readonly blobs?: readonly Uint8Array[]
}

/**
 * Writes a statement on the present directory and judges it by the directory's own rules, so that
 * nobody gathers signatures for what would be refused.
 *
 * @throws RelayError with the directory's code.
 */
function draft<K extends OperationName>(
  directory: Directory,
  op: K,
  body: Operations[K],
  now: EpochMs,
  extra: DraftExtra = {},
): StatementFile {
  const stmt = encodeStatement({
    op,
    body,
    base: [directory.size, directory.root],
    // Log time never goes back: a slow clock must not make the statement older than its base.
    t: Math.max(now, directory.time),
  })
  // The rules look at signatures last, and number 0 is nobody's: what they find before is the
  // statement's own fault.
  const judged = directory.check(encodeEntry(stmt, [[0, new Uint8Array(64)]]), null)
  if (!judged.ok && judged.error !== 'signer_unknown') {
    throw new RelayError(judged.error, { field: op })
  }
  return newStatementFile(directory.net, stmt, extra)
}

/**
 * Drafts the enrolment of a device.
 *
 * @throws RelayError as for `parseEnrolmentRequest`, `subject_unknown` when the member's number and
 * code do not belong together, or the directory's code.
 */
export function draftEnrol(
  directory: Directory,
  request: EnrolmentRequest,
  decision: EnrolDecision,
): StatementFile {
  const checked = openEnrolmentRequest(request, directory.net)
  if (directory.member(checked.mem)?.code !== checked.memberCode) {
    throw new RelayError('subject_unknown', { field: '/memberCode' })
  }
  const { memberCode: _code, publicKeys: blobs, ...asked } = checked
  const { clearance: hc, validFrom: nb, validUntil: na, now } = decision
  const label = checked.label ?? checked.org
  return draft(directory, 'enrol', { ...asked, hc, nb, na }, now, {
    summary: `Enrol a device of ${memberLabel(directory, checked.mem)}: ${label}`,
    blobs,
  })
}

const standingDraft =
  (op: 'suspend' | 'revoke' | 'resume', word: string) =>
  (directory: Directory, target: Standing, now: EpochMs): StatementFile => {
    const { dev, mem, adm } = target
    const what =
      dev !== undefined
        ? deviceLabel(directory, dev)
        : mem !== undefined
          ? memberLabel(directory, mem)
          : `administrator ${adm}`
    return draft(directory, op, target, now, { summary: `${word} ${what}: ${target.why}` })
  }

/** Drafts a suspension: of a device any one administrator may order it, within limits. */
export const draftSuspend: DraftStanding = standingDraft('suspend', 'Suspend')

/** Drafts a revocation, which ends the enrolment of a device or a member for good. */
export const draftRevoke: DraftStanding = standingDraft('revoke', 'Revoke')

/** Drafts the end of a suspension. */
export const draftResume: DraftStanding = standingDraft('resume', 'Resume')

/** A draft about one device, member or administrator. @throws RelayError with the directory's code. */
export type DraftStanding = (directory: Directory, target: Standing, now: EpochMs) => StatementFile

/** Drafts a new member, or a changed one when `num` is given. */
export const draftMember = (
  directory: Directory,
  body: Operations['member'],
  now: EpochMs,
): StatementFile =>
  draft(directory, 'member', body, now, {
    summary: `${body.num === undefined ? 'Add' : 'Change'} the member ${body.code}`,
  })

/** Drafts a new topic, or a changed one when `num` is given. */
export const draftTopic = (
  directory: Directory,
  body: Operations['topic'],
  now: EpochMs,
): StatementFile =>
  draft(directory, 'topic', body, now, {
    summary: `${body.num === undefined ? 'Add' : 'Change'} the topic ${body.name}`,
  })

/** Drafts the rights of a member in a topic; it replaces what was there. */
export const draftGrant = (
  directory: Directory,
  body: Operations['grant'],
  now: EpochMs,
): StatementFile =>
  draft(directory, 'grant', body, now, {
    summary: `Rights of ${memberLabel(directory, body.mem)} in ${directory.topic(body.top)?.name ?? body.top}`,
  })

/** Drafts a report schema, or its retirement when `num` is given. */
export const draftSchema = (
  directory: Directory,
  body: Operations['schema'],
  now: EpochMs,
): StatementFile =>
  draft(directory, 'schema', body, now, {
    summary: `${body.state === 'active' ? 'Allow' : 'Retire'} the schema ${body.name} ${body.ver}`,
  })

/** Drafts a new set of administrators and thresholds. Old and new ones sign it. */
export const draftQuorum = (
  directory: Directory,
  next: {
    readonly admins: readonly Administrator[]
    readonly m: number
    readonly r: number
  },
  now: EpochMs,
): StatementFile =>
  draft(directory, 'quorum', { ...next, ver: directory.admins().ver + 1 }, now, {
    summary: `New administrators: ${next.admins.map((admin) => admin.org).join(', ')}`,
  })

/** Drafts a change of policy; what is not named stays. */
export const draftPolicy = (
  directory: Directory,
  body: Operations['policy'],
  now: EpochMs,
): StatementFile =>
  draft(directory, 'policy', body, now, {
    summary: `Change the policy: ${Object.keys(body).join(', ')}`,
  })
