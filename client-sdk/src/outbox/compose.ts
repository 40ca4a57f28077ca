import { type Directory, envelopeKinds, epochMs, RelayError, utf8 } from '@liaison/protocol'
import { handlingCode, precedenceCode, type Report, schemaHash } from '@liaison/schemas'
import { ContentError } from '../content-error.ts'
import { checkMeta } from '../inbox/check-meta.ts'
import { loadValidators } from '../validators.ts'
import type { NewItem } from './outbox-item.ts'

/** Where a report goes. */
export interface Destination {
  /** Name of the topic. */
  readonly topic: string
  /** Codes of the members it is for; everybody in the topic when absent. The FLU always has it. */
  readonly to?: readonly string[]
  readonly idempotencyKey?: string
}

/**
 * Checks a report against its schema and the directory before anything is kept, so that the person
 * who wrote it hears of a mistake at once.
 *
 * @throws ContentError with every field at fault; RelayError such as `publish_refused`,
 * `clearance_insufficient`, `schema_refused`, `exercise_mismatch`, `topic_unknown`, `no_flu`.
 */
export async function composeItem(
  directory: Directory,
  device: number,
  report: unknown,
  destination: Destination,
  now: number,
): Promise<NewItem> {
  const { parseBody, validateReport } = await loadValidators()
  const body = utf8(JSON.stringify(report))
  const parsed = parseBody(body)
  if (!parsed.ok) throw new ContentError(parsed.problems)
  const valid = validateReport(parsed.value)
  if (!valid.ok) throw new ContentError(valid.problems)
  const value: Report = valid.value
  const topic = directory.topicByName(destination.topic)
  if (topic === null) throw new RelayError('topic_unknown', { field: 'topic' })
  const self = directory.device(device)
  if (self === null) throw new RelayError('not_enrolled')
  const hc = handlingCode(value)
  const right = directory.mayPublish(device, topic.num, hc)
  if (right !== 'ok') throw new RelayError(right, { field: fieldOf(right) })
  const schema = directory.schemaByHash(schemaHash(value.type))
  if (schema === null || schema.state !== 'active' || !topic.schemas.includes(schema.num)) {
    throw new RelayError('schema_refused', { field: '/type' })
  }
  const refused = checkMeta(directory, { hc, top: topic.num }, self.mem, value.meta)
  if (refused !== null) {
    throw new RelayError(refused, {
      field: refused === 'exercise_mismatch' ? '/meta/status' : '/meta/originator',
    })
  }
  const to = destination.to === undefined ? null : membersOf(directory, topic.num, destination.to)
  const mode = to === null ? 0 : 1
  const audience = directory.audience({
    topic: topic.num,
    hc,
    mode,
    t: epochMs(now),
    ...(to === null ? {} : { to }),
  })
  if (!audience.ok) throw new RelayError(audience.error, { field: to === null ? 'topic' : 'to' })
  return {
    id: value.meta.id,
    schema: value.type,
    k: envelopeKinds.report,
    topic: topic.num,
    hc,
    pr: precedenceCode(value),
    to,
    ref: null,
    body,
    created: now,
    idempotencyKey: destination.idempotencyKey ?? null,
  }
}

const fieldOf = (code: string): string =>
  code === 'clearance_insufficient' ? '/meta/handling/tlp' : 'topic'

/** Member numbers, ascending, each with the right to read the topic. */
function membersOf(directory: Directory, topic: number, codes: readonly string[]): number[] {
  const numbers = codes.map((code) => {
    const member = directory.memberByCode(code)
    if (member === null) throw new RelayError('subject_unknown', { field: `to: ${code}` })
    const reads = directory.grant(topic, member.num)?.read === true
    // The FLU is in every audience; naming it is not a mistake, and adds nothing.
    if (!reads && !member.flu) throw new RelayError('audience_invalid', { field: `to: ${code}` })
    return member
  })
  const named = numbers
    .filter((m) => directory.grant(topic, m.num)?.read === true)
    .map((m) => m.num)
  return [...new Set(named)].sort((a, b) => a - b)
}
