import {
  checkEpochPublicKey,
  type DeviceRole,
  deviceFingerprint,
  type EpochMs,
  enrolmentNonce,
  epochPublicKeyBytes,
  equal,
  fromBase64url,
  isEnrollableKey,
  kidOf,
  limits,
  type NetworkId,
  RelayError,
  signPossession,
  toBase64url,
  verifyPossession,
  weekOf,
} from '@liaison/protocol'
import type { EpochKeyPair } from '@liaison/seal'
import { newEnrolmentKeys } from '../keys/epoch-keys.ts'
import type { Identity } from './identity.ts'
import { JsonFields, parseJson } from './json-fields.ts'

/**
 * What a device asks the administrators to sign. It travels by file; nothing in it is secret, but
 * the people at the device read its fingerprint to the administrators before they sign.
 */
export interface EnrolmentRequest {
  readonly v: 1
  /** Number of the member, and its code for the people who read the file. */
  readonly mem: number
  readonly memberCode: string
  /** Service or unit within the member. */
  readonly org: string
  readonly role: DeviceRole
  /** Identity key, base64url of 32 bytes. */
  readonly ik: string
  /** Commits to `wk` and `kids`, base64url of 16 bytes. */
  readonly n: string
  /** Proof of possession, base64url of 64 bytes. */
  readonly pop: string
  /** Week of the first key. */
  readonly wk: number
  /** Names of the keys, base64url of 32 bytes each. */
  readonly kids: readonly string[]
  /** The keys, base64url of 1,216 bytes each. */
  readonly publicKeys: readonly string[]
  readonly label?: string
}

/** What a request is made from. */
export interface EnrolmentInput {
  readonly net: NetworkId
  /** Time of genesis, from which key weeks are counted. */
  readonly genesisT: EpochMs
  readonly identity: Identity
  /** Number and code of the member that the device is to belong to. */
  readonly member: number
  readonly memberCode: string
  readonly org: string
  readonly role: DeviceRole
  readonly label?: string
  readonly now: EpochMs
}

/** A request, and what the device keeps: the secret halves of the keys in it. */
export interface NewEnrolment {
  readonly request: EnrolmentRequest
  readonly pairs: readonly EpochKeyPair[]
  /** Week of the first pair. */
  readonly first: number
}

/** A request whose every field was checked, as bytes. */
export interface CheckedRequest {
  readonly mem: number
  readonly memberCode: string
  readonly org: string
  readonly role: DeviceRole
  readonly ik: Uint8Array
  readonly n: Uint8Array
  readonly pop: Uint8Array
  readonly wk: number
  readonly kids: readonly Uint8Array[]
  readonly publicKeys: readonly Uint8Array[]
  readonly label?: string
}

/**
 * Makes keys for the coming weeks and the request that asks to enrol them. Keep the secret halves
 * (`EpochKeys.changesFor(pairs, first)`) before the request leaves the machine.
 */
export function makeEnrolmentRequest(input: EnrolmentInput): NewEnrolment {
  const { identity, net, label } = input
  const first = weekOf(input.now, input.genesisT)
  const pairs = newEnrolmentKeys()
  const kids = pairs.map((pair) => pair.kid)
  const asked = {
    mem: input.member,
    org: input.org,
    role: input.role,
    ik: identity.signingKey.publicKey,
    n: enrolmentNonce(first, kids),
  }
  const request: EnrolmentRequest = {
    v: 1,
    mem: asked.mem,
    memberCode: input.memberCode,
    org: asked.org,
    role: asked.role,
    ik: toBase64url(asked.ik),
    n: toBase64url(asked.n),
    pop: toBase64url(signPossession(net, identity.signingKey, asked)),
    wk: first,
    kids: kids.map(toBase64url),
    publicKeys: pairs.map((pair) => toBase64url(pair.publicKey)),
    ...(label === undefined ? {} : { label }),
  }
  // What this device sends must be what administrators accept; better to fail here than there.
  openEnrolmentRequest(request, net)
  return { request, pairs, first }
}

/** The text of a request file. */
export const formatEnrolmentRequest = (request: EnrolmentRequest): string =>
  `${JSON.stringify(request, null, 2)}\n`

/**
 * Reads a request file and checks every field.
 *
 * @param net The network that it must have been made for: the proof of possession covers it.
 * @throws RelayError `request_malformed`, `key_unfit`, `key_rejected` or `possession_invalid`, with
 * the field.
 */
export function parseEnrolmentRequest(text: string, net: NetworkId): EnrolmentRequest {
  const value = parseJson(text, bad)
  openEnrolmentRequest(value, net)
  return value as EnrolmentRequest
}

/** Forty digits that the people at the device read to the administrators. */
export function requestFingerprint(net: NetworkId, request: EnrolmentRequest): string {
  const ik = fromBase64url(request.ik)
  if (ik?.length !== 32) return bad('/ik')
  return deviceFingerprint(net, ik)
}

const requestFields = [
  'v',
  'mem',
  'memberCode',
  'org',
  'role',
  'ik',
  'n',
  'pop',
  'wk',
  'kids',
  'publicKeys',
  'label',
]

/** Checks a request down to the last key. Errors as of {@link parseEnrolmentRequest}. */
export function openEnrolmentRequest(value: unknown, net: NetworkId): CheckedRequest {
  const fields = new JsonFields(value, '', requestFields, bad)
  fields.uint('v', { min: 1, max: 1 })
  const weeks = { min: limits.enrolWeeks, max: limits.enrolWeeks }
  const request: CheckedRequest = {
    mem: fields.uint('mem', { min: 1, max: 0xffff_ffff }),
    memberCode: fields.text('memberCode', { min: 2, max: 16, pattern: /^[A-Z][A-Z0-9]*$/ }),
    org: fields.text('org', { max: 64 }),
    role: fields.word('role', ['officer', 'analyst', 'administrator']),
    ik: fields.bytes('ik', 32),
    n: fields.bytes('n', 16),
    pop: fields.bytes('pop', 64),
    wk: fields.uint('wk', { max: 0xffff_ffff }),
    kids: fields.bytesList('kids', 32, weeks),
    publicKeys: fields.bytesList('publicKeys', epochPublicKeyBytes, weeks),
    ...(fields.has('label') ? { label: fields.text('label', { max: 64 }) } : {}),
  }
  if (!isEnrollableKey(request.ik)) throw new RelayError('key_unfit', { field: '/ik' })
  for (const [i, key] of request.publicKeys.entries()) {
    if (!equal(kidOf(key), request.kids[i] ?? new Uint8Array())) bad(`/kids/${i}`)
    if (!checkEpochPublicKey(key).ok) {
      throw new RelayError('key_rejected', { field: `/publicKeys/${i}` })
    }
  }
  if (!equal(enrolmentNonce(request.wk, request.kids), request.n)) bad('/n')
  if (!verifyPossession(net, request, request.pop)) {
    throw new RelayError('possession_invalid', { field: '/pop' })
  }
  return request
}

function bad(field: string): never {
  throw new RelayError('request_malformed', { field })
}
