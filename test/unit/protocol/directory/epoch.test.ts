import { encodeEntry, signStatement, sodiumReady, toHex, weekMs } from '@liaison/protocol'
import t from 'tap'
import {
  makeNetwork,
  seededBytes,
  type TestDevice,
  type TestNetwork,
} from '../../../support/network.ts'
import { refused } from '../../../support/refused.ts'

await sodiumReady()

const fresh = (wk: number, count: number, text = 'fresh') =>
  Array.from({ length: count }, (_, i) => seededBytes(`${text} ${wk + i}`, 32))

const epoch = (
  network: TestNetwork,
  device: TestDevice,
  wk: number,
  count: number,
  text?: string,
) => network.signEpoch(device, { dev: device.num, wk, kids: fresh(wk, count, text) })

const hexOf = (kid: Uint8Array | null) => (kid === null ? null : toHex(kid))

t.test('a device replaces its future weeks; earlier weeks and sizes keep their keys', async (t) => {
  const network = makeNetwork()
  const device = network.deviceOf('BF')
  network.advanceWeeks(3)
  const before = network.directory.size
  network.appendEntry(epoch(network, device, 4, 9))
  const at = (week: number, size?: number) =>
    hexOf(
      network.directory.kidFor(
        device.num,
        (network.directory.genesisT + week * weekMs) as typeof network.now,
        size,
      ),
    )
  const first = network.kids(device.label, 0).map(toHex)
  t.equal(at(3), first[3], 'the current week keeps its key')
  t.equal(at(0), first[0])
  t.equal(at(4), toHex(seededBytes('fresh 4', 32)), 'later weeks have the new one')
  t.equal(at(4, before), first[4], 'as of the earlier size they have the old one')
  t.equal(at(12), toHex(seededBytes('fresh 12', 32)))
  t.equal(at(12, before), null)
  t.equal(at(13), null)
  t.equal(network.directory.device(device.num)?.lastWeek, 12)
  t.equal(network.directory.kidFor(9999, network.now), null)
})

t.test('a shorter list leaves the later weeks as they were', async (t) => {
  const network = makeNetwork()
  const device = network.deviceOf('BF')
  network.appendEntry(epoch(network, device, 1, 2))
  const at = (week: number) =>
    hexOf(
      network.directory.kidFor(
        device.num,
        (network.directory.genesisT + week * weekMs) as typeof network.now,
      ),
    )
  t.equal(at(2), toHex(seededBytes('fresh 2', 32)))
  t.equal(at(3), toHex(network.kids(device.label, 3, 1)[0] as Uint8Array))
})

t.test('the current and past weeks are never replaced', async (t) => {
  const network = makeNetwork()
  const device = network.deviceOf('BF')
  network.advanceWeeks(2)
  refused(t, network, epoch(network, device, 2, 9), 'epoch_refused')
  refused(t, network, epoch(network, device, 1, 9), 'epoch_refused')
  const written = epoch(network, device, 3, 3)
  network.advanceWeeks(1)
  refused(t, network, written, 'epoch_refused', network.now)
  t.match(network.directory.check(written, null), { ok: true }, 'by log time it is still week 2')
})

t.test('no gap after the last covered week, and not too far ahead', async (t) => {
  const network = makeNetwork()
  const device = network.deviceOf('BF')
  refused(t, network, epoch(network, device, 10, 2), 'epoch_refused')
  refused(t, network, epoch(network, device, 9, 8), 'epoch_refused')
  t.match(network.directory.check(epoch(network, device, 9, 7), network.now), { ok: true })
})

t.test('a device that was away too long may list the current week again', async (t) => {
  const network = makeNetwork()
  const device = network.deviceOf('BF')
  network.advanceWeeks(20)
  t.equal(network.directory.kidFor(device.num, network.now), null)
  refused(t, network, epoch(network, device, 19, 3), 'epoch_refused')
  refused(t, network, epoch(network, device, 22, 3), 'epoch_refused')
  network.appendEntry(epoch(network, device, 20, 3))
  t.not(network.directory.kidFor(device.num, network.now), null)
  refused(t, network, epoch(network, device, 20, 3, 'again'), 'epoch_refused')
})

t.test('only the device itself signs its weeks', async (t) => {
  const network = makeNetwork()
  const device = network.deviceOf('BF')
  const other = network.deviceOf('ML')
  const body = { dev: device.num, wk: 1, kids: fresh(1, 3) }
  refused(t, network, network.signEpoch(other, body), 'signer_unknown')
  refused(t, network, network.signEpoch({ ...device, key: other.key }, body), 'signature_invalid')
  refused(t, network, network.sign('epoch', body, [1, 2]), 'signer_unknown')
  const stmt = network.nextStatement('epoch', body)
  const { net } = network.directory
  const both = [device, other].map((one) => signStatement(net, one.num, one.key, stmt))
  refused(t, network, encodeEntry(stmt, both), 'signer_unknown')
})

t.test('a device out of force or out of date lists no weeks', async (t) => {
  const network = makeNetwork()
  const device = network.deviceOf('BF')
  const unknown = { dev: network.member('BF'), wk: 1, kids: fresh(1, 1) }
  refused(t, network, network.signEpoch(device, unknown), 'subject_unknown')
  const brief = network.enrol('brief', network.member('BF'), { na: network.now + weekMs })
  network.append('suspend', { dev: device.num, why: 'stolen' })
  refused(t, network, epoch(network, device, 1, 3), 'device_inactive')
  network.advanceWeeks(2)
  refused(t, network, epoch(network, brief, 3, 1), 'device_inactive')
})

t.test('weeks of two devices on one base do not collide, of one device they do', async (t) => {
  const network = makeNetwork()
  const [one, two] = [network.deviceOf('ML', 0), network.deviceOf('ML', 1)]
  const base = network.base()
  const make = (device: TestDevice, text: string) =>
    network.signEpoch(device, { dev: device.num, wk: 1, kids: fresh(1, 2, text) }, { base })
  const [a, b, c] = [make(one, 'a'), make(two, 'b'), make(one, 'c')]
  t.match(network.appendEntry(a).change, { what: 'keys', dev: one.num })
  network.appendEntry(b)
  refused(t, network, c, 'subject_changed')
})
