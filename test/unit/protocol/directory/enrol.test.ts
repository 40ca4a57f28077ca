import { enrolmentNonce, limits, signPossession, sodiumReady, weekMs } from '@liaison/protocol'
import t from 'tap'
import { makeNetwork, seededBytes, seededKey } from '../../../support/network.ts'
import { refused } from '../../../support/refused.ts'

await sodiumReady()

t.test('an enrolled device has the number of its entry', async (t) => {
  const network = makeNetwork()
  const index = network.directory.size
  const device = network.enrol('new', network.member('BF'), { hc: 2, role: 'analyst' })
  t.equal(device.num, index)
  t.match(network.directory.device(index), {
    num: index,
    mem: network.member('BF'),
    role: 'analyst',
    clearance: 2,
    state: 'active',
    label: 'new',
    lastWeek: limits.enrolWeeks - 1,
  })
  t.equal(network.directory.device(index, index), null, 'not before its entry')
  t.equal(network.directory.deviceByKey(device.key.publicKey)?.num, index)
  t.equal(network.directory.deviceByKey(seededKey('nobody').publicKey), null)
})

t.test('the member must exist and be active', async (t) => {
  const network = makeNetwork()
  refused(t, network, network.sign('enrol', network.enrolment('new', 7)), 'subject_unknown')
  const bf = network.member('BF')
  network.append('suspend', { mem: bf, why: 'lost' })
  refused(t, network, network.sign('enrol', network.enrolment('new', bf)), 'not_permitted')
})

t.test('attack 9: another one’s key cannot be enrolled without its possession', async (t) => {
  const network = makeNetwork()
  const bf = network.member('BF')
  const victim = seededKey('victim').publicKey
  const stolen = network.enrolment('mallory', bf, { ik: victim })
  refused(t, network, network.sign('enrol', stolen), 'possession_invalid')
})

t.test(
  'attack 9: a proof of possession holds for one member, role, organisation, network',
  async (t) => {
    const network = makeNetwork()
    const body = network.enrolment('new', network.member('BF'))
    const changed = (changes: object) => network.sign('enrol', { ...body, ...changes })
    refused(t, network, changed({ mem: network.member('ML') }), 'possession_invalid')
    refused(t, network, changed({ role: 'administrator' }), 'possession_invalid')
    refused(t, network, changed({ org: 'other' }), 'possession_invalid')
    const other = makeNetwork({ genesis: { name: 'other.example' } })
    const pop = signPossession(other.directory.net, seededKey(`${network.seed} device new`), body)
    refused(t, network, changed({ pop }), 'possession_invalid')
    t.ok(network.directory.append(changed({}), network.now).ok, 'unchanged it is accepted')
  },
)

t.test('attack 9: a key serves one purpose and one device', async (t) => {
  const network = makeNetwork()
  const bf = network.member('BF')
  const taken = [
    network.deviceOf('ML').key,
    network.adminKeys.get(1),
    network.relayKey,
    network.logKeys.dir,
  ]
  for (const key of taken) {
    if (key === undefined) return t.fail('fixture')
    const body = network.enrolment('again', bf, { ik: key.publicKey })
    const pop = signPossession(network.directory.net, key, body)
    refused(t, network, network.sign('enrol', { ...body, pop }), 'subject_exists')
  }
})

t.test('attack 16: low-order, mixed-order and non-canonical keys are not enrolled', async (t) => {
  const network = makeNetwork()
  const identity = new Uint8Array(32)
  identity[0] = 1
  for (const ik of [new Uint8Array(32), identity, new Uint8Array(32).fill(0xff)]) {
    const body = network.enrolment('weak', network.member('BF'), { ik })
    refused(t, network, network.sign('enrol', body), 'key_unfit')
  }
})

t.test('the nonce commits to the key weeks, so a courier cannot exchange them', async (t) => {
  const network = makeNetwork()
  const body = network.enrolment('new', network.member('BF'))
  const kids = [seededBytes('of mallory', 32), ...body.kids.slice(1)]
  refused(t, network, network.sign('enrol', { ...body, kids }), 'entry_malformed')
  const shifted = { ...body, n: enrolmentNonce(1, body.kids) }
  refused(t, network, network.sign('enrol', shifted), 'entry_malformed')
})

t.test('an enrolment begins before it ends', async (t) => {
  const network = makeNetwork()
  const { now } = network
  const body = network.enrolment('new', network.member('BF'), { nb: now, na: now })
  refused(t, network, network.sign('enrol', body), 'entry_malformed')
})

t.test('a request may travel for weeks, as long as its keys cover the present one', async (t) => {
  const network = makeNetwork()
  const request = network.enrolment('slow', network.member('BF'))
  network.advance(8 * weekMs)
  t.match(network.directory.check(network.sign('enrol', request), network.now), { ok: true })
  network.advance(weekMs)
  refused(t, network, network.sign('enrol', request), 'epoch_refused')
  const early = network.enrolment('early', network.member('BF'), { wk: 10 })
  refused(t, network, network.sign('enrol', early), 'epoch_refused')
})

t.test('a device of the unit needs the signatures of r organisations', async (t) => {
  const network = makeNetwork()
  const body = network.enrolment('flu-4', network.member('FLU'))
  refused(t, network, network.sign('enrol', body, [1, 2]), 'quorum_missing')
  network.appendEntry(network.sign('enrol', body, [1, 2, 3]))
  t.equal(network.directory.fluDevices(network.now).length, 4)
})
