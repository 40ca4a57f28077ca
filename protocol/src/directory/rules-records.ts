import { compareBytes, toHex } from '../bytes.ts'
import type { ErrorCode } from '../errors.ts'
import { foldName, skeletonOf } from './names.ts'
import type { Operations } from './operations.ts'
import type { DirectoryState } from './state.ts'

/** Rules for adding or changing a member. */
export function judgeMember(state: DirectoryState, body: Operations['member']): ErrorCode | null {
  if (body.num === undefined) return state.memberByCode.has(body.code) ? 'subject_exists' : null
  const record = state.members.get(body.num)
  if (record === undefined) return 'subject_unknown'
  // The code is what people and policy know a member by.
  if (record.code !== body.code) return 'not_permitted'
  if (body.kind === 'observer' && hasPublishRight(state, body.num)) return 'not_permitted'
  return null
}

function hasPublishRight(state: DirectoryState, mem: number): boolean {
  for (const top of state.topics.keys()) if (state.grant(top, mem)?.publish) return true
  return false
}

/** Rules for adding or changing a topic. */
export function judgeTopic(state: DirectoryState, body: Operations['topic']): ErrorCode | null {
  if (!body.sch.every((num) => state.schemas.has(num))) return 'subject_unknown'
  if (body.num === undefined) return judgeName(body.name, state.topicByName.keys())
  const record = state.topics.get(body.num)
  if (record === undefined) return 'subject_unknown'
  // A topic keeps its name and status, so that what was written for an exercise stays one.
  const status = record.details.at(state.size)?.status
  return record.name === body.name && status === body.status ? null : 'not_permitted'
}

function judgeName(name: string, taken: Iterable<string>): ErrorCode | null {
  const skeleton = skeletonOf(name)
  for (const other of taken) {
    if (other === name) return 'subject_exists'
    if (skeletonOf(other) === skeleton) return 'name_confusable'
  }
  return null
}

/** Rules for listing or changing a report schema. */
export function judgeSchema(state: DirectoryState, body: Operations['schema']): ErrorCode | null {
  if (body.num !== undefined) {
    const details = state.schemas.get(body.num)?.details.at(state.size)
    if (details === undefined) return 'subject_unknown'
    // Reports name the hash: another document under the same number would change what they said.
    const same =
      details.name === body.name &&
      details.ver === body.ver &&
      compareBytes(details.hash, body.hash) === 0
    return same ? null : 'not_permitted'
  }
  if (state.schemaByHash.has(toHex(body.hash))) return 'subject_exists'
  for (const record of state.schemas.values()) {
    const other = record.details.at(state.size)
    if (other === undefined) continue
    if (other.name === body.name && other.ver === body.ver) return 'subject_exists'
    // Versions of one schema share its exact name.
    if (other.name !== body.name && foldsAlike(other.name, body.name)) return 'name_confusable'
  }
  return null
}

const foldsAlike = (a: string, b: string): boolean =>
  foldName(a) === foldName(b) || skeletonOf(a) === skeletonOf(b)

/** Rules for the rights of a member in a topic. */
export function judgeGrant(state: DirectoryState, body: Operations['grant']): ErrorCode | null {
  const member = state.members.get(body.mem)
  if (member === undefined || !state.topics.has(body.top)) return 'subject_unknown'
  const kind = member.details.at(state.size)?.kind
  return kind === 'observer' && body.pub === 1 ? 'not_permitted' : null
}
