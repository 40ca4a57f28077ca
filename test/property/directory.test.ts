import {
  type Audience,
  Directory,
  type ErrorCode,
  type Result,
  sodiumReady,
  toHex,
} from '@liaison/protocol'
import fc from 'fast-check'
import t from 'tap'
import { makeNetwork, type TestNetwork } from '../support/network.ts'

await sodiumReady()

/** One step of a random history; `pick` chooses among what exists. */
interface Step {
  readonly kind: 'enrol' | 'suspend' | 'resume' | 'grant' | 'epoch' | 'member' | 'week'
  readonly pick: number
  readonly bits: number
}

const steps = fc.array(
  fc.record({
    kind: fc.constantFrom<Step['kind']>(
      'enrol',
      'suspend',
      'resume',
      'grant',
      'epoch',
      'member',
      'week',
    ),
    pick: fc.nat(1000),
    bits: fc.nat(1000),
  }),
  { minLength: 1, maxLength: 25 },
)

const among = <T>(items: readonly T[], pick: number): T => items[pick % items.length] as T

/** The entry of one step, or null when the step only moves the clock. */
function entryOf(network: TestNetwork, { kind, pick, bits }: Step, i: number): Uint8Array | null {
  const mem = among(network.directory.members(), pick).num
  const device = among([...network.devices.values()], pick)
  switch (kind) {
    case 'enrol':
      return network.sign('enrol', network.enrolment(`random-${i}`, mem, { hc: bits % 5 }))
    case 'suspend':
    case 'resume':
      return network.sign(kind, { dev: device.num, why: 'random' }, [1, 2, 3])
    case 'grant': {
      const top = among(network.directory.topics(), bits).num
      const rights = { pub: (bits & 1) as 0 | 1, read: ((bits >> 1) & 1) as 0 | 1, hc: bits % 5 }
      return network.sign('grant', { top, mem, ...rights })
    }
    case 'epoch': {
      const wk = (network.directory.device(device.num)?.lastWeek ?? 0) + 1
      const kids = network.kids(`${device.label} ${i}`, wk, 1 + (bits % 3))
      return network.signEpoch(device, { dev: device.num, wk, kids })
    }
    case 'member':
      return network.sign('member', { code: `M${i}`, kind: 'state', name: { en: `${i}` } })
    case 'week':
      network.advanceWeeks(1)
      return null
  }
}

/** Everything that a directory answers about its audiences as of one size, as text. */
function answers(directory: Directory, network: TestNetwork, size: number): string {
  const out: string[] = []
  for (const topic of [network.topic('terrorism'), network.topic('arms')]) {
    for (const hc of [0, 2, 4]) {
      for (const t of [directory.timeAt(size), network.now]) {
        out.push(textOf(directory.audience({ topic, hc, mode: 0, t }, size)))
      }
    }
  }
  return out.join('\n')
}

const textOf = (answer: Result<Audience, ErrorCode>): string =>
  answer.ok
    ? `${toHex(answer.value.hash)} ${answer.value.recipients.map((r) => r.dev)} ${answer.value.withoutKey}`
    : answer.error

t.test(
  'whoever replays the same entries reaches the same root and audiences, at every size',
  async (t) => {
    fc.assert(
      fc.property(steps, (random) => {
        const network = makeNetwork()
        const live: string[] = []
        for (const [i, step] of random.entries()) {
          const entry = entryOf(network, step, i)
          if (entry !== null) network.directory.append(entry, network.now)
        }
        for (let size = 1; size <= network.directory.size; size++) {
          live.push(answers(network.directory, network, size))
        }
        const replayed = Directory.replay(network.entries())
        if (!replayed.ok) throw new Error(`entry ${replayed.error.index}: ${replayed.error.code}`)
        const late = live.map((_, i) => answers(replayed.value, network, i + 1))
        return (
          toHex(replayed.value.root) === toHex(network.directory.root) &&
          replayed.value.time === network.directory.time &&
          late.every((text, i) => text === live[i])
        )
      }),
      { numRuns: 25 },
    )
    t.pass('25 random histories')
  },
)

