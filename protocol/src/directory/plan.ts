import type { EpochMs, NetworkId } from '../brand.ts'
import { toHex } from '../bytes.ts'
import { deviceFingerprint, networkFingerprint, networkIdOf, sha256 } from '../crypto/hash.ts'
import type { ErrorCode } from '../errors.ts'
import { type JsonView, jsonView } from '../json-view.ts'
import { err, ok, type Result } from '../result.ts'
import { epochMs } from '../time.ts'
import type { Directory } from './directory.ts'
import { foldName, organisationCount } from './names.ts'
import { type Administrator, type Operation, operationOf } from './operations.ts'
import { adminsInForce } from './records.ts'
import { type Requirement, requirementOf } from './requirement.ts'
import { decodeStatement, type StatementSignature, verifyStatement } from './statement.ts'
import { standingSubject } from './subjects.ts'

/** Who has to sign an operation, before anybody has. */
export interface Threshold {
  /** Organisations; 0 when the device itself signs. */
  readonly orgs: number
  readonly from: 'm' | 'r' | 'all' | 'self' | 1
}

/** How far the gathering of signatures has come. */
export interface SignatureProgress {
  readonly unit: 'organisations' | 'administrators' | 'device'
  /** Organisations, administrators or the device whose signatures verified. */
  readonly have: readonly string[]
  readonly need: number
  /** The new administrators' own part of a `quorum` statement. */
  readonly next?: { readonly have: readonly string[]; readonly need: number }
  readonly complete: boolean
}

/** A statement as people review it before they sign. */
export interface StatementView {
  /** SHA-256 of the statement, hex: two people can tell that they look at the same one. */
  readonly id: string
  readonly op: string
  readonly written: EpochMs
  readonly expires: EpochMs
  readonly base: { readonly size: number; readonly root: string }
  readonly body: JsonView
  /** 40 digits to compare by voice: of the device for `enrol`, of the network for `genesis`. */
  readonly fingerprint?: string
}

const requirement = (directory: Directory, op: Operation): Requirement => {
  const need = requirementOf(
    {
      adminSet: () => directory.admins(),
      policyAt: () => directory.policy(),
      isFlu: (mem) => directory.isFlu(mem),
      memberOf: (dev) => directory.device(dev)?.mem,
    },
    op,
  )
  return need.from === 1 && isLastFlu(directory, op)
    ? { from: 'm', orgs: directory.admins().m }
    : need
}

function isLastFlu(directory: Directory, op: Operation): boolean {
  if (op.op !== 'suspend') return false
  const flu = directory.fluDevices(directory.time)
  return flu.length <= 2 && flu.includes(standingSubject(op.body).num)
}

/** Who has to sign an operation in the present directory. */
export function thresholdFor(directory: Directory, operation: Operation): Threshold {
  const need = requirement(directory, operation)
  if (need.from === 'self') return { orgs: 0, from: 'self' }
  if (need.from !== 'all') return { orgs: need.orgs, from: need.from }
  const signers =
    operation.op === 'genesis' ? operation.body.admins : adminsInForce(directory.admins())
  return { orgs: organisationCount(signers), from: 'all' }
}

/**
 * Which signatures a statement has and how many it needs. Signatures that do not verify or are by
 * nobody in force are passed over here; the directory would refuse the whole entry for them.
 *
 * @param directory null while the genesis is being signed.
 */
