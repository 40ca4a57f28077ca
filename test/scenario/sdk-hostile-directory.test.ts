/** A relay that lies about the directory or the time, devices that were suspended, keys that ran out. */
import { join } from 'node:path'
import {
  type DirectoryPage,
  decodeAck,
  type ErrorCode,
  encodeEntry,
  epochMs,
  errorRow,
  signCheckpoint,
  signStatement,
  weekMs,
  weekOf,
} from '@liaison/protocol'
import t from 'tap'
import type { TestNetwork } from '../support/network.ts'
import { rejectsWithCode } from '../support/rejects-with-code.ts'
import {
  eventually,
  makeReport,
  openDevice,
  shown,
  startReportScenario,
  type Tamper,
  take,
} from '../support/sdk.ts'
import { openVictim } from '../support/victim.ts'

type Change = (page: DirectoryPage, network: TestNetwork) => Partial<DirectoryPage>

/** A checkpoint of any size and root, signed with the log's real key: the relay has it. */
const signedBy = (network: TestNetwork, size: number, root: Uint8Array): Uint8Array =>
  signCheckpoint(network.logKeys.dir, { origin: 'test.example/dir', size, root })

const other = new Uint8Array(32).fill(7)

/** An enrolment that one administrator signed, and the same signature twice. */
const ghost = (network: TestNetwork): Uint8Array =>
  network.sign('enrol', network.enrolment('ghost', network.member('BF')), [1])

function twice(network: TestNetwork): Uint8Array {
  const key = network.adminKeys.get(1)
  if (key === undefined) throw new Error('no administrator')
  const stmt = network.nextStatement('enrol', network.enrolment('ghost', network.member('BF')))
  const one = signStatement(network.directory.net, 1, key, stmt)
  return encodeEntry(stmt, [one, one])
}

const lies: readonly (readonly [string, ErrorCode, Change])[] = [
  [
    'attack 29: an older state of the directory',
    'directory_rollback',
    ({ size }, network) => ({
      size: size - 1,
      from: size - 1,
      entries: [],
      checkpoint: signedBy(network, size - 1, network.base(size - 1)[1]),
    }),
  ],
  [
    'attack 28: another history of the same size',
    'directory_fork',
    ({ size }, network) => ({ entries: [], checkpoint: signedBy(network, size, other) }),
  ],
  [
    'attack 28: another history of an earlier size',
    'directory_fork',
    ({ size }, network) => ({
      size: size - 2,
      entries: [],
      checkpoint: signedBy(network, size - 2, other),
    }),
  ],
  [
    'attack 14: a device that only one administrator enrolled',
    'directory_invalid',
    ({ size }, network) => ({
      size: size + 1,
      from: size,
      entries: [ghost(network)],
      checkpoint: signedBy(network, size + 1, other),
    }),
  ],
  [
    'attack 15: one administrator who signs twice',
    'directory_invalid',
    ({ size }, network) => ({
      size: size + 1,
      from: size,
      entries: [twice(network)],
      checkpoint: signedBy(network, size + 1, other),
    }),
  ],
  [
    'attack 9: a device enrolled with the key of another, without its agreement',
    'directory_invalid',
    ({ size }, network) => ({
      size: size + 1,
      from: size,
      entries: [
        network.sign(
          'enrol',
          network.enrolment('thief', network.member('BF'), {
            ik: network.adminKeys.get(2)?.publicKey ?? other,
          }),
        ),
      ],
      checkpoint: signedBy(network, size + 1, other),
    }),
  ],
  [
    'attack 27: a checkpoint with another size than its page',
    'checkpoint_invalid',
    ({ size }, network) => ({ checkpoint: signedBy(network, size + 5, network.directory.root) }),
  ],
  [
    'a checkpoint that somebody else signed',
    'checkpoint_invalid',
    ({ size }, network) => ({
      checkpoint: signCheckpoint(network.logKeys.audit, {
        origin: 'test.example/dir',
        size,
        root: network.directory.root,
      }),
    }),
  ],
]

for (const [name, code, change] of lies) {
  t.test(`${name}: the device stops with ${code}`, async (t) => {
    await using relay = await startReportScenario()
    const { network } = relay
    const tamper: Tamper = (frame) =>
      frame.kind === 'ready'
        ? [{ ...frame, dir: { ...frame.dir, ...change(frame.dir, network) } }]
        : [frame]
    const device = network.deviceOf('ML')
    const size = network.directory.size
    await rejectsWithCode(t, openVictim(relay, tamper), code)
    await using again = await openDevice(relay, device)
    t.equal(again.directory.size, size, 'nothing of it was kept; an honest relay is heard')
  })
}

