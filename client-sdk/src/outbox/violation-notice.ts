import { type ErrorCode, envelopeKinds, toHex, utf8 } from '@liaison/protocol'
import type { Evidence } from '../inbox/intake.ts'
import type { NewItem } from './outbox-item.ts'

/** Which codes the FLU is told about, and as what. */
const reasons: ReadonlyMap<ErrorCode, 'content' | 'slots' | 'handling'> = new Map([
  ['content_invalid', 'content'],
  ['header_mismatch', 'content'],
  ['exercise_mismatch', 'content'],
  ['slot_check_failed', 'slots'],
  ['handling_mismatch', 'handling'],
])

/**
 * The notice that proves a broken rule to the FLU: the envelope's name and its message key, with
 * which signature, commitment and content can be checked again. It quotes nothing of the content.
 * One notice for an envelope: its name is derived, so a repetition finds the first.
 *
 * @returns null when the fault is none that the FLU judges.
 */
export function violationNotice(evidence: Evidence, now: number): NewItem | null {
  const reason = reasons.get(evidence.code)
  if (reason === undefined) return null
  const body = {
    type: 'violation',
    version: 1,
    coreHash: toHex(evidence.core),
    fk: toHex(evidence.messageKey),
    reason,
  }
  return {
    id: `violation-${toHex(evidence.core)}`,
    schema: 'violation',
    k: envelopeKinds.violation,
    topic: evidence.topic,
    hc: 4,
    pr: 1,
    to: [],
    ref: evidence.core,
    body: utf8(JSON.stringify(body)),
    created: now,
    idempotencyKey: null,
  }
}