export function missingSignatures(
  directory: Directory | null,
  stmt: Uint8Array,
  signatures: readonly StatementSignature[],
): Result<SignatureProgress, ErrorCode> {
  const decoded = decodeStatement(stmt)
  if (!decoded.ok) return err('entry_malformed')
  const op = operationOf(decoded.value)
  if (typeof op === 'string') return err(op)
  if (op.op === 'genesis') return ok(genesisProgress(op, stmt, signatures))
  if (directory === null) return err('base_mismatch')
  const net = directory.net
  const need = requirement(directory, op)
  if (need.from === 'self') return ok(selfProgress(directory, need.dev, stmt, signatures))
  const inForce = adminsInForce(directory.admins())
  const signed = signedBy(inForce, net, stmt, signatures)
  if (need.from === 'all') return ok(allProgress(inForce, signed))
  const except = need.from === 1 ? undefined : need.except
  const counted = signed.filter((admin) => admin.num !== except)
  const have = organisations(counted)
  const orgs = need.from === 1 ? soloNeed(directory, counted, decoded.value.t) : need.orgs
  if (op.op !== 'quorum') return ok(progress('organisations', have, orgs))
  const outOfForce = new Set(
    [...directory.admins().admins.values()]
      .filter((admin) => !inForce.includes(admin))
      .map((admin) => toHex(admin.key)),
  )
  const nextInForce = op.body.admins.filter((admin) => !outOfForce.has(toHex(admin.key)))
  const next = organisations(signedBy(nextInForce, net, stmt, signatures))
  const complete = have.length >= orgs && next.length >= op.body.r
  return ok({
    unit: 'organisations',
    have,
    need: orgs,
    next: { have: next, need: op.body.r },
    complete,
  })
}

const progress = (
  unit: SignatureProgress['unit'],
  have: readonly string[],
  need: number,
): SignatureProgress => ({ unit, have, need, complete: have.length >= need })

const genesisProgress = (
  op: Extract<Operation, { op: 'genesis' }>,
  stmt: Uint8Array,
  signatures: readonly StatementSignature[],
): SignatureProgress =>
  allProgress(op.body.admins, signedBy(op.body.admins, networkIdOf(stmt), stmt, signatures))

const allProgress = (
  all: readonly Administrator[],
  signed: readonly Administrator[],
): SignatureProgress =>
  progress(
    'administrators',
    signed.map((admin) => `${admin.org}: ${admin.name}`),
    all.length,
  )

function selfProgress(
  directory: Directory,
  dev: number,
  stmt: Uint8Array,
  signatures: readonly StatementSignature[],
): SignatureProgress {
  const key = directory.device(dev)?.identityKey
  const signed = signatures.some(
    ([num, sig]) =>
      num === dev && key !== undefined && verifyStatement(directory.net, key, stmt, sig),
  )
  return progress('device', signed ? [`${dev}`] : [], 1)
}

const signedBy = (
  admins: readonly Administrator[],
  net: NetworkId,
  stmt: Uint8Array,
  signatures: readonly StatementSignature[],
): Administrator[] =>
  admins.filter((admin) =>
    signatures.some(
      ([num, sig]) => num === admin.num && verifyStatement(net, admin.key, stmt, sig),
    ),
  )

/** Organisations by their first spelling. */
function organisations(admins: readonly Administrator[]): string[] {
  const byFold = new Map<string, string>()
  for (const { org } of admins) {
    if (!byFold.has(foldName(org))) byFold.set(foldName(org), org)
  }
  return [...byFold.values()]
}

/** One organisation, unless everybody who has signed has used up what one may do alone. */
function soloNeed(directory: Directory, signed: readonly Administrator[], t: number): number {
  const left = signed.map((admin) => directory.soloSuspensionsLeft(admin.num, epochMs(t)))
  const usedUp = left.length > 0 && left.every((count) => count === 0)
  return usedUp ? directory.admins().m : 1
}

/** What a statement says, in plain terms. @param net Needed for the fingerprint of a device. */
export function describeStatement(
  stmt: Uint8Array,
  net?: NetworkId,
): Result<StatementView, ErrorCode> {
  const decoded = decodeStatement(stmt)
  if (!decoded.ok) return err('entry_malformed')
  const statement = decoded.value
  const op = operationOf(statement)
  if (typeof op === 'string') return err(op)
  const fingerprint = fingerprintOf(op, stmt, net)
  return ok({
    id: toHex(sha256(stmt)),
    op: op.op,
    written: epochMs(statement.t),
    expires: epochMs(statement.exp),
    base: { size: statement.base[0], root: toHex(statement.base[1]) },
    body: jsonView(statement.body),
    ...(fingerprint === undefined ? {} : { fingerprint }),
  })
}

function fingerprintOf(op: Operation, stmt: Uint8Array, net?: NetworkId): string | undefined {
  if (op.op === 'genesis') return networkFingerprint(networkIdOf(stmt))
  if (op.op === 'enrol' && net !== undefined) return deviceFingerprint(net, op.body.ik)
  return undefined
}