t.test('the same lie in the middle of a session ends it', async (t) => {
  await using relay = await startReportScenario()
  const { network } = relay
  let lie = false
  const tamper: Tamper = (frame) => {
    if (!lie || frame.kind !== 'pong') return [frame]
    const { size } = network.directory
    const page = { from: size, size, entries: [], checkpoint: signedBy(network, size, other) }
    return [frame, { kind: 'dir', rq: 0, page }]
  }
  const victim = await openVictim(relay, tamper)
  lie = true
  await using officer = await openDevice(relay, network.deviceOf('BF'))
  await officer.submit(makeReport(network, 'BF'), { topic: 'terrorism' })
  t.equal((await victim.closed).code, 'directory_fork', 'after the answer to its acknowledgement')
  t.equal((await shown(victim)).length, 1, 'what came before is still there')
  await victim.close()
})

t.test(
  'attack 22: with a relay whose clock is far off nothing is sent, and everything is received',
  async (t) => {
    for (const offset of [600_000, -600_000]) {
      await using relay = await startReportScenario()
      const { network } = relay
      const tamper: Tamper = (frame) =>
        frame.kind === 'ready' ? [{ ...frame, t: frame.t + offset }] : [frame]
      await using victim = await openVictim(relay, tamper)
      const submission = await victim.submit(makeReport(network, 'ML'), { topic: 'terrorism' })
      await eventually('the reason is told', () => victim.link.waiting === 'clock_skew')
      t.equal(submission.state.state, 'queued')
      await using officer = await openDevice(relay, network.deviceOf('BF'))
      await officer.submit(makeReport(network, 'BF'), { topic: 'terrorism' })
      t.match((await take(victim, 1))[0], { kind: 'report', verified: true })
      t.equal(relay.running.relay.source.log.topicHead(network.topic('terrorism')), 1)
    }
  },
)

t.test('a report of a device that was suspended meanwhile is shown with that mark', async (t) => {
  await using relay = await startReportScenario()
  const { network } = relay
  const officer = await openDevice(relay, network.deviceOf('BF'))
  const submission = await officer.submit(makeReport(network, 'BF'), { topic: 'terrorism' })
  await submission.accepted(AbortSignal.timeout(10_000))
  await using early = await openDevice(relay, network.deviceOf('ML'))
  t.match((await take(early, 1))[0], { kind: 'report', verified: true })
  const admin = await relay.administrator(1)
  const entry = network.sign('suspend', { dev: network.deviceOf('BF').num, why: 'lost' }, [1])
  t.same((await admin.append(entry)).codes, ['ok'])
  t.equal((await officer.closed).code, 'device_inactive')
  await officer.close()
  await using late = await openDevice(relay, network.deviceOf('FLU'))
  t.match((await take(late, 1))[0], { kind: 'report', verified: 'sender-suspended' })
  t.match((await shown(early))[0], { verified: true }, 'who had it before keeps it as it was')
})

t.test(
  'attack 30: a device that lost its store begins its chain anew, and readers are told',
  async (t) => {
    await using relay = await startReportScenario()
    const { network } = relay
    const ids: string[] = []
    for (const name of ['first', 'second']) {
      const folder = join(relay.folder.path, name)
      await using officer = await openDevice(relay, network.deviceOf('BF'), { folder })
      for (let i = 0; i < 2; i++) {
        const one = await officer.submit(makeReport(network, 'BF'), { topic: 'terrorism' })
        await one.accepted(AbortSignal.timeout(10_000))
        ids.push(one.id)
      }
    }
    await using reader = await openDevice(relay, network.deviceOf('ML'))
    const all = await take(reader, 4)
    t.same(
      all.map((d) => d.kind === 'report' && [d.report.meta.id, d.verified]),
      ids.map((id, i) => [id, i === 2 ? 'chain-restarted' : true]),
    )
  },
)

t.test(
  'keys are renewed at each connection; what is sealed for a destroyed one stays closed',
  async (t) => {
    await using relay = await startReportScenario()
    const { network } = relay
    const device = network.deviceOf('ML')
    const officer = await openDevice(relay, network.deviceOf('BF'))
    const submission = await officer.submit(makeReport(network, 'BF'), { topic: 'terrorism' })
    const receipt = await submission.accepted(AbortSignal.timeout(10_000))
    await officer.close()
    network.advanceWeeks(3)
    const reader = await openDevice(relay, device, { follow: [] })
    t.equal(reader.me.lastWeek, weekOf(network.now, network.directory.genesisT) + 8)
    const nextWeek = epochMs(network.now + weekMs)
    const before = reader.directory.kidFor(device.num, nextWeek)
    await reader.rotateKeys()
    const after = reader.directory.kidFor(device.num, nextWeek)
    t.not(before?.join(), after?.join(), 'the key of next week is another one')
    await reader.close()
    // The week of the report ended more than 56 days ago.
    network.advanceWeeks(7)
    await using late = await openDevice(relay, device)
    t.match((await take(late, 1))[0], { kind: 'undecryptable', reason: 'key_destroyed' })
    await late.outbox.flush()
    const acks = await relay.running.relay.source.log.readAcks(network.member('BF'), 0, 10)
    const bad = acks.flatMap(({ ack }) => {
      const decoded = decodeAck(ack)
      return decoded.ok ? (decoded.value.bad ?? []) : []
    })
    t.same(bad, [[receipt.cid, errorRow('key_destroyed').n]])
  },
)
