import {
  leafHash,
  merkleRoot,
  rootFromInclusion,
  sodiumReady,
  toHex,
  verifyConsistency,
} from '@liaison/protocol'
import t from 'tap'
import { makeNetwork } from '../../../support/network.ts'

await sodiumReady()

t.test('roots and proofs follow RFC 6962 over the entries', async (t) => {
  const network = makeNetwork()
  const { directory } = network
  const leaves = network.entries().map(leafHash)
  for (let size = 1; size <= directory.size; size++) {
    const root = directory.rootAt(size) as Uint8Array
    t.equal(toHex(root), toHex(merkleRoot(leaves.slice(0, size))))
    const proof = directory.consistencyProof(size)
    t.ok(verifyConsistency(size, directory.size, root, directory.root, proof))
  }
  t.equal(directory.rootAt(directory.size + 1), null)
  const path = directory.inclusionPath(3)
  const root = rootFromInclusion(3, directory.size, leaves[3] as Uint8Array, path)
  t.equal(root && toHex(root), toHex(directory.root))
})

t.test('who may publish where, at which code', async (t) => {
  const network = makeNetwork()
  const { directory } = network
  const [terrorism, arms] = [network.topic('terrorism'), network.topic('arms')]
  const num = (code: string) => network.deviceOf(code).num
  t.equal(directory.mayPublish(num('BF'), terrorism, 4), 'ok')
  t.equal(directory.mayPublish(num('ML'), terrorism, 4), 'clearance_insufficient', 'grant 3')
  t.equal(directory.mayPublish(num('NE'), terrorism, 3), 'clearance_insufficient', 'device 2')
  t.equal(directory.mayPublish(num('NE'), terrorism, 2), 'ok')
  t.equal(directory.mayPublish(num('ML'), arms, 0), 'publish_refused', 'reads only')
  t.equal(directory.mayPublish(num('NE'), arms, 0), 'publish_refused', 'no grant')
  t.equal(directory.mayPublish(num('FLU'), arms, 0), 'publish_refused', 'the unit needs a grant')
  t.equal(directory.mayPublish(num('FLU'), terrorism, 4), 'ok')
  t.equal(directory.mayPublish(num('FR'), terrorism, 0), 'publish_refused')
  t.equal(directory.mayPublish(9999, terrorism, 0), 'device_unknown')
  t.equal(directory.mayPublish(num('BF'), num('BF'), 0), 'topic_unknown')
  const before = directory.size
  network.append('suspend', { mem: network.member('BF'), why: 'test' })
  t.equal(directory.mayPublish(num('BF'), terrorism, 0), 'device_inactive')
  t.equal(directory.mayPublish(num('BF'), terrorism, 0, before), 'ok', 'as of before')
  t.equal(directory.mayPublish(num('BF'), terrorism, 0, num('BF')), 'device_unknown')
})

t.test('who may read what', async (t) => {
  const network = makeNetwork()
  const { directory } = network
  const [terrorism, arms] = [network.topic('terrorism'), network.topic('arms')]
  const num = (code: string) => network.deviceOf(code).num
  t.equal(directory.mayRead(num('NE'), terrorism), true)
  t.equal(directory.mayRead(num('NE'), arms), false)
  t.equal(directory.mayRead(num('FLU'), arms), true)
  t.equal(directory.mayRead(num('FLU'), 9999), false)
  t.equal(directory.mayRead(9999, arms), false)
  t.equal(directory.clearance(num('FLU'), arms), 4)
  t.equal(directory.clearance(num('NE'), arms), -1)
  t.equal(directory.clearance(num('FR'), terrorism), 1)
  t.equal(directory.clearance(9999, arms), -1)
  network.append('suspend', { dev: num('NE'), why: 'test' })
  t.equal(directory.mayRead(num('NE'), terrorism), false)
})

t.test('lists as of a size; numbers that name nothing', async (t) => {
  const network = makeNetwork()
  const before = network.directory.size
  t.equal(network.directory.members(before).length, 5)
  t.equal(network.directory.members(3).length, 2, 'as of size 3')
  t.equal(network.directory.devices(before).length, 8)
  t.equal(network.directory.devices(network.deviceOf('FLU', 1).num).length, 1)
  t.equal(network.directory.member(9999), null)
  t.equal(network.directory.device(9999), null)
  t.equal(network.directory.topic(9999), null)
  t.equal(network.directory.schema(9999), null)
  t.equal(network.directory.memberByCode('XX'), null)
})

t.test('activity at a time', async (t) => {
  const network = makeNetwork()
  const { directory, now } = network
  const later = { nb: now + 10_000, na: now + 20_000 }
  const { num } = network.enrol('later', network.member('BF'), later)
  const at = (ms: number) => directory.deviceActive(num, (now + ms) as typeof now)
  t.same([at(9_999), at(10_000), at(19_999), at(20_000)], [false, true, true, false])
  t.equal(directory.deviceActive(num, (now + 10_000) as typeof now, num), false, 'as of before')
  t.equal(directory.deviceActive(9999, now), false)
})