t.test('as of a size means: what a directory that ended there answers', async (t) => {
  fc.assert(
    fc.property(steps, fc.nat(1000), (random, cut) => {
      const network = makeNetwork()
      for (const [i, step] of random.entries()) {
        const entry = entryOf(network, step, i)
        if (entry !== null) network.directory.append(entry, network.now)
      }
      const size = 1 + (cut % network.directory.size)
      const prefix = Directory.replay(network.entries().slice(0, size))
      if (!prefix.ok) throw new Error(prefix.error.code)
      const devices = [...network.devices.keys()]
      const same = devices.every(
        (dev) =>
          prefix.value.suspendedAt(dev) === network.directory.suspendedAt(dev, size) &&
          prefix.value.deviceActive(dev, network.now) ===
            network.directory.deviceActive(dev, network.now, size) &&
          String(prefix.value.kidFor(dev, network.now)) ===
            String(network.directory.kidFor(dev, network.now, size)),
      )
      const views = JSON.stringify([prefix.value.members(), prefix.value.topics()])
      return (
        same &&
        views ===
          JSON.stringify([network.directory.members(size), network.directory.topics(size)]) &&
        prefix.value.devices().length === network.directory.devices(size).length &&
        answers(prefix.value, network, size) === answers(network.directory, network, size)
      )
    }),
    { numRuns: 25 },
  )
  t.pass('25 random histories, each cut at a random size')
})

/** Statements about different subjects, all written on the same base. */
function independent(network: TestNetwork): Uint8Array[] {
  const on = { base: network.base() }
  const [bf, ml, ne] = [network.member('BF'), network.member('ML'), network.member('NE')]
  const arms = network.topic('arms')
  const rights = { top: arms, pub: 0, read: 1, hc: 2 } as const
  const mlDevices = [network.deviceOf('ML', 0), network.deviceOf('ML', 1)]
  return [
    network.sign('enrol', network.enrolment('i1', bf), [1, 2], on),
    network.sign('enrol', network.enrolment('i2', bf), [2, 3], on),
    network.sign('grant', { ...rights, mem: ne }, [1, 3], on),
    network.sign('grant', { ...rights, mem: ml }, [1, 4], on),
    network.sign('grant', { ...rights, mem: network.member('FR') }, [1, 5], on),
    network.sign('member', { code: 'SN', kind: 'state', name: { en: 'SN' } }, [1, 2], on),
    network.sign(
      'member',
      { code: 'FR', num: network.member('FR'), kind: 'observer', name: { fr: 'F' } },
      [1, 2],
      on,
    ),
    ...mlDevices.map((d) =>
      network.signEpoch(d, { dev: d.num, wk: 1, kids: network.kids(`${d.label} i`, 1) }, on),
    ),
    network.sign('suspend', { dev: network.deviceOf('NE').num, why: 'random' }, [4], on),
    network.sign('suspend', { dev: network.deviceOf('BF').num, why: 'random' }, [4], on),
    network.sign('policy', { recallHold: 5 }, [1, 2, 3], on),
    network.sign('suspend', { adm: 5, why: 'random' }, [1, 2], on),
  ]
}

t.test('independent statements from one base are accepted in every order', async (t) => {
  const network = makeNetwork()
  const before = network.entries()
  const entries = independent(network)
  // Whoever is suspended cannot sign any more, so what administrator 5 signed comes first.
  const last = entries.length - 1
  const orders = fc.shuffledSubarray(
    entries.slice(0, last).map((_, i) => i),
    { minLength: last, maxLength: last },
  )
  fc.assert(
    fc.property(orders, (order) => {
      const replayed = Directory.replay(before)
      if (!replayed.ok) throw new Error(replayed.error.code)
      for (const i of [...order, last]) {
        const applied = replayed.value.append(entries[i] as Uint8Array, network.now)
        if (!applied.ok) throw new Error(`statement ${i}: ${applied.error}`)
      }
      return replayed.value.size === before.length + entries.length
    }),
    { numRuns: 40 },
  )
  t.equal(entries.length, 13)
})
