import {
  decodeEntry,
  describeStatement,
  deviceFingerprint,
  missingSignatures,
  networkFingerprint,
  networkIdOf,
  type Operation,
  sodiumReady,
  thresholdFor,
  toBase64url,
} from '@liaison/protocol'
import t from 'tap'
import { makeGenesis, makeNetwork, seededKey, signGenesis } from '../../../support/network.ts'

await sodiumReady()

const why = 'test'
const taken = (entry: Uint8Array) => {
  const decoded = decodeEntry(entry)
  if (!decoded.ok) throw new Error(decoded.error)
  return decoded.value
}

t.test('who has to sign what', async (t) => {
  const network = makeNetwork()
  const { directory } = network
  const need = (op: string, body: object) => thresholdFor(directory, { op, body } as Operation)
  const [bf, flu] = [network.deviceOf('BF'), network.deviceOf('FLU')]
  const member = { code: 'SN', kind: 'state', name: { en: 'SN' } }
  t.same(need('member', member), { orgs: 2, from: 'm' })
  t.same(need('enrol', network.enrolment('x', bf.mem)), { orgs: 2, from: 'm' })
  t.same(need('enrol', network.enrolment('x', flu.mem)), { orgs: 3, from: 'r' })
  t.same(need('epoch', { dev: bf.num, wk: 1, kids: [] }), { orgs: 0, from: 'self' })
  t.same(need('suspend', { dev: bf.num, why }), { orgs: 1, from: 1 })
  t.same(need('suspend', { dev: flu.num, why }), { orgs: 1, from: 1 })
  t.same(need('suspend', { mem: bf.mem, why }), { orgs: 2, from: 'm' })
  t.same(need('suspend', { adm: 1, why }), { orgs: 2, from: 'm' })
  t.same(need('resume', { adm: 1, why }), { orgs: 3, from: 'r' })
  t.same(need('revoke', { dev: flu.num, why }), { orgs: 3, from: 'r' })
  t.same(need('revoke', { dev: bf.num, why }), { orgs: 2, from: 'm' })
  t.same(need('policy', { recallHold: 1 }), { orgs: 3, from: 'r' })
  t.same(need('genesis', makeGenesis().body), { orgs: 5, from: 'all' })
  network.append('suspend', { dev: flu.num, why })
  const last = network.deviceOf('FLU', 1).num
  t.same(need('suspend', { dev: last, why }), { orgs: 2, from: 'm' }, 'the last two of the unit')
})

t.test('one of two organisations has signed', async (t) => {
  const network = makeNetwork({ adminOrgs: ['AUC', 'auc', 'MR', 'ML', 'NE'] })
  const body = { code: 'SN', kind: 'state', name: { en: 'SN' } } as const
  const { stmt, signatures } = taken(network.sign('member', body, [1, 2, 3]))
  const after = (count: number) =>
    missingSignatures(network.directory, stmt, signatures.slice(0, count))
  const expect = (have: string[], complete: boolean) => ({
    ok: true,
    value: { unit: 'organisations', have, need: 2, complete },
  })
  t.same(after(0), expect([], false))
  t.same(after(2), expect(['AUC'], false))
  t.same(after(3), expect(['AUC', 'MR'], true))
  network.adminKeys.set(3, seededKey('stranger'))
  const forged = taken(network.sign('member', body, [3]))
  t.match(missingSignatures(network.directory, forged.stmt, forged.signatures), {
    ok: true,
    value: { have: [], complete: false },
  })
})

t.test('the progress of a genesis is counted in administrators', async (t) => {
  const { body, keys } = makeGenesis()
  const { stmt, signatures } = taken(signGenesis(body, 1, keys, [1, 2]))
  t.match(missingSignatures(null, stmt, signatures), {
    ok: true,
    value: { unit: 'administrators', have: { length: 2 }, need: 5, complete: false },
  })
})

t.test('the progress of a new administrator set has two parts', async (t) => {
  const network = makeNetwork()
  const { admins, ver, m, r } = network.directory.admins()
  network.append('suspend', { adm: 5, why }, [1, 2])
  const body = { ver: ver + 1, admins: [...admins.values()], m, r }
  const { stmt, signatures } = taken(network.sign('quorum', body, [1, 2, 5]))
  t.match(missingSignatures(network.directory, stmt, signatures), {
    ok: true,
    value: {
      have: { length: 2 },
      need: 3,
      next: { have: { length: 2 }, need: 3 },
      complete: false,
    },
  })
  const all = taken(network.sign('quorum', body, [1, 2, 3]))
  t.match(missingSignatures(network.directory, all.stmt, all.signatures), {
    ok: true,
    value: { complete: true },
  })
})

