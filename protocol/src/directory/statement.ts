import {
  entry as checkEntry,
  possession as checkPossession,
  statement as checkStatement,
} from '@liaison/schemas/wire'
import type { NetworkId } from '../brand.ts'
import { randomBytes, u32, utf8 } from '../bytes.ts'
import { type CborMap, encodeCbor } from '../cbor.ts'
import { sha256 } from '../crypto/hash.ts'
import { type SigningKey, signParts, verifyParts } from '../crypto/sign.ts'
import { type DecodeCode, decodeAs } from '../decode.ts'
import { limits } from '../limits.ts'
import { ok, type Result } from '../result.ts'
import type { OperationName, Statement } from './operations.ts'

/** One signature under a statement: the administrator's (for `epoch`, the device's) number and 64 bytes. */
export type StatementSignature = readonly [number: number, sig: Uint8Array]

/** A directory entry taken apart; `stmt` stays the exact bytes that were signed. */
export interface Entry {
  readonly stmt: Uint8Array
  readonly signatures: readonly StatementSignature[]
}

/** What a new statement says; position in the log is not part of it. */
export interface StatementDraft {
  readonly op: OperationName
  readonly body: object
  /** Any earlier state that the author saw. */
  readonly base: readonly [size: number, root: Uint8Array]
  readonly t: number
  /** Defaults to the longest permitted life. */
  readonly exp?: number
  /** 16 bytes; random unless given. */
  readonly n?: Uint8Array
}

const plain = (value: object): CborMap =>
  Object.fromEntries(
    Object.entries(value)
      .filter(([, v]) => v !== undefined)
      .map(([k, v]) => [
        k,
        Array.isArray(v)
          ? v.map((x: unknown) => (isRecord(x) ? plain(x) : x))
          : isRecord(v)
            ? plain(v)
            : v,
      ]),
  ) as CborMap

const isRecord = (v: unknown): v is object =>
  typeof v === 'object' && v !== null && !Array.isArray(v) && !(v instanceof Uint8Array)

/** Encodes a new statement. */
export const encodeStatement = (draft: StatementDraft): Uint8Array =>
  encodeCbor({
    v: 1,
    base: [draft.base[0], draft.base[1]],
    n: draft.n ?? randomBytes(16),
    t: draft.t,
    exp: draft.exp ?? draft.t + limits.statementLifeMsMax,
    op: draft.op,
    body: plain(draft.body),
  })

/** Decodes the frame of a statement; its body is checked per operation. */
export const decodeStatement = (bytes: Uint8Array): Result<Statement, DecodeCode> =>
  decodeAs<Statement>(bytes, checkStatement)

/** One signature under a statement. */
export const signStatement = (
  net: NetworkId,
  number: number,
  key: SigningKey,
  stmt: Uint8Array,
): StatementSignature => [number, signParts(key, 'statement', net, stmt)]

/** Whether one signature under a statement verifies. */
export const verifyStatement = (
  net: NetworkId,
  publicKey: Uint8Array,
  stmt: Uint8Array,
  sig: Uint8Array,
): boolean => verifyParts(sig, publicKey, 'statement', net, stmt)

/** Puts a statement and its signatures together; signers are sorted and listed once each. */
export function encodeEntry(
  stmt: Uint8Array,
  signatures: readonly StatementSignature[],
): Uint8Array {
  const byNumber = new Map(signatures.map((s) => [s[0], s]))
  const sorted = [...byNumber.values()].sort((a, b) => a[0] - b[0])
  return encodeCbor([stmt, sorted.map(([n, s]) => [n, s])])
}

/** Takes an entry apart. */
export function decodeEntry(bytes: Uint8Array): Result<Entry, DecodeCode> {
  const decoded = decodeAs<readonly [Uint8Array, readonly StatementSignature[]]>(bytes, checkEntry)
  if (!decoded.ok) return decoded
  return ok({ stmt: decoded.value[0], signatures: decoded.value[1] })
}

/** What a device signs to be enrolled. */
export interface Possession {
  readonly mem: number
  readonly org: string
  readonly role: DeviceRole
  readonly ik: Uint8Array
  readonly n: Uint8Array
}

/** What the people at a device do. Administrators' devices read no reports. */
export type DeviceRole = 'officer' | 'analyst' | 'administrator'

/**
 * The nonce of an enrolment request: it commits to the first week and the epoch keys, so that the
 * proof of possession covers them and a courier cannot exchange them on the way.
 */
export const enrolmentNonce = (week: number, kids: readonly Uint8Array[]): Uint8Array =>
  sha256(utf8('sir/1 kids'), u32(week), ...kids).slice(0, 16)

const possessionBytes = (p: Possession): Uint8Array =>
  encodeCbor({ mem: p.mem, org: p.org, role: p.role, ik: p.ik, n: p.n })

/** Signs an enrolment request with the device's own key. */
export const signPossession = (net: NetworkId, key: SigningKey, p: Possession): Uint8Array =>
  signParts(key, 'possession', net, possessionBytes(p))

/** Whether the device that asks to be enrolled holds the key and agreed to member, role and network. */
export const verifyPossession = (net: NetworkId, p: Possession, pop: Uint8Array): boolean =>
  decodeAs(possessionBytes(p), checkPossession).ok &&
  verifyParts(pop, p.ik, 'possession', net, possessionBytes(p))
