import {
  deviceFingerprint,
  type ErrorCode,
  enrolmentNonce,
  equal,
  fromBase64url,
  isRelayError,
  kidOf,
  sodiumReady,
  toBase64url,
} from '@liaison/protocol'
import t from 'tap'
import {
  type EnrolmentRequest,
  formatEnrolmentRequest,
  makeEnrolmentRequest,
  parseEnrolmentRequest,
  requestFingerprint,
} from '../../../../client-sdk/src/identity/enrolment.ts'
import { newIdentity } from '../../../../client-sdk/src/identity/key-file.ts'
import { makeNetwork } from '../../../support/network.ts'

await sodiumReady()

const network = makeNetwork()
const other = makeNetwork({ seed: 'another network' })
const { net, genesisT } = network.directory
const identity = newIdentity('device')
const input = {
  net,
  genesisT,
  identity,
  member: network.member('BF'),
  memberCode: 'BF',
  org: 'DGSE',
  role: 'officer',
  label: 'Focal point, Ouagadougou',
  now: network.now,
} as const
const made = makeEnrolmentRequest(input)
const { request } = made

const bytes = (text: string | undefined): Uint8Array =>
  fromBase64url(text ?? '') ?? new Uint8Array()

t.test('a request fits the device and its keys', async (t) => {
  t.equal(made.pairs.length, 9)
  t.equal(made.first, 0)
  t.ok(equal(bytes(request.ik), identity.signingKey.publicKey))
  for (const [i, pair] of made.pairs.entries()) {
    t.ok(equal(bytes(request.kids[i]), pair.kid))
    t.ok(equal(bytes(request.publicKeys[i]), pair.publicKey))
  }
  t.strictSame(parseEnrolmentRequest(formatEnrolmentRequest(request), net), request)
  const { label: _label, ...unlabelled } = input
  const plain = makeEnrolmentRequest(unlabelled).request
  t.notOk('label' in plain)
  t.strictSame(parseEnrolmentRequest(JSON.stringify(plain), net), plain)
})

t.test('its first week is that of the making', async (t) => {
  const later = makeEnrolmentRequest({ ...input, now: network.advanceWeeks(5) })
  t.equal(later.first, 5)
  t.equal(later.request.wk, 5)
})

t.test('its fingerprint is that of the device in this network', async (t) => {
  t.equal(requestFingerprint(net, request), deviceFingerprint(net, identity.signingKey.publicKey))
  t.match(requestFingerprint(net, request), /^\d{5}( \d{5}){7}$/)
  t.not(requestFingerprint(other.directory.net, request), requestFingerprint(net, request))
  t.throws(() => requestFingerprint(net, { ...request, ik: 'x' }), { code: 'request_malformed' })
})

t.test('what cannot be enrolled is not made', async (t) => {
  t.throws(() => makeEnrolmentRequest({ ...input, org: '' }), {
    code: 'request_malformed',
    field: '/org',
  })
  t.throws(() => makeEnrolmentRequest({ ...input, member: -1 }), {
    code: 'request_malformed',
    field: '/mem',
  })
  t.throws(() => makeEnrolmentRequest({ ...input, memberCode: 'bf' }), {
    code: 'request_malformed',
    field: '/memberCode',
  })
})

/** The same request with every part that depends on the keys made anew. */
const withKeys = (publicKeys: readonly Uint8Array[]): EnrolmentRequest => {
  const kids = publicKeys.map(kidOf)
  return {
    ...request,
    publicKeys: publicKeys.map(toBase64url),
    kids: kids.map(toBase64url),
    n: toBase64url(enrolmentNonce(request.wk, kids)),
  }
}

t.test('every change of a field on the way is found', async (t) => {
  const keys = made.pairs.map((pair) => pair.publicKey)
  const stranger = makeEnrolmentRequest({ ...input, identity: newIdentity('device') }).request
  const cases: readonly [string, object | string, ErrorCode, string][] = [
    ['version', { v: 2 }, 'request_malformed', '/v'],
    ['member', { mem: request.mem + 1 }, 'possession_invalid', '/pop'],
    ['member of a wrong form', { mem: 1.5 }, 'request_malformed', '/mem'],
    ['code', { memberCode: 'b' }, 'request_malformed', '/memberCode'],
    ['organisation', { org: 'DGSI' }, 'possession_invalid', '/pop'],
    ['organisation with half a character', { org: '\ud800' }, 'request_malformed', '/org'],
    ['role', { role: 'administrator' }, 'possession_invalid', '/pop'],
    ['unknown role', { role: 'root' }, 'request_malformed', '/role'],
    ['identity key of another device', { ik: stranger.ik }, 'possession_invalid', '/pop'],
    ['short identity key', { ik: 'AAAA' }, 'request_malformed', '/ik'],
    ['identity key of low order', { ik: toBase64url(new Uint8Array(32)) }, 'key_unfit', '/ik'],
    ['nonce', { n: stranger.n }, 'request_malformed', '/n'],
    ['proof', { pop: stranger.pop }, 'possession_invalid', '/pop'],
    ['week', { wk: request.wk + 1 }, 'request_malformed', '/n'],
    ['negative week', { wk: -1 }, 'request_malformed', '/wk'],
    ['name of a key', { kids: stranger.kids }, 'request_malformed', '/kids/0'],
    ['keys', { publicKeys: stranger.publicKeys }, 'request_malformed', '/kids/0'],
    [
      'keys with their names',
      { publicKeys: stranger.publicKeys, kids: stranger.kids },
      'request_malformed',
      '/n',
    ],
    [
      'keys, names and nonce',
      { publicKeys: stranger.publicKeys, kids: stranger.kids, n: stranger.n },
      'possession_invalid',
      '/pop',
    ],
    ['two keys exchanged', { kids: [...request.kids].reverse() }, 'request_malformed', '/kids/0'],
    ['a key missing', { kids: request.kids.slice(1) }, 'request_malformed', '/kids'],
    [
      'an unusable key',
      withKeys([...keys.slice(0, 8), new Uint8Array(1216)]),
      'key_rejected',
      '/publicKeys/8',
    ],
    ['an empty label', { label: '' }, 'request_malformed', '/label'],
    ['an unknown field', { note: 'x' }, 'request_malformed', '/note'],
  ]
  for (const [name, change, code, field] of cases) {
    const text = JSON.stringify({ ...request, ...(change as object) })
    try {
      parseEnrolmentRequest(text, net)
      t.fail(`${name}: it was accepted`)
    } catch (error) {
      if (!isRelayError(error)) throw error
      t.strictSame([error.code, error.field], [code, field], name)
    }
  }
  for (const key of Object.keys(request).filter((name) => name !== 'label')) {
    const { [key as keyof EnrolmentRequest]: _gone, ...rest } = request
    t.throws(
      () => parseEnrolmentRequest(JSON.stringify(rest), net),
      { code: 'request_malformed' },
      key,
    )
  }
})

t.test('a request for another network is refused', async (t) => {
  const text = formatEnrolmentRequest(request)
  t.throws(() => parseEnrolmentRequest(text, other.directory.net), { code: 'possession_invalid' })
})

t.test('a file that is no request', async (t) => {
  for (const text of ['', '[]', 'null', '"x"', formatEnrolmentRequest(request).slice(0, 900)]) {
    t.throws(() => parseEnrolmentRequest(text, net), { code: 'request_malformed', field: '/' })
  }
})
