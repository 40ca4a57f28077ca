import { epochMs, limits, sodiumReady } from '@liaison/protocol'
import t from 'tap'
import { makeNetwork, type TestNetwork } from '../../../support/network.ts'
import { refused } from '../../../support/refused.ts'

await sodiumReady()

const why = 'test'
const hour = 3600 * 1000

/** A network with `count` further devices of one member, for suspending. */
function withDevices(count: number): { readonly network: TestNetwork; readonly devs: number[] } {
  const network = makeNetwork()
  const mem = network.member('BF')
  const devs = Array.from({ length: count }, (_, i) => network.enrol(`spare-${i}`, mem).num)
  return { network, devs }
}

t.test('one administrator suspends a device; m organisations give it back', async (t) => {
  const network = makeNetwork()
  const { num } = network.deviceOf('BF')
  const before = network.directory.size
  const applied = network.append('suspend', { dev: num, why }, [4])
  t.match(applied.change, { what: 'standing', of: 'dev', num, state: 'suspended' })
  t.same(applied.deactivated, [num])
  t.equal(network.directory.deviceActive(num, network.now), false)
  t.equal(network.directory.deviceActive(num, network.now, before), true, 'as of before')
  t.equal(network.directory.suspendedAt(num), before)
  refused(t, network, network.sign('resume', { dev: num, why }, [1]), 'quorum_missing')
  network.append('resume', { dev: num, why }, [1, 2])
  t.equal(network.directory.deviceActive(num, network.now), true)
  t.equal(network.directory.suspendedAt(num), null)
})

t.test('what is in force already is refused', async (t) => {
  const network = makeNetwork()
  const { num } = network.deviceOf('BF')
  const mem = network.member('ML')
  refused(t, network, network.sign('resume', { dev: num, why }), 'state_unchanged')
  network.append('suspend', { dev: num, why })
  refused(t, network, network.sign('suspend', { dev: num, why }), 'state_unchanged')
  network.append('suspend', { mem, why })
  refused(t, network, network.sign('suspend', { mem, why }), 'state_unchanged')
  refused(t, network, network.sign('suspend', { dev: mem, why }), 'subject_unknown')
  refused(t, network, network.sign('suspend', { mem: num, why }, [1, 2]), 'subject_unknown')
  refused(t, network, network.sign('suspend', { adm: 77, why }, [1, 2]), 'subject_unknown')
})

t.test('a revocation is final', async (t) => {
  const network = makeNetwork()
  const { num } = network.deviceOf('BF')
  const mem = network.member('ML')
  network.append('suspend', { dev: num, why })
  network.append('revoke', { dev: num, why })
  network.append('revoke', { mem, why })
  for (const subject of [{ dev: num }, { mem }]) {
    for (const op of ['resume', 'revoke', 'suspend'] as const) {
      refused(t, network, network.sign(op, { ...subject, why }, [1, 2, 3]), 'state_unchanged')
    }
  }
  t.equal(network.directory.device(num)?.state, 'revoked')
  t.equal(network.directory.member(mem)?.state, 'revoked')
})

t.test('the stretch out of force begins with its first entry', async (t) => {
  const network = makeNetwork()
  const { num } = network.deviceOf('BF')
  const mem = network.member('BF')
  const first = network.append('suspend', { dev: num, why }).index
  const second = network.append('suspend', { mem, why }).index
  network.append('revoke', { dev: num, why })
  t.equal(network.directory.suspendedAt(num), first)
  t.equal(network.directory.suspendedAt(num, first), null, 'as of before')
  const other = network.enrol('ml-3', network.member('ML')).num
  const members = network.append('suspend', { mem: network.member('ML'), why })
  t.equal(network.directory.suspendedAt(other), members.index)
  t.ok(members.deactivated.includes(other))
  t.equal(members.deactivated.length, 3)
  t.ok(first < second)
  t.equal(network.directory.suspendedAt(9999), null)
})

t.test('a whole member is suspended by m organisations', async (t) => {
  const network = makeNetwork()
  const mem = network.member('ML')
  refused(t, network, network.sign('suspend', { mem, why }, [1]), 'quorum_missing')
  const applied = network.append('suspend', { mem, why }, [1, 2])
  t.equal(applied.deactivated.length, 2)
  t.equal(network.directory.deviceActive(network.deviceOf('ML').num, network.now), false)
  network.append('resume', { mem, why })
  t.equal(network.directory.deviceActive(network.deviceOf('ML').num, network.now), true)
})

t.test('a suspension is never refused for its base or for a conflict', async (t) => {
  const network = makeNetwork()
  const { num } = network.deviceOf('BF')
  const base = network.base()
  const suspend = network.sign('suspend', { dev: num, why }, [1], { base })
  const suspendAgain = network.sign('suspend', { dev: num, why }, [2], { base })
  const resume = network.sign('resume', { dev: num, why }, [1, 2], { base })
  network.appendEntry(suspend)
  refused(t, network, resume, 'subject_changed')
  network.append('resume', { dev: num, why })
  network.appendEntry(suspendAgain)
  t.equal(network.directory.deviceActive(num, network.now), false)
})

