import { Directory, networkIdOf, sha256, sodiumReady, toHex, utf8 } from '@liaison/protocol'
import t from 'tap'
import { decodeEntry, encodeEntry } from '../../../../protocol/src/directory/statement.ts'
import { defaultGenesisT, makeGenesis, seededKey, signGenesis } from '../../../support/network.ts'

await sodiumReady()

const { body, keys } = makeGenesis()
const start = (
  changes: object = {},
  signers?: readonly number[],
  overrides: Parameters<typeof signGenesis>[4] = {},
) => {
  const changed = { ...body, ...changes }
  const nums = signers ?? changed.admins.map((admin) => admin.num)
  return Directory.fromGenesis(signGenesis(changed, defaultGenesisT, keys, nums, overrides))
}

t.test('a genesis that every founding administrator has signed starts a directory', async (t) => {
  const entry = signGenesis(body, defaultGenesisT, keys)
  const started = Directory.fromGenesis(entry)
  if (!started.ok) return t.fail(started.error)
  const directory = started.value
  const decoded = decodeEntry(entry)
  t.ok(decoded.ok)
  if (decoded.ok) t.equal(toHex(directory.net), toHex(networkIdOf(decoded.value.stmt)))
  t.equal(directory.name, 'test.example')
  t.equal(directory.example, true)
  t.equal(directory.genesisT, defaultGenesisT)
  t.equal(directory.time, defaultGenesisT)
  t.equal(directory.size, 1)
  t.equal(toHex(directory.root), toHex(sha256(new Uint8Array([0]), entry)), 'RFC 6962 leaf hash')
  t.equal(directory.admins().m, 2)
  t.equal(directory.policy().recallHold, body.recallHold)
  t.equal(directory.relay(1)?.origin, 'ws://127.0.0.1')
  t.equal(directory.relay(2), null)
  t.equal(directory.entry(0), entry)
  t.equal(directory.entry(1), undefined)
})

t.test('a genesis lacks a founding administrator', async (t) => {
  t.match(start({}, [1, 2, 3, 4]), { ok: false, error: 'quorum_missing' })
})

t.test('a genesis is signed by somebody whom it does not name', async (t) => {
  const four = { ...body, admins: body.admins.slice(0, 4) }
  const entry = signGenesis(four, defaultGenesisT, keys, [1, 2, 3, 4, 5])
  t.match(Directory.fromGenesis(entry), { ok: false, error: 'signer_unknown' })
})

t.test('a genesis whose signature belongs to another statement', async (t) => {
  const decoded = decodeEntry(signGenesis(body, defaultGenesisT, keys))
  const other = decodeEntry(signGenesis(body, defaultGenesisT + 1, keys))
  if (!decoded.ok || !other.ok) return t.fail('fixture')
  const mixed = encodeEntry(decoded.value.stmt, other.value.signatures)
  t.match(Directory.fromGenesis(mixed), { ok: false, error: 'signature_invalid' })
})

t.test(
  'thresholds must leave one organisation to spare, look-alike names count once',
  async (t) => {
    t.match(start({ r: 5 }), { ok: false, error: 'quorum_unsafe' }, 'r equals the organisations')
    t.match(start({ m: 3, r: 2 }), { ok: false, error: 'quorum_unsafe' }, 'r below m')
    t.match(start({ r: 4 }), { ok: true })
    const admins = body.admins.map((admin, i) => ({
      ...admin,
      org: ['AUC', 'auc', '\uff21\uff35\uff23', 'MR', 'ML'][i] as string,
    }))
    t.match(start({ admins }), { ok: false, error: 'quorum_unsafe' }, 'three organisations, r = 3')
    t.match(start({ admins, r: 2 }), { ok: true })
  },
)

t.test('numbers and keys of a genesis must be distinct and usable', async (t) => {
  const [first, ...rest] = body.admins
  if (first === undefined) return t.fail('fixture')
  const second = rest[0] as typeof first
  t.match(start({ admins: [first, { ...second, num: 1 }, ...rest.slice(1)] }, [1, 3, 4, 5]), {
    ok: false,
    error: 'entry_malformed',
  })
  t.match(start({ admins: [first, { ...second, key: first.key }, ...rest.slice(1)] }), {
    ok: false,
    error: 'subject_exists',
  })
  t.match(start({ admins: [{ ...first, key: new Uint8Array(32) }, ...rest] }), {
    ok: false,
    error: 'key_unfit',
  })
  const relay = body.relays[0] as (typeof body.relays)[0]
  t.match(start({ relays: [relay, { ...relay, num: 2 }] }), { ok: false, error: 'subject_exists' })
  t.match(start({ relays: [relay, { ...relay, key: seededKey('r2').publicKey }] }), {
    ok: false,
    error: 'entry_malformed',
  })
  t.match(start({ relays: [{ ...relay, key: first.key }] }), { ok: false, error: 'subject_exists' })
  t.match(start({ logs: { dir: relay.key, audit: body.logs.audit } }), {
    ok: false,
    error: 'subject_exists',
  })
  t.match(start({ flu: ['FLU', 'FLU'] }), { ok: false, error: 'entry_malformed' })
})

t.test('cosigners must be usable, distinct and as many as freshness needs', async (t) => {
  const cosigner = { name: 'w', key: seededKey('w').publicKey, kind: 'witness' }
  const freshness = { maxAge: 60_000, need: { flu: 0, admin: 0, witness: 1 } }
  t.match(start({ freshness }), { ok: false, error: 'quorum_unsafe' })
  t.match(start({ freshness, cosigners: [cosigner] }), { ok: true })
  t.match(start({ cosigners: [cosigner, cosigner] }), { ok: false, error: 'entry_malformed' })
  t.match(start({ cosigners: [{ ...cosigner, key: new Uint8Array(32) }] }), {
    ok: false,
    error: 'key_unfit',
  })
})

t.test('only an example network may destroy recalled reports at once', async (t) => {
  t.match(start({ recallHold: 0 }), { ok: true })
  const { example: _example, ...real } = body
  const entry = signGenesis({ ...real, recallHold: 0 }, defaultGenesisT, keys)
  t.match(Directory.fromGenesis(entry), { ok: false, error: 'not_permitted' })
  const kept = Directory.fromGenesis(signGenesis(real, defaultGenesisT, keys))
  t.equal(kept.ok && kept.value.example, false)
})

t.test('a genesis stands on nothing and has a form', async (t) => {
  t.match(start({}, undefined, { base: [1, sha256()] }), { ok: false, error: 'base_mismatch' })
  t.match(start({}, undefined, { base: [0, sha256(utf8('x'))] }), {
    ok: false,
    error: 'base_mismatch',
  })
  t.match(start({ m: 0 }), { ok: false, error: 'entry_malformed' })
  t.match(start({ extra: 1 }), { ok: false, error: 'entry_malformed' })
  t.match(Directory.fromGenesis(new Uint8Array(0)), { ok: false, error: 'entry_malformed' })
})

t.test('a replay names the entry at fault', async (t) => {
  const entry = signGenesis(body, defaultGenesisT, keys)
  t.match(Directory.replay([]), { ok: false, error: { index: 0, code: 'entry_malformed' } })
  t.match(Directory.replay([entry, entry]), { ok: false, error: { index: 1 } })
  t.match(Directory.replay([entry]), { ok: true })
})
