import { audienceHash, sha256, sodiumReady, toHex, utf8, weekMs } from '@liaison/protocol'
import t from 'tap'
import { concat, u32 } from '../../../../protocol/src/bytes.ts'
import { makeNetwork, type TestNetwork } from '../../../support/network.ts'

await sodiumReady()

const ask = (network: TestNetwork, changes: object = {}, size?: number) =>
  network.directory.audience(
    { topic: network.topic('terrorism'), hc: 0, mode: 0, t: network.now, ...changes },
    size,
  )

const devicesOf = (answer: ReturnType<typeof ask>): number[] | string =>
  answer.ok ? answer.value.recipients.map((one) => one.dev) : answer.error

t.test('the whole topic: the unit first, then ascending; hash over device and key', async (t) => {
  const network = makeNetwork({
    members: [{ code: 'BF', devices: 2 }, { code: 'FLU' }],
    topics: [{ name: 'terrorism', grants: { BF: { read: 1 } } }],
  })
  const late = network.enrol('flu-late', network.member('FLU'))
  const answer = ask(network)
  if (!answer.ok) return t.fail(answer.error)
  const flu = [network.deviceOf('FLU').num, late.num]
  t.same(devicesOf(answer), [...flu, network.deviceOf('BF', 0).num, network.deviceOf('BF', 1).num])
  t.equal(answer.value.fluCount, 2)
  t.same(answer.value.withoutKey, [])
  const { recipients } = answer.value
  const bytes = recipients.flatMap(({ dev, kid }) => [u32(dev), kid])
  t.equal(toHex(answer.value.hash), toHex(sha256(concat(utf8('sir/1 aud'), ...bytes))))
  t.equal(toHex(audienceHash(recipients)), toHex(answer.value.hash))
  for (const { dev, kid } of recipients) {
    const expected = network.directory.kidFor(dev, network.now) as Uint8Array
    t.equal(toHex(kid), toHex(expected))
  }
})

t.test('clearance is the lower of device and grant; the unit reads everything', async (t) => {
  const network = makeNetwork()
  const flu = [0, 1, 2].map((i) => network.deviceOf('FLU', i).num)
  const [bf, ml1, ml2] = [
    network.deviceOf('BF').num,
    network.deviceOf('ML', 0).num,
    network.deviceOf('ML', 1).num,
  ]
  const [ne, fr] = [network.deviceOf('NE').num, network.deviceOf('FR').num]
  t.same(devicesOf(ask(network, { hc: 1 })), [...flu, bf, ml1, ml2, ne, fr])
  t.same(devicesOf(ask(network, { hc: 2 })), [...flu, bf, ml1, ml2, ne], 'grant of FR is 1')
  t.same(devicesOf(ask(network, { hc: 3 })), [...flu, bf, ml1, ml2], 'device of NE is 2')
  t.same(devicesOf(ask(network, { hc: 4 })), [...flu, bf])
  t.same(devicesOf(ask(network, { topic: network.topic('arms'), hc: 4 })), [...flu, bf, ml1, ml2])
})

t.test('administrators’ devices never read', async (t) => {
  const network = makeNetwork()
  const bf = network.enrol('bf-admin', network.member('BF'), { role: 'administrator' }).num
  const flu = network.enrol('flu-admin', network.member('FLU'), { role: 'administrator' }).num
  const devices = devicesOf(ask(network))
  t.notOk(devices.includes(bf as never))
  t.notOk(devices.includes(flu as never))
  t.equal(network.directory.mayRead(bf, network.topic('terrorism')), false)
  t.equal(network.directory.mayPublish(bf, network.topic('terrorism'), 0), 'publish_refused')
})

t.test('named members only, ascending, active, with the read right', async (t) => {
  const network = makeNetwork()
  const [bf, ml] = [network.member('BF'), network.member('ML')]
  const flu = [0, 1, 2].map((i) => network.deviceOf('FLU', i).num)
  const to = (members: number[], changes: object = {}) =>
    devicesOf(ask(network, { mode: 1, to: members, ...changes }))
  t.same(to([]), flu, 'the unit only')
  t.same(devicesOf(ask(network, { mode: 1 })), flu)
  t.same(to([bf]), [...flu, network.deviceOf('BF').num])
  t.same(to([bf, ml]).length, 6)
  t.same(to([network.member('FLU')]), flu)
  t.equal(to([ml, bf]), 'audience_invalid', 'descending')
  t.equal(to([bf, bf]), 'audience_invalid', 'twice')
  t.equal(to([9999]), 'audience_invalid', 'unknown')
  t.equal(to([network.member('NE')], { topic: network.topic('arms') }), 'audience_invalid')
  t.equal(devicesOf(ask(network, { to: [bf] })), 'audience_invalid', 'mode 0 names nobody')
  t.same(devicesOf(ask(network, { to: [] })).length, 8)
  t.same(to([ml], { hc: 4 }), flu, 'named but not cleared')
  network.append('suspend', { mem: bf, why: 'test' })
  t.equal(to([bf]), 'audience_invalid', 'suspended')
})

t.test(
  'a release reaches members without a grant, by the clearance of their devices',
  async (t) => {
    const network = makeNetwork()
    const arms = network.topic('arms')
    const release = { topic: arms, mode: 1, to: [network.member('NE')], release: true }
    const flu = [0, 1, 2].map((i) => network.deviceOf('FLU', i).num)
    t.same(devicesOf(ask(network, { ...release, hc: 2 })), [...flu, network.deviceOf('NE').num])
    t.same(devicesOf(ask(network, { ...release, hc: 3 })), flu)
    t.equal(devicesOf(ask(network, { topic: arms, release: true })), 'audience_invalid')
  },
)