t.test(
  'attack 25: one administrator alone suspends five devices in 24 hours of log time',
  async (t) => {
    const { network, devs } = withDevices(8)
    const [a, b, c, d, e, f, g, h] = devs
    const start = network.now
    for (const dev of [a, b, c, d, e]) network.append('suspend', { dev, why }, [1])
    t.equal(network.directory.soloSuspensionsLeft(1, network.now), 0)
    t.equal(network.directory.soloSuspensionsLeft(2, network.now), limits.soloSuspensionsPerDayMax)
    t.equal(network.directory.soloSuspensionsLeft(77, network.now), 0)
    refused(t, network, network.sign('suspend', { dev: f, why }, [1]), 'suspend_limit')
    network.append('suspend', { dev: f, why }, [1, 2])
    t.equal(network.directory.soloSuspensionsLeft(2, network.now), 5, 'two signers: not charged')
    network.append('suspend', { dev: g, why }, [3])
    t.equal(network.directory.soloSuspensionsLeft(3, network.now), 4)
    const later = network.sign('suspend', { dev: h, why }, [1], { t: start + 24 * hour + 1000 })
    const soon = network.sign('suspend', { dev: h, why }, [1], { t: start + 23 * hour })
    refused(t, network, soon, 'suspend_limit', null)
    t.match(network.directory.check(later, epochMs(start + 24 * hour + 1000)), { ok: true })
  },
)

t.test('a far log time does not come back, so the window cannot be reopened', async (t) => {
  const { network, devs } = withDevices(6)
  for (const dev of devs.slice(0, 5)) network.append('suspend', { dev, why }, [1])
  const early = network.now - 3000
  const base = network.base(network.directory.size - 5)
  const entry = network.sign('suspend', { dev: devs[5], why }, [1], { base, t: early })
  refused(t, network, entry, 'suspend_limit')
})

t.test(
  'attack 25: one administrator alone never suspends the last two devices of the unit',
  async (t) => {
    const network = makeNetwork()
    const [a, b] = [network.deviceOf('FLU', 0).num, network.deviceOf('FLU', 1).num]
    network.append('suspend', { dev: a, why }, [1])
    refused(t, network, network.sign('suspend', { dev: b, why }, [1]), 'last_flu')
    network.append('suspend', { dev: b, why }, [1, 2])
    t.equal(network.directory.fluDevices(network.now).length, 1)
  },
)

t.test('a device of the unit comes back, or goes for good, by r organisations', async (t) => {
  const network = makeNetwork()
  const dev = network.deviceOf('FLU').num
  const mem = network.member('FLU')
  network.append('suspend', { dev, why }, [1])
  for (const op of ['resume', 'revoke'] as const) {
    refused(t, network, network.sign(op, { dev, why }, [1, 2]), 'quorum_missing')
  }
  refused(t, network, network.sign('revoke', { mem, why }, [1, 2]), 'quorum_missing')
  network.append('resume', { dev, why }, [1, 2, 3])
  network.append('revoke', { dev, why }, [1, 2, 3])
})

t.test('an administrator is suspended by m others, and its signatures stop counting', async (t) => {
  const network = makeNetwork()
  const adm = 2
  refused(t, network, network.sign('suspend', { adm, why }, [1, 2]), 'quorum_missing')
  const applied = network.append('suspend', { adm, why }, [1, 3])
  t.same(applied.deactivated, [])
  t.equal(network.directory.admins().standing.get(2), 'suspended')
  t.equal(network.directory.admins(applied.index).standing.get(2), undefined, 'as of before')
  const add = (nums: number[]) =>
    network.sign('member', { code: 'SN', kind: 'state', name: { en: 'SN' } }, nums)
  refused(t, network, add([1, 2]), 'signer_unknown')
  t.equal(network.directory.soloSuspensionsLeft(2, network.now), 0)
  refused(t, network, network.sign('suspend', { adm, why }, [1, 3]), 'state_unchanged')
  refused(t, network, network.sign('resume', { adm, why }, [1, 3]), 'quorum_missing')
  network.append('resume', { adm, why }, [1, 3, 4])
  t.match(network.directory.check(add([1, 2]), network.now), { ok: true })
})

t.test('a revoked administrator never comes back', async (t) => {
  const network = makeNetwork()
  refused(t, network, network.sign('revoke', { adm: 2, why }, [1, 2]), 'quorum_missing')
  network.append('revoke', { adm: 2, why }, [1, 3])
  refused(t, network, network.sign('resume', { adm: 2, why }, [1, 3, 4]), 'state_unchanged')
  const { admins, ver, m, r } = network.directory.admins()
  const body = { ver: ver + 1, admins: [...admins.values()], m, r }
  refused(t, network, network.sign('quorum', body, [1, 3, 4]), 'subject_exists')
})

t.test(
  'attack 26: organisations for root changes stay: no take-over by suspending the others',
  async (t) => {
    const network = makeNetwork()
    network.append('suspend', { adm: 5, why }, [1, 2])
    network.append('suspend', { adm: 4, why }, [1, 2])
    refused(t, network, network.sign('suspend', { adm: 3, why }, [1, 2]), 'quorum_unsafe')
    refused(t, network, network.sign('revoke', { adm: 3, why }, [1, 2]), 'quorum_unsafe')
    network.append('revoke', { adm: 5, why }, [1, 2])
  },
)

t.test('two administrators are suspended on one base', async (t) => {
  const network = makeNetwork()
  const base = network.base()
  const entries = [4, 5].map((adm) => network.sign('revoke', { adm, why }, [1, 2], { base }))
  for (const entry of entries) network.appendEntry(entry)
  t.equal(network.directory.admins().standing.size, 2)
})
