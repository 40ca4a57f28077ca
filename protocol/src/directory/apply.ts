import { toHex } from '../bytes.ts'
import { epochMs } from '../time.ts'
import { History } from './history.ts'
import type { CheckedEntry } from './judge.ts'
import type { Administrator, Operations } from './operations.ts'
import type { AdminSet, DeviceRecord, StandingState } from './records.ts'
import { type DirectoryState, grantKey } from './state.ts'
import { standingSubject, subjectsOf } from './subjects.ts'

/** What one entry changed. */
export type Change =
  | { readonly what: 'genesis' | 'admins' | 'policy' }
  | { readonly what: 'member' | 'topic' | 'schema'; readonly num: number; readonly added: boolean }
  | { readonly what: 'grant'; readonly top: number; readonly mem: number }
  | { readonly what: 'device'; readonly num: number; readonly mem: number }
  | { readonly what: 'keys'; readonly dev: number }
  | {
      readonly what: 'standing'
      readonly of: 'dev' | 'mem' | 'adm'
      readonly num: number
      readonly state: StandingState
    }

/** Enters a checked entry into the state. It must have been checked against this very state. */
export function applyEntry(state: DirectoryState, checked: CheckedEntry): Change {
  const { index, operation, statement } = checked
  state.tree.append(checked.bytes)
  state.entries.push(checked.bytes)
  state.times.push(checked.time)
  state.ends.push(epochMs(statement.exp))
  state.nonces.add(toHex(statement.n))
  for (const subject of subjectsOf(operation).changes) state.changedAt.set(subject, index)
  if (checked.chargedTo !== null) {
    state.soloSuspensions.push({ adminKey: checked.chargedTo, time: checked.time })
  }
  return applyOperation(state, checked)
}

function applyOperation(state: DirectoryState, { index, operation: op }: CheckedEntry): Change {
  switch (op.op) {
    case 'genesis':
      return { what: 'genesis' }
    case 'quorum':
      return applyQuorum(state, index, op.body)
    case 'policy':
      return applyPolicy(state, index, op.body)
    case 'member':
      return applyMember(state, index, op.body)
    case 'topic':
      return applyTopic(state, index, op.body)
    case 'schema':
      return applySchema(state, index, op.body)
    case 'grant':
      return applyGrant(state, index, op.body)
    case 'enrol':
      return applyEnrol(state, index, op.body)
    case 'epoch':
      state.devices.get(op.body.dev)?.weeks.set(index, { first: op.body.wk, kids: op.body.kids })
      return { what: 'keys', dev: op.body.dev }
    case 'suspend':
      return applyStanding(state, index, op.body, 'suspended')
    case 'revoke':
      return applyStanding(state, index, op.body, 'revoked')
    case 'resume':
      return applyStanding(state, index, op.body, 'active')
  }
}

function applyQuorum(state: DirectoryState, index: number, body: Operations['quorum']): Change {
  for (const admin of body.admins) state.keys.set(toHex(admin.key), 'admin')
  state.admins.set(index, {
    ver: body.ver,
    admins: new Map(body.admins.map((admin) => [admin.num, admin])),
    standing: standingByNumber(state, body.admins),
    m: body.m,
    r: body.r,
  })
  return { what: 'admins' }
}

function standingByNumber(
  state: DirectoryState,
  admins: Iterable<Administrator>,
): AdminSet['standing'] {
  const standing = new Map<number, 'suspended' | 'revoked'>()
  for (const admin of admins) {
    const own = state.adminStanding.get(toHex(admin.key))
    if (own !== undefined) standing.set(admin.num, own)
  }
  return standing
}

function applyPolicy(state: DirectoryState, index: number, body: Operations['policy']): Change {
  const { auditDeliveries, ...rest } = body
  const before = state.policyAt()
  state.policy.set(index, {
    ...before,
    ...rest,
    auditDeliveries: auditDeliveries === undefined ? before.auditDeliveries : auditDeliveries === 1,
  })
  for (const relay of body.relays ?? []) state.keys.set(toHex(relay.key), 'relay')
  if (body.logs !== undefined) {
    for (const key of [body.logs.dir, body.logs.audit]) state.keys.set(toHex(key), 'log')
  }
  return { what: 'policy' }
}

