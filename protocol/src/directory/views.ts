import type { Names, Operations } from './operations.ts'
import type { StandingState } from './records.ts'
import type { DirectoryState } from './state.ts'
import type { DeviceRole } from './statement.ts'

/** A member as of one size of the directory. */
export interface Member {
  readonly num: number
  readonly code: string
  readonly kind: Operations['member']['kind']
  readonly name: Names
  readonly state: StandingState
  /** Whether its devices receive everything. */
  readonly flu: boolean
}

/** A device as of one size of the directory. */
export interface Device {
  readonly num: number
  readonly mem: number
  readonly org: string
  readonly role: DeviceRole
  readonly identityKey: Uint8Array
  /** Highest handling code, 0..4. */
  readonly clearance: number
  /** Enrolment is valid from (inclusive) and until (exclusive), ms. */
  readonly notBefore: number
  readonly notAfter: number
  readonly label: string | undefined
  /** Of the device alone; its member may be suspended as well. */
  readonly state: StandingState
  /** Last week for which it has published a key. */
  readonly lastWeek: number
}

/** A topic as of one size of the directory. */
export interface Topic {
  readonly num: number
  readonly name: string
  readonly title: Names
  readonly status: 'exercise' | 'actual'
  /** Numbers of the schemas that are allowed in it. */
  readonly schemas: readonly number[]
  /** Whether bodies may be compressed. */
  readonly compress: boolean
}

/** A report schema as of one size of the directory. */
export interface Schema {
  readonly num: number
  readonly name: string
  readonly ver: number
  readonly hash: Uint8Array
  readonly state: 'active' | 'retired'
}

/** The member with this number, or null when `size` entries do not name it. */
export function memberView(state: DirectoryState, num: number, size: number): Member | null {
  const record = state.members.get(num)
  const details = record?.details.at(size)
  const standing = record?.standing.at(size)
  if (record === undefined || details === undefined || standing === undefined) return null
  return {
    num,
    code: record.code,
    kind: details.kind,
    name: details.name,
    state: standing,
    flu: state.isFlu(num, size),
  }
}

/** The device with this number, or null when `size` entries do not enrol it. */
export function deviceView(state: DirectoryState, num: number, size: number): Device | null {
  const record = state.devices.get(num)
  const standing = record?.standing.at(size)
  if (record === undefined || standing === undefined) return null
  const { standing: _standing, weeks: _weeks, ...fixed } = record
  return { ...fixed, state: standing, lastWeek: state.lastWeek(record, size) }
}

/** The topic with this number, or null. */
export function topicView(state: DirectoryState, num: number, size: number): Topic | null {
  const record = state.topics.get(num)
  const details = record?.details.at(size)
  if (record === undefined || details === undefined) return null
  return {
    num,
    name: record.name,
    title: details.title,
    status: details.status,
    schemas: details.sch,
    compress: details.z === 1,
  }
}

/** The schema with this number, or null. */
export function schemaView(state: DirectoryState, num: number, size: number): Schema | null {
  const details = state.schemas.get(num)?.details.at(size)
  return details === undefined ? null : { num, ...details }
}

/** All views of one kind that exist as of `size`, by ascending number. */
export function viewsOf<T>(
  state: DirectoryState,
  numbers: Iterable<number>,
  size: number,
  view: (state: DirectoryState, num: number, size: number) => T | null,
): T[] {
  const views: T[] = []
  for (const num of numbers) {
    const one = view(state, num, size)
    if (one !== null) views.push(one)
  }
  return views
}