t.test('a device signs its own weeks', async (t) => {
  const network = makeNetwork()
  const device = network.deviceOf('BF')
  const body = { dev: device.num, wk: 1, kids: network.kids('x', 1, 2) }
  const { stmt, signatures } = taken(network.signEpoch(device, body))
  t.match(missingSignatures(network.directory, stmt, signatures), {
    ok: true,
    value: { unit: 'device', have: [`${device.num}`], need: 1, complete: true },
  })
  t.match(missingSignatures(network.directory, stmt, []), { ok: true, value: { complete: false } })
})

t.test('lowering the need for cosigners waits for every administrator', async (t) => {
  const network = makeNetwork({
    genesis: {
      cosigners: [{ name: 'w', key: seededKey('w').publicKey, kind: 'witness' }],
      freshness: { maxAge: 60_000, need: { flu: 0, admin: 0, witness: 1 } },
    },
  })
  const body = { freshness: { maxAge: 60_000, need: { flu: 0, admin: 0, witness: 0 } } }
  const { stmt, signatures } = taken(network.sign('policy', body, [1, 2, 3]))
  t.match(missingSignatures(network.directory, stmt, signatures), {
    ok: true,
    value: { unit: 'administrators', have: { length: 3 }, need: 5, complete: false },
  })
})

t.test('a lone administrator who has used up the day needs a second one', async (t) => {
  const network = makeNetwork()
  const mem = network.member('BF')
  const devs = Array.from({ length: 6 }, (_, i) => network.enrol(`spare-${i}`, mem).num)
  const progressOf = (dev: number | undefined) => {
    const { stmt, signatures } = taken(network.sign('suspend', { dev, why }, [1]))
    return missingSignatures(network.directory, stmt, signatures)
  }
  t.match(progressOf(devs[0]), { ok: true, value: { need: 1, complete: true } })
  for (const dev of devs.slice(0, 5)) network.append('suspend', { dev, why }, [1])
  t.match(progressOf(devs[5]), { ok: true, value: { need: 2, complete: false } })
})

t.test('what cannot be judged is refused', async (t) => {
  const network = makeNetwork()
  const { directory } = network
  const unknown = network.nextStatement('snapshot' as 'member', {})
  const malformed = network.nextStatement('member', {})
  const member = { code: 'SN', kind: 'state', name: { en: 'SN' } } as const
  t.match(missingSignatures(directory, unknown, []), { ok: false, error: 'operation_unknown' })
  t.match(missingSignatures(directory, malformed, []), { ok: false, error: 'entry_malformed' })
  t.match(missingSignatures(directory, new Uint8Array(1), []), { ok: false })
  t.match(missingSignatures(null, network.nextStatement('member', member), []), {
    ok: false,
    error: 'base_mismatch',
  })
  t.match(describeStatement(unknown), { ok: false, error: 'operation_unknown' })
  t.match(describeStatement(new Uint8Array(1)), { ok: false, error: 'entry_malformed' })
})

t.test('a statement is shown before it is signed', async (t) => {
  const network = makeNetwork()
  const body = network.enrolment('new', network.member('BF'))
  const stmt = network.nextStatement('enrol', body)
  t.match(describeStatement(stmt, network.directory.net), {
    ok: true,
    value: {
      id: /^[0-9a-f]{64}$/,
      op: 'enrol',
      written: network.now,
      base: { size: network.directory.size },
      body: { label: 'new', ik: toBase64url(body.ik) },
      fingerprint: deviceFingerprint(network.directory.net, body.ik),
    },
  })
  const plain = describeStatement(stmt)
  t.equal(plain.ok && plain.value.fingerprint, undefined)
  const genesis = makeGenesis()
  const founding = taken(signGenesis(genesis.body, 1, genesis.keys)).stmt
  t.match(describeStatement(founding), {
    ok: true,
    value: { fingerprint: networkFingerprint(networkIdOf(founding)) },
  })
})