function applyMember(state: DirectoryState, index: number, body: Operations['member']): Change {
  const details = { kind: body.kind, name: body.name }
  const record = body.num === undefined ? undefined : state.members.get(body.num)
  if (record !== undefined) {
    record.details.set(index, details)
    return { what: 'member', num: record.num, added: false }
  }
  const added = {
    num: index,
    code: body.code,
    details: new History(index, details),
    standing: new History<StandingState>(index, 'active'),
  }
  state.members.set(index, added)
  state.memberByCode.set(body.code, added)
  return { what: 'member', num: index, added: true }
}

function applyTopic(state: DirectoryState, index: number, body: Operations['topic']): Change {
  const { num: _num, name, ...details } = body
  const record = body.num === undefined ? undefined : state.topics.get(body.num)
  if (record !== undefined) {
    record.details.set(index, details)
    return { what: 'topic', num: record.num, added: false }
  }
  const added = { num: index, name, details: new History(index, details) }
  state.topics.set(index, added)
  state.topicByName.set(name, added)
  return { what: 'topic', num: index, added: true }
}

function applySchema(state: DirectoryState, index: number, body: Operations['schema']): Change {
  const { num: _num, ...details } = body
  const record = body.num === undefined ? undefined : state.schemas.get(body.num)
  if (record !== undefined) {
    record.details.set(index, details)
    return { what: 'schema', num: record.num, added: false }
  }
  const added = { num: index, details: new History(index, details) }
  state.schemas.set(index, added)
  state.schemaByHash.set(toHex(body.hash), added)
  return { what: 'schema', num: index, added: true }
}

function applyGrant(state: DirectoryState, index: number, body: Operations['grant']): Change {
  const grant = { publish: body.pub === 1, read: body.read === 1, clearance: body.hc }
  const key = grantKey(body.top, body.mem)
  const history = state.grants.get(key)
  if (history === undefined) state.grants.set(key, new History(index, grant))
  else history.set(index, grant)
  return { what: 'grant', top: body.top, mem: body.mem }
}

function applyEnrol(state: DirectoryState, index: number, body: Operations['enrol']): Change {
  const device: DeviceRecord = {
    num: index,
    mem: body.mem,
    org: body.org,
    role: body.role,
    identityKey: body.ik,
    clearance: body.hc,
    notBefore: body.nb,
    notAfter: body.na,
    label: body.label,
    standing: new History<StandingState>(index, 'active'),
    weeks: new History(index, { first: body.wk, kids: body.kids }),
  }
  state.devices.set(index, device)
  state.deviceByKey.set(toHex(body.ik), device)
  state.keys.set(toHex(body.ik), 'device')
  state.addBoundary(body.nb)
  state.addBoundary(body.na)
  return { what: 'device', num: index, mem: body.mem }
}

function applyStanding(
  state: DirectoryState,
  index: number,
  body: Operations['suspend'],
  next: StandingState,
): Change {
  const { what, num } = standingSubject(body)
  if (what === 'dev') state.devices.get(num)?.standing.set(index, next)
  if (what === 'mem') state.members.get(num)?.standing.set(index, next)
  if (what === 'adm') applyAdminStanding(state, index, num, next)
  return { what: 'standing', of: what, num, state: next }
}

function applyAdminStanding(
  state: DirectoryState,
  index: number,
  num: number,
  next: StandingState,
): void {
  const set = state.adminSet()
  const admin = set.admins.get(num)
  if (admin === undefined) return
  if (next === 'active') state.adminStanding.delete(toHex(admin.key))
  else state.adminStanding.set(toHex(admin.key), next)
  state.admins.set(index, { ...set, standing: standingByNumber(state, set.admins.values()) })
}
