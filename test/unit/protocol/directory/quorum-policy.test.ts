import { sodiumReady } from '@liaison/protocol'
import t from 'tap'
import { makeNetwork, seededKey, type TestNetwork } from '../../../support/network.ts'
import { refused } from '../../../support/refused.ts'

await sodiumReady()

const newKey = (num: number) => seededKey(`new admin ${num}`)

/** The present set with administrator 5 replaced by another person with the same number. */
function nextSet(network: TestNetwork) {
  const { admins, ver, m, r } = network.directory.admins()
  const kept = [...admins.values()].filter((admin) => admin.num !== 5)
  const added = { num: 5, org: 'NE', name: 'new', key: newKey(5).publicKey }
  return { ver: ver + 1, admins: [...kept, added], m, r }
}

t.test('quorum: r of the old set and r of the new', async (t) => {
  const network = makeNetwork()
  const body = nextSet(network)
  refused(t, network, network.sign('quorum', body, [1, 2]), 'quorum_missing')
  refused(t, network, network.sign('quorum', body, [1, 2, 5]), 'quorum_missing')
  const applied = network.append('quorum', body, [1, 2, 3])
  t.match(applied.change, { what: 'admins' })
  t.equal(network.directory.admins().ver, 2)
  t.equal(network.directory.admins(applied.index).ver, 1, 'as of before')
  const add = () =>
    network.sign('member', { code: 'SN', kind: 'state', name: { en: 'SN' } }, [4, 5])
  refused(t, network, add(), 'signature_invalid')
  network.adminKeys.set(5, newKey(5))
  t.match(network.directory.check(add(), network.now), { ok: true })
})

t.test('quorum: a number in both sets counts for the set whose key verifies', async (t) => {
  const network = makeNetwork()
  const { admins } = network.directory.admins()
  const body = {
    ver: 2,
    m: 2,
    r: 3,
    admins: [1, 2, 3, 4].map((num) => ({
      num,
      org: `N${num}`,
      name: 'new',
      key: newKey(num).publicKey,
    })),
  }
  const both = { ...body, admins: [...body.admins.slice(0, 3), admins.get(4), admins.get(5)] }
  refused(t, network, network.sign('quorum', body, [1, 2, 3]), 'quorum_missing')
  for (const num of [1, 2, 3]) network.adminKeys.set(num, newKey(num))
  refused(t, network, network.sign('quorum', body, [1, 2, 3]), 'quorum_missing')
  network.adminKeys.set(3, makeNetwork().adminKeys.get(3) as never)
  const entry = network.sign('quorum', both, [1, 2, 3, 4, 5])
  t.match(network.appendEntry(entry).change, { what: 'admins' }, 'old 3 4 5, new 1 2 4 5')
})

t.test('quorum: strangers and bad signatures are refused', async (t) => {
  const network = makeNetwork()
  const body = nextSet(network)
  network.adminKeys.set(8, seededKey('stranger'))
  refused(t, network, network.sign('quorum', body, [1, 2, 3, 8]), 'signer_unknown')
  network.adminKeys.set(4, seededKey('stranger'))
  refused(t, network, network.sign('quorum', body, [1, 2, 3, 4]), 'signature_invalid')
})

t.test('quorum: version, numbers, keys and organisations to spare', async (t) => {
  const network = makeNetwork()
  const body = nextSet(network)
  const sign = (changes: object) => network.sign('quorum', { ...body, ...changes }, [1, 2, 3])
  refused(t, network, sign({ ver: 3 }), 'entry_malformed')
  refused(t, network, sign({ r: 5 }), 'quorum_unsafe')
  refused(t, network, sign({ m: 3, r: 2 }), 'quorum_unsafe')
  refused(t, network, sign({ admins: body.admins.slice(0, 3) }), 'quorum_unsafe')
  const [first, ...rest] = body.admins
  refused(t, network, sign({ admins: [{ ...first, num: 2 }, ...rest] }), 'entry_malformed')
  refused(
    t,
    network,
    sign({ admins: [{ ...first, key: new Uint8Array(32) }, ...rest] }),
    'key_unfit',
  )
  const device = network.deviceOf('BF').key.publicKey
  refused(t, network, sign({ admins: [{ ...first, key: device }, ...rest] }), 'subject_exists')
})

