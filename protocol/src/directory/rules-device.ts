import type { EpochMs } from '../brand.ts'
import { compareBytes, toHex } from '../bytes.ts'
import { isEnrollableKey } from '../crypto/sign.ts'
import type { ErrorCode } from '../errors.ts'
import { limits } from '../limits.ts'
import type { Operations } from './operations.ts'
import type { DirectoryState } from './state.ts'
import { enrolmentNonce, verifyPossession } from './statement.ts'

/**
 * Rules for enrolling a device.
 *
 * Requests travel by courier, so the first key week may lie before the statement; the keys must
 * still cover the week in which it was written.
 *
 * @param t Time of the statement.
 */
export function judgeEnrol(
  state: DirectoryState,
  body: Operations['enrol'],
  t: EpochMs,
): ErrorCode | null {
  if (!state.members.has(body.mem)) return 'subject_unknown'
  if (!state.memberActive(body.mem)) return 'not_permitted'
  if (body.nb >= body.na) return 'entry_malformed'
  if (!isEnrollableKey(body.ik)) return 'key_unfit'
  if (state.keys.has(toHex(body.ik))) return 'subject_exists'
  if (compareBytes(body.n, enrolmentNonce(body.wk, body.kids)) !== 0) return 'entry_malformed'
  if (!verifyPossession(state.net, body, body.pop)) return 'possession_invalid'
  const week = state.week(t)
  const covered = body.wk <= week && week < body.wk + body.kids.length
  return covered ? null : 'epoch_refused'
}

/**
 * Rules for new key weeks of a device. The current week may be listed only when it has no key yet
 * (a device that was away too long): what somebody may be sealing for now is never exchanged.
 *
 * @param t Time of the statement.
 * @param time Log time that the entry would get; everybody who replays judges by it.
 * @param now The relay's clock, which may only make the judgement stricter.
 */
export function judgeEpoch(
  state: DirectoryState,
  body: Operations['epoch'],
  { t, time, now }: { readonly t: EpochMs; readonly time: EpochMs; readonly now: EpochMs | null },
): ErrorCode | null {
  const record = state.devices.get(body.dev)
  if (record === undefined) return 'subject_unknown'
  if (!state.deviceActive(body.dev, t)) return 'device_inactive'
  const week = state.week(time)
  const last = state.lastWeek(record)
  const fits =
    body.wk >= firstReplaceable(week, last) &&
    body.wk >= firstReplaceable(state.week(now ?? time), last) &&
    body.wk <= Math.max(last, week) + 1 &&
    body.wk + body.kids.length <= week + limits.epochWeeksMax
  return fits ? null : 'epoch_refused'
}

const firstReplaceable = (week: number, last: number): number => (last < week ? week : week + 1)