t.test('no active device of the unit with a key: nobody may publish', async (t) => {
  const network = makeNetwork()
  for (const i of [0, 1, 2]) {
    network.append('suspend', { dev: network.deviceOf('FLU', i).num, why: 'test' }, [1, 2])
    t.equal(ask(network).ok, i < 2)
  }
  t.equal(devicesOf(ask(network)), 'no_flu')
  const stale = makeNetwork()
  stale.advanceWeeks(9)
  t.equal(devicesOf(ask(stale)), 'no_flu', 'no key for the week')
})

t.test('a device without a key for the week drops out by name', async (t) => {
  const network = makeNetwork()
  network.advanceWeeks(8)
  const fresh = ['FLU', 'BF'].map((code) => network.deviceOf(code))
  for (const device of fresh) {
    const kids = network.kids(`${device.label} again`, 9)
    network.appendEntry(
      network.signEpoch(device, { dev: device.num, wk: 9, kids: kids.slice(0, 8) }),
    )
  }
  network.advanceWeeks(1)
  const answer = ask(network)
  if (!answer.ok) return t.fail(answer.error)
  t.same(
    devicesOf(answer),
    fresh.map((device) => device.num),
  )
  const others = ['FLU 1', 'FLU 2', 'ML 0', 'ML 1', 'NE 0', 'FR 0'].map((name) => {
    const [code, nth] = name.split(' ') as [string, string]
    return network.deviceOf(code, Number(nth)).num
  })
  t.same(answer.value.withoutKey, others, 'those of the unit first')
})

t.test('the key is that of the week of the envelope, not of now', async (t) => {
  const network = makeNetwork()
  const dev = network.deviceOf('BF').num
  const written = network.now
  const kids = network.kids('bf-1', 0)
  network.advanceWeeks(2)
  const kid = (answer: ReturnType<typeof ask>) =>
    answer.ok ? answer.value.recipients.find((one) => one.dev === dev)?.kid : undefined
  t.same(kid(ask(network, { t: written })), kids[0])
  t.same(kid(ask(network)), kids[2])
})

t.test('dates of an enrolment are judged at the time of the envelope', async (t) => {
  const network = makeNetwork()
  const bf = network.member('BF')
  const { now } = network
  const hour = 3600 * 1000
  const dev = network.enrol('brief', bf, { nb: now + hour, na: now + 2 * hour }).num
  const includes = (time: number) => devicesOf(ask(network, { t: time })).includes(dev as never)
  t.equal(includes(now + hour - 1), false)
  t.equal(includes(now + hour), true)
  t.equal(includes(now + 2 * hour - 1), true)
  t.equal(includes(now + 2 * hour), false)
  t.equal(includes(now + hour + 5), true, 'also when the answer is remembered')
})

t.test('too many devices for one envelope', async (t) => {
  const network = makeNetwork({
    members: [{ code: 'BF', devices: 254 }],
    topics: [{ name: 'terrorism', grants: { BF: { read: 1 } } }],
  })
  t.equal(devicesOf(ask(network)), 'audience_too_large')
  t.equal(devicesOf(ask(network, { mode: 1, to: [] })).length, 3)
  const before = network.directory.size
  network.append('suspend', { dev: network.deviceOf('BF').num, why: 'test' })
  t.equal(devicesOf(ask(network)).length, 256)
  t.equal(devicesOf(ask(network, {}, before)), 'audience_too_large', 'as of before')
})

t.test('every size has its own audience', async (t) => {
  const network = makeNetwork()
  const bf = network.deviceOf('BF').num
  const before = network.directory.size
  const old = devicesOf(ask(network))
  network.append('suspend', { dev: bf, why: 'test' })
  const during = network.directory.size
  network.append('resume', { dev: bf, why: 'test' })
  t.same(devicesOf(ask(network, {}, before)), old)
  t.notOk(devicesOf(ask(network, {}, during)).includes(bf as never))
  t.same(devicesOf(ask(network)), old)
  t.equal(devicesOf(ask(network, {}, network.topic('terrorism'))), 'topic_unknown')
  t.equal(devicesOf(ask(network, { topic: 9999 })), 'topic_unknown')
  t.equal(devicesOf(ask(network, { topic: 1 })), 'topic_unknown', 'a member is no topic')
})

t.test(
  'a size that is not reached yet is answered as the present and not remembered',
  async (t) => {
    const network = makeNetwork()
    const bf = network.deviceOf('BF').num
    const next = network.directory.size + 1
    t.ok(devicesOf(ask(network, {}, next)).includes(bf as never))
    network.append('suspend', { dev: bf, why: 'test' })
    t.notOk(devicesOf(ask(network, {}, next)).includes(bf as never))
  },
)

t.test('remembered answers are the same object and give way to newer ones', async (t) => {
  const network = makeNetwork()
  const first = ask(network)
  t.equal(ask(network), first, 'the same query')
  t.equal(ask(network, { t: network.now + 1 }), first, 'another time of the same week')
  t.not(ask(network, { t: network.now + weekMs }), first, 'another week')
  for (let size = 1; size <= network.directory.size; size++) {
    for (let hc = 0; hc < 24; hc++) ask(network, { hc, mode: 1 }, size)
  }
  const again = ask(network)
  t.not(again, first)
  t.same(again, first)
})
