import {
  opEnrol,
  opEpoch,
  opGenesis,
  opGrant,
  opMember,
  opPolicy,
  opQuorum,
  opResume,
  opRevoke,
  opSchema,
  opSuspend,
  opTopic,
} from '@liaison/schemas/wire'
import type { CborValue } from '../cbor.ts'
import type { WireCheck } from '../decode.ts'
import type { DeviceRole } from './statement.ts'

/** One administrator as listed by genesis or quorum. */
export interface Administrator {
  readonly num: number
  readonly org: string
  readonly name: string
  readonly key: Uint8Array
}

/** One relay process that may answer clients of the network. */
export interface RelayIdentity {
  readonly num: number
  readonly key: Uint8Array
  readonly origin: string
}

/** Keys that sign the checkpoints of the two logs. */
export interface LogKeys {
  readonly dir: Uint8Array
  readonly audit: Uint8Array
}

/** Who may vouch for the freshness of the directory. */
export interface Cosigner {
  readonly name: string
  readonly key: Uint8Array
  readonly kind: 'flu' | 'admin' | 'witness'
}

/** How fresh the directory must be before something is published. */
export interface Freshness {
  /** Oldest permitted cosignature, ms. */
  readonly maxAge: number
  /** How many cosigners of each kind; all zero means an unwitnessed network. */
  readonly need: { readonly flu: number; readonly admin: number; readonly witness: number }
}

/** Names by language. */
export type Names = { readonly [lang in 'fr' | 'en' | 'ar' | 'pt']?: string }

/** Bodies of all operations; docs/protocol.md, section "Directory". */
export interface Operations {
  genesis: {
    readonly name: string
    readonly ver: 1
    readonly admins: readonly Administrator[]
    readonly m: number
    readonly r: number
    readonly relays: readonly RelayIdentity[]
    readonly logs: LogKeys
    /** Codes of the members whose devices receive everything. */
    readonly flu: readonly string[]
    readonly freshness: Freshness
    /** How long a recalled report is only hidden before it is destroyed, ms. */
    readonly recallHold: number
    readonly example?: 1
    readonly cosigners?: readonly Cosigner[]
  }
  quorum: {
    readonly ver: number
    readonly admins: readonly Administrator[]
    readonly m: number
    readonly r: number
  }
  member: {
    readonly num?: number
    readonly code: string
    readonly kind: 'state' | 'organisation' | 'observer'
    readonly name: Names
  }
  topic: {
    readonly num?: number
    readonly name: string
    readonly title: Names
    readonly status: 'exercise' | 'actual'
    readonly sch: readonly number[]
    /** 1: bodies may be compressed. */
    readonly z?: 1
  }
  schema: {
    readonly num?: number
    readonly name: string
    readonly ver: number
    readonly hash: Uint8Array
    readonly state: 'active' | 'retired'
  }
  grant: {
    readonly top: number
    readonly mem: number
    readonly pub: 0 | 1
    readonly read: 0 | 1
    readonly hc: number
  }
  policy: {
    readonly flu?: readonly string[]
    readonly freshness?: Freshness
    readonly cosigners?: readonly Cosigner[]
    readonly relays?: readonly RelayIdentity[]
    readonly logs?: LogKeys
    readonly recallHold?: number
    readonly auditDeliveries?: 0 | 1
  }
  enrol: {
    readonly mem: number
    readonly org: string
    readonly role: DeviceRole
    readonly ik: Uint8Array
    readonly n: Uint8Array
    readonly pop: Uint8Array
    readonly hc: number
    readonly wk: number
    readonly kids: readonly Uint8Array[]
    readonly nb: number
    readonly na: number
    readonly label?: string
  }
  epoch: { readonly dev: number; readonly wk: number; readonly kids: readonly Uint8Array[] }
  suspend: Standing
  revoke: Standing
  resume: Standing
}

/** Names exactly one device, member or administrator, and says why. */
export interface Standing {
  readonly dev?: number
  readonly mem?: number
  readonly adm?: number
  readonly why: string
}

/** Name of a directory operation. */
export type OperationName = keyof Operations

/** A statement before its body was checked. */
export interface Statement {
  readonly v: 1
  readonly base: readonly [size: number, root: Uint8Array]
  readonly n: Uint8Array
  readonly t: number
  readonly exp: number
  readonly op: string
  readonly body: CborValue
}

/** An operation whose body has been checked. */
export type Operation = {
  [K in OperationName]: { readonly op: K; readonly body: Operations[K] }
}[OperationName]

const checks: ReadonlyMap<string, WireCheck> = new Map<OperationName, WireCheck>([
  ['genesis', opGenesis],
  ['quorum', opQuorum],
  ['member', opMember],
  ['topic', opTopic],
  ['schema', opSchema],
  ['grant', opGrant],
  ['policy', opPolicy],
  ['enrol', opEnrol],
  ['epoch', opEpoch],
  ['suspend', opSuspend],
  ['revoke', opRevoke],
  ['resume', opResume],
])

/** Checks the body of a statement. @returns the typed operation, or the code. */
export function operationOf(
  statement: Statement,
): Operation | 'operation_unknown' | 'entry_malformed' {
  const check = checks.get(statement.op)
  if (check === undefined) return 'operation_unknown'
  if (!check(statement.body)) return 'entry_malformed'
  return { op: statement.op, body: statement.body } as unknown as Operation
}