t.test('quorum: a suspension follows the key into the new set', async (t) => {
  const network = makeNetwork()
  network.append('suspend', { adm: 4, why: 'test' }, [1, 2])
  const body = nextSet(network)
  refused(t, network, network.sign('quorum', { ...body, r: 4 }, [1, 2, 3]), 'quorum_unsafe')
  network.append('quorum', body, [1, 2, 3])
  t.equal(network.directory.admins().standing.get(4), 'suspended')
})

t.test('quorum and a change of an administrator exclude each other', async (t) => {
  const network = makeNetwork()
  const base = network.base()
  const quorum = network.sign('quorum', nextSet(network), [1, 2, 3], { base })
  const revoke = network.sign('revoke', { adm: 4, why: 'test' }, [1, 2], { base })
  network.append('suspend', { adm: 5, why: 'test' }, [1, 2])
  refused(t, network, quorum, 'subject_changed')
  network.append('quorum', nextSet(network), [1, 2, 3])
  refused(t, network, revoke, 'subject_changed')
})

const need = (flu: number, admin: number) => ({ flu, admin, witness: 0 })
const cosigners = [
  { name: 'flu', key: seededKey('cosigner flu').publicKey, kind: 'flu' as const },
  { name: 'admin', key: seededKey('cosigner admin').publicKey, kind: 'admin' as const },
]
const day = 24 * 3600 * 1000

t.test('policy: r organisations; what is left out stays', async (t) => {
  const network = makeNetwork()
  const body = { recallHold: 1000, auditDeliveries: 1 } as const
  refused(t, network, network.sign('policy', body, [1, 2]), 'quorum_missing')
  const applied = network.append('policy', body, [1, 2, 3])
  t.match(network.directory.policy(), { recallHold: 1000, auditDeliveries: true, flu: ['FLU'] })
  t.match(network.directory.policy(applied.index), { auditDeliveries: false }, 'as of before')
  network.append('policy', { recallHold: 2000 })
  t.equal(network.directory.policy().auditDeliveries, true)
})

t.test('policy: raising the need for cosigners takes r, lowering it all', async (t) => {
  const network = makeNetwork()
  const raise = { cosigners, freshness: { maxAge: day, need: need(1, 1) } }
  network.append('policy', raise, [1, 2, 3])
  const swap = { freshness: { maxAge: day, need: need(0, 1) } }
  refused(t, network, network.sign('policy', swap, [1, 2, 3, 4]), 'quorum_missing')
  network.append('suspend', { adm: 5, why: 'test' }, [1, 2])
  network.append('policy', swap, [1, 2, 3, 4])
  t.match(network.directory.policy().freshness.need, need(0, 1))
})

t.test('policy: new relays are found and old keys serve nothing else', async (t) => {
  const network = makeNetwork()
  const relays = [{ num: 2, key: seededKey('relay 2').publicKey, origin: 'wss://two.example' }]
  const before = network.directory.size
  network.append('policy', { relays })
  t.equal(network.directory.relay(2)?.origin, 'wss://two.example')
  t.equal(network.directory.relay(1), null)
  t.equal(network.directory.relay(1, before)?.num, 1, 'as of before')
  const logs = { dir: network.relayKey.publicKey, audit: network.logKeys.audit.publicKey }
  refused(t, network, network.sign('policy', { logs }), 'subject_exists')
  const fresh = { dir: seededKey('log 2').publicKey, audit: network.logKeys.audit.publicKey }
  network.append('policy', { logs: fresh })
  t.same(network.directory.policy().logs, fresh)
})

t.test('policy: the unit consists of members that exist and are active', async (t) => {
  const network = makeNetwork()
  refused(t, network, network.sign('policy', { flu: ['FLU', 'XX'] }), 'subject_unknown')
  const before = network.directory.size
  network.append('policy', { flu: ['FLU', 'BF'] })
  const bf = network.member('BF')
  t.equal(network.directory.isFlu(bf), true)
  t.equal(network.directory.isFlu(bf, before), false, 'as of before')
  t.equal(network.directory.fluDevices(network.now).length, 4)
  network.append('suspend', { mem: bf, why: 'test' })
  refused(t, network, network.sign('policy', { flu: ['BF'] }), 'subject_unknown')
  const base = network.base()
  const two = [1, 2].map((n) => network.sign('policy', { recallHold: n }, [1, 2, 3], { base }))
  network.appendEntry(two[0] as Uint8Array)
  refused(t, network, two[1] as Uint8Array, 'subject_changed')
})
