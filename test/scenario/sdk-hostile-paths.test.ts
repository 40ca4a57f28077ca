/** A relay that helps a dishonest sender, or a stolen device, against everybody else. */
import { join } from 'node:path'
import type { Change, ClientStore, Table } from '@liaison/client-sdk'
import { openLmdbStore } from '@liaison/client-sdk/node'
import { Directory, signCheckpoint, toHex, weekMs } from '@liaison/protocol'
import t from 'tap'
import { EpochKeys } from '../../client-sdk/src/keys/epoch-keys.ts'
import { Vault } from '../../client-sdk/src/store/vault.ts'
import type { Composer } from '../support/composer.ts'
import { withSlot } from '../support/hostile-sender.ts'
import { seededBytes } from '../support/network.ts'
import { rejectsWithCode } from '../support/rejects-with-code.ts'
import type { TestRelay } from '../support/relay.ts'
import {
  openDevice,
  shown,
  startReportScenario,
  storageKeyOf,
  type Tamper,
  take,
} from '../support/sdk.ts'
import { openVictim, spotReporter } from '../support/victim.ts'

/** A report of BF in which the first slot of the FLU is garbage. */
function withoutFlu(
  relay: TestRelay,
): ReturnType<typeof withSlot> & { device: Composer['device'] } {
  const { network } = relay
  const { composer, next } = spotReporter(relay)
  const { envelope } = next()
  const garbage = seededBytes('garbage', 1168)
  return { ...withSlot(network, composer.device, envelope, 0, garbage), device: composer.device }
}

/** Ways in which a relay answers who asks for the paths of the slots of the FLU. */
const hidden: readonly (readonly [string, Tamper])[] = [
  ['no item', (frame) => [frame.kind === 'fetched' ? { ...frame, items: [] } : frame]],
  [
    'the path of a good slot only',
    (frame) => [
      frame.kind !== 'fetched'
        ? frame
        : {
            ...frame,
            items: frame.items.map((item) =>
              item.form === 'full' ? { ...item, flu: item.flu.filter(([idx]) => idx !== 0) } : item,
            ),
          },
    ],
  ],
]

for (const [what, tamper] of hidden) {
  t.test(`a relay that gives ${what} does not hide that the FLU was left out`, async (t) => {
    await using relay = await startReportScenario()
    const { network } = relay
    const hostile = withoutFlu(relay)
    const publisher = await relay.client(hostile.device)
    t.same((await publisher.publish(hostile.envelope)).codes, ['ok'])
    await using unit = await openDevice(relay, network.deviceOf('FLU'))
    t.match((await take(unit, 1))[0], { kind: 'undecryptable', reason: 'slot_unopenable' })
    await using member = await openVictim(relay, tamper, { random: () => 0 })
    t.match((await take(member, 1))[0], { kind: 'report' })
    const [, notice] = await take(unit, 2)
    t.match(notice, {
      kind: 'report',
      schema: 'violation',
      report: { coreHash: toHex(hostile.core), reason: 'slots' },
    })
  })
}

/** A store that refuses some of its steps, as a full disk does. */
const refusing =
  (refuse: (changes: readonly Change[]) => boolean) =>
  (store: ClientStore): ClientStore => ({
    get: (table, key) => store.get(table, key),
    list: (table, query) => store.list(table, query),
    commit: async (changes) => {
      if (refuse(changes)) throw new Error('the disk is full')
      return store.commit(changes)
    },
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  })

const touches = (changes: readonly Change[], table: Table): boolean =>
  changes.some((change) => change.table === table)

t.test('what a report proves is kept with it: a crash after it loses no notice', async (t) => {
  await using relay = await startReportScenario()
  const { network } = relay
  const hostile = withoutFlu(relay)
  const publisher = await relay.client(hostile.device)
  await publisher.publish(hostile.envelope)
  let crashed = false
  const member = await openDevice(relay, network.deviceOf('ML'), {
    random: () => 0,
    waitFor: 'store',
    wrapStore: refusing((changes) => {
      if (crashed) return true
      crashed = touches(changes, 'inbox')
      return false
    }),
  })
  t.match((await take(member, 1))[0], { kind: 'report' }, 'the last step of this life')
  await member.close()
  await using again = await openDevice(relay, network.deviceOf('ML'), {
    url: 'ws://127.0.0.1:9',
    waitFor: 'store',
  })
  t.match(again.outbox.list(), [{ schema: 'violation', state: 'queued', ref: hostile.core }])
})

t.test('a notice that cannot be kept keeps its report back; both come again', async (t) => {
  await using relay = await startReportScenario()
  const { network } = relay
  const hostile = withoutFlu(relay)
  const publisher = await relay.client(hostile.device)
  await publisher.publish(hostile.envelope)
  let full = true
  await using member = await openDevice(relay, network.deviceOf('ML'), {
    random: () => 0,
    waitFor: 'store',
    wrapStore: refusing((changes) => full && touches(changes, 'outbox')),
  })
  const told = await new Promise((resolve) => member.on('notice', resolve))
  t.match(told, { code: 'internal' })
  t.same(await shown(member), [])
  full = false
  t.match((await take(member, 1))[0], { kind: 'report' })
  t.match(member.outbox.list(), [{ schema: 'violation', ref: hostile.core }])
})

t.test('an entry from the future destroys nobody’s keys', async (t) => {
  await using relay = await startReportScenario()
  const { network } = relay
  const thief = network.deviceOf('NE')
  const entry = network.signEpoch(
    thief,
    { dev: thief.num, wk: 50, kids: network.kids(thief.label, 50, 4) },
    { t: network.now + 50 * weekMs },
  )
  const replayed = Directory.replay(network.entries())
  if (!replayed.ok) throw new Error(replayed.error.code)
  const from = network.directory.size
  replayed.value.append(entry, null)
  const { size, root } = replayed.value
  const checkpoint = signCheckpoint(network.logKeys.dir, { origin: 'test.example/dir', size, root })
  const tamper: Tamper = (frame) =>
    frame.kind === 'ready'
      ? [{ ...frame, dir: { from, size, entries: [entry], checkpoint } }]
      : [frame]
  const device = network.deviceOf('ML')
  // The real relay, asked afterwards, knows nothing of the entry.
  await rejectsWithCode(t, openVictim(relay, tamper), 'directory_rollback')
  await using store = await openLmdbStore(join(relay.folder.path, 'devices', device.label))
  const keys = new EpochKeys(new Vault(store, storageKeyOf(device)))
  const kid = network.directory.kidFor(device.num, network.now)
  if (kid === null) throw new Error('no key for this week')
  t.equal((await keys.secretFor(kid)).kind, 'here')
})
