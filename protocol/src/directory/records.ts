import type { History } from './history.ts'
import type {
  Administrator,
  Cosigner,
  Freshness,
  LogKeys,
  Names,
  Operations,
  RelayIdentity,
} from './operations.ts'
import type { DeviceRole } from './statement.ts'

/** Whether a member, device or administrator may act. */
export type StandingState = 'active' | 'suspended' | 'revoked'

/** What the directory holds about one member. */
export interface MemberRecord {
  readonly num: number
  readonly code: string
  readonly details: History<{ readonly kind: Operations['member']['kind']; readonly name: Names }>
  readonly standing: History<StandingState>
}

/** What the directory holds about one device. */
export interface DeviceRecord {
  /** Index of the enrolment entry. */
  readonly num: number
  readonly mem: number
  readonly org: string
  readonly role: DeviceRole
  readonly identityKey: Uint8Array
  readonly clearance: number
  /** Enrolment is valid from (inclusive) and until (exclusive), ms. */
  readonly notBefore: number
  readonly notAfter: number
  readonly label: string | undefined
  readonly standing: History<StandingState>
  readonly weeks: History<{ readonly first: number; readonly kids: readonly Uint8Array[] }>
}

/** What the directory holds about one topic. */
export interface TopicRecord {
  readonly num: number
  readonly name: string
  readonly details: History<Omit<Operations['topic'], 'num' | 'name'>>
}

/** What the directory holds about one report schema. */
export interface SchemaRecord {
  readonly num: number
  readonly details: History<Omit<Operations['schema'], 'num'>>
}

/** Rights of one member in one topic. */
export interface Grant {
  readonly publish: boolean
  readonly read: boolean
  /** Highest handling code, 0..4. */
  readonly clearance: number
}

/** The administrators in force and their thresholds. */
export interface AdminSet {
  readonly ver: number
  readonly admins: ReadonlyMap<number, Administrator>
  /** Those that are suspended or revoked: their signatures do not count. Absent means active. */
  readonly standing: ReadonlyMap<number, Exclude<StandingState, 'active'>>
  /** Signatures from as many organisations for enrolment, members, topics and grants. */
  readonly m: number
  /** ... and for changes at the root: administrators, policy, the FLU. */
  readonly r: number
}

/** Rules of the network that the administrators can change. */
export interface Policy {
  readonly flu: readonly string[]
  readonly freshness: Freshness
  readonly cosigners: readonly Cosigner[]
  readonly relays: readonly RelayIdentity[]
  readonly logs: LogKeys
  readonly recallHold: number
  readonly auditDeliveries: boolean
}

/** The administrators whose signatures count. */
export const adminsInForce = (set: AdminSet): Administrator[] =>
  [...set.admins.values()].filter((admin) => !set.standing.has(admin.num))
