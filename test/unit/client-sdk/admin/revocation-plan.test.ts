import { sodiumReady } from '@liaison/protocol'
import t from 'tap'
import { draftRevoke } from '../../../../client-sdk/src/admin/drafts.ts'
import { planRevocation } from '../../../../client-sdk/src/admin/revocation-plan.ts'
import { makeNetwork, type TestNetwork } from '../../../support/network.ts'

await sodiumReady()

/** ML: an officer and an analyst. BF and FR: one officer each. Two topics. */
function network(): TestNetwork {
  const made = makeNetwork({
    members: [{ code: 'BF' }, { code: 'ML', devices: 1 }, { code: 'FR', kind: 'observer' }],
    topics: [
      {
        name: 'terrorism',
        grants: {
          BF: { pub: 1, read: 1 },
          ML: { pub: 1, read: 1 },
          FR: { read: 1, hc: 1 },
          FLU: { pub: 1, read: 1 },
        },
      },
      { name: 'arms', grants: { BF: { pub: 1, read: 1 }, ML: { read: 1 } } },
    ],
  })
  made.enrol('ml-analyst', made.member('ML'), { role: 'analyst' })
  return made
}

t.test('one of two devices of a member', async (t) => {
  const made = network()
  const dev = made.deviceOf('ML', 1).num
  const before = made.directory.size
  const plan = planRevocation(made.directory, { dev }, made.now)
  t.match(plan, {
    what: 'dev',
    num: dev,
    label: `device ${dev}, ML, ml-analyst`,
    devices: [{ num: dev, member: 'ML', role: 'analyst', label: 'ml-analyst' }],
    flu: { before: 3, after: 3 },
    withoutOfficer: [],
    administratorsLeft: [],
    signatures: { suspend: { orgs: 1, from: 1 }, revoke: { orgs: 2, from: 'm' } },
  })
  t.strictSame(plan.topics, [
    {
      num: made.topic('terrorism'),
      name: 'terrorism',
      devices: [dev],
      readersBefore: 7,
      readersAfter: 6,
      publishersLost: [],
    },
    {
      num: made.topic('arms'),
      name: 'arms',
      devices: [dev],
      readersBefore: 6,
      readersAfter: 5,
      publishersLost: [],
    },
  ])
  t.equal(made.directory.size, before, 'planning changes nothing')
})

t.test('the last officer of a member', async (t) => {
  const made = network()
  const plan = planRevocation(made.directory, { dev: made.deviceOf('ML', 0).num }, made.now)
  t.strictSame(plan.withoutOfficer, ['ML'])
  t.strictSame(
    plan.topics.map((topic) => topic.publishersLost),
    [[], []],
    'the analyst can still publish',
  )
  const only = planRevocation(made.directory, { dev: made.deviceOf('BF').num }, made.now)
  t.strictSame(only.withoutOfficer, ['BF'])
  t.strictSame(
    only.topics.map((topic) => topic.publishersLost),
    [['BF'], ['BF']],
  )
})

t.test('a whole member', async (t) => {
  const made = network()
  const plan = planRevocation(made.directory, { mem: made.member('ML') }, made.now)
  t.equal(plan.devices.length, 2)
  t.strictSame(plan.withoutOfficer, ['ML'])
  t.strictSame(
    plan.topics.map(({ name, readersAfter }) => [name, readersAfter]),
    [
      ['terrorism', 5],
      ['arms', 4],
    ],
  )
  t.match(plan.signatures, { suspend: { orgs: 2, from: 'm' }, revoke: { orgs: 2, from: 'm' } })
})

t.test('what it says is what happens', async (t) => {
  const made = network()
  const dev = made.deviceOf('ML', 0).num
  const plan = planRevocation(made.directory, { dev }, made.now)
  const applied = made.append('revoke', { dev, why: 'lost' })
  t.strictSame(
    applied.deactivated,
    plan.devices.map((device) => device.num),
  )
  for (const topic of plan.topics) {
    const readers = made.directory
      .devices()
      .filter((device) => made.directory.mayRead(device.num, topic.num))
    t.equal(readers.length, topic.readersAfter, topic.name)
  }
  t.throws(() => planRevocation(made.directory, { dev }, made.now), { code: 'state_unchanged' })
})

t.test('devices of the unit', async (t) => {
  const made = network()
  const one = planRevocation(made.directory, { dev: made.deviceOf('FLU', 0).num }, made.now)
  t.strictSame(one.flu, { before: 3, after: 2 })
  t.match(one.signatures, { suspend: { from: 1 }, revoke: { orgs: 3, from: 'r' } })
  made.append('revoke', { dev: made.deviceOf('FLU', 0).num, why: 'x' })
  const second = planRevocation(made.directory, { dev: made.deviceOf('FLU', 1).num }, made.now)
  t.strictSame(second.flu, { before: 2, after: 1 })
  t.match(second.signatures.suspend, { orgs: 2, from: 'm' }, 'nobody suspends the last two alone')
  const all = planRevocation(made.directory, { mem: made.member('FLU') }, made.now)
  t.strictSame(all.flu, { before: 2, after: 0 })
})

t.test('an administrator', async (t) => {
  const made = network()
  const plan = planRevocation(made.directory, { adm: 2 }, made.now)
  t.match(plan, {
    what: 'adm',
    label: 'AUC: AUC, administrator',
    devices: [],
    topics: [],
    administratorsLeft: ['ACSRT', 'FLU', 'MR', 'ML'],
    signatures: { suspend: { orgs: 2, from: 'm' }, revoke: { orgs: 2, from: 'm' } },
  })
})

t.test('targets that are none', async (t) => {
  const made = network()
  for (const target of [{}, { dev: 9999 }, { mem: 9999 }, { adm: 99 }, { dev: 1, mem: 1 }]) {
    t.throws(() => planRevocation(made.directory, target, made.now), { code: 'subject_unknown' })
  }
})

t.test('a device that is suspended already is cut off already', async (t) => {
  const made = network()
  const dev = made.deviceOf('ML', 1).num
  made.append('suspend', { dev, why: 'x' })
  const plan = planRevocation(made.directory, { dev }, made.now)
  t.strictSame([plan.devices, plan.topics], [[], []])
  t.doesNotThrow(() => draftRevoke(made.directory, { dev, why: 'x' }, made.now))
})
