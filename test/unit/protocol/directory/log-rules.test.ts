import { encodeEntry, epochMs, limits, signStatement, sodiumReady } from '@liaison/protocol'
import t from 'tap'
import { encodeCbor } from '../../../../protocol/src/cbor.ts'
import { decodeEntry } from '../../../../protocol/src/directory/statement.ts'
import {
  makeGenesis,
  makeNetwork,
  seededBytes,
  seededKey,
  signGenesis,
} from '../../../support/network.ts'
import { refused } from '../../../support/refused.ts'

await sodiumReady()

const member = (code: string) => ({ code, kind: 'state' as const, name: { en: code } })

t.test('base: the statement must stand on a beginning of this log', async (t) => {
  const network = makeNetwork()
  const size = network.directory.size
  const root = network.directory.root
  const on = (base: readonly [number, Uint8Array]) =>
    network.sign('member', member('SN'), [1, 2], { base })
  refused(t, network, on([size, seededBytes('elsewhere', 32)]), 'base_mismatch')
  refused(t, network, on([size - 1, root]), 'base_mismatch')
  refused(t, network, on([size + 1, root]), 'base_mismatch')
  refused(t, network, on([0, network.directory.rootAt(0) as Uint8Array]), 'base_mismatch')
  t.ok(network.directory.append(on(network.base(size - 3)), network.now).ok, 'an older state')
})

t.test('a statement of another network does not verify here', async (t) => {
  const network = makeNetwork()
  const other = makeNetwork({ genesis: { name: 'other.example' } })
  const stmt = network.nextStatement('member', member('SN'))
  const entry = encodeEntry(
    stmt,
    [1, 2].map((num) =>
      signStatement(other.directory.net, num, network.adminKeys.get(num) as never, stmt),
    ),
  )
  refused(t, network, entry, 'signature_invalid')
})

t.test('n: a statement enters once', async (t) => {
  const network = makeNetwork()
  const entry = network.sign('member', member('SN'))
  network.appendEntry(entry)
  refused(t, network, entry, 'nonce_used')
  const n = seededBytes('same', 16)
  network.appendEntry(network.sign('member', member('GN'), [1, 2], { n }))
  refused(t, network, network.sign('member', member('CI'), [1, 2], { n }), 'nonce_used')
})

t.test('time: not before its base, not ahead of the relay', async (t) => {
  const network = makeNetwork()
  const at = (time: number) => network.sign('member', member('SN'), [1, 2], { t: time })
  refused(t, network, at(network.directory.time - 1), 'time_invalid')
  const ahead = limits.clockAheadMsMax
  refused(t, network, at(network.now + ahead + 2_000), 'time_invalid')
  const early = at(network.now + ahead)
  t.match(network.directory.check(early, null), { ok: true }, 'a replay has no clock to compare')
  t.match(network.directory.append(early, network.now), { ok: true })
  t.equal(network.directory.time, network.now + ahead - 1_000, 'log time follows the statement')
})

t.test('log time never decreases', async (t) => {
  const network = makeNetwork()
  const base = network.base()
  const early = network.sign('member', member('SN'), [1, 2], { base })
  const late = network.sign('member', member('GN'), [1, 2], { base })
  network.appendEntry(late)
  const time = network.directory.time
  network.appendEntry(early)
  t.equal(network.directory.time, time)
  t.equal(network.directory.timeAt(network.directory.size - 2) < time, true)
  t.equal(network.directory.timeAt(0), 0)
})

t.test('exp: signatures must be gathered in time', async (t) => {
  const network = makeNetwork()
  const written = network.now + 1000
  const entry = network.sign('member', member('SN'), [1, 2], { exp: written + 60_000 })
  refused(t, network, entry, 'statement_expired', epochMs(written + 60_001))
  t.match(network.directory.check(entry, epochMs(written + 60_000)), { ok: true })
  const late = network.sign('member', member('GN'), [1, 2], { t: written + 61_000 })
  t.ok(network.directory.append(late, epochMs(written + 61_000)).ok)
  refused(t, network, entry, 'statement_expired', null)
  refused(t, network, entry, 'statement_expired', epochMs(written))
})

t.test('exp: nothing lives longer than fourteen days or ends before it begins', async (t) => {
  const network = makeNetwork()
  const written = network.now + 1000
  const until = (exp: number) => network.sign('member', member('SN'), [1, 2], { t: written, exp })
  refused(t, network, until(written + limits.statementLifeMsMax + 1), 'entry_malformed')
  refused(t, network, until(written - 1), 'entry_malformed')
  t.match(network.directory.check(until(written + limits.statementLifeMsMax), network.now), {
    ok: true,
  })
})

t.test('concurrent statements collide only on the same subject', async (t) => {
  const network = makeNetwork()
  const base = network.base()
  const [bf, top] = [network.member('BF'), network.topic('arms')]
  const change = (name: string) => ({ ...member('BF'), num: bf, name: { en: name } })
  const first = network.sign('member', change('Burkina'), [1, 2], { base })
  const second = network.sign('member', change('Faso'), [2, 3], { base })
  network.appendEntry(first)
  refused(t, network, second, 'subject_changed')
  const rights = (mem: number) => ({ top, mem, pub: 0 as const, read: 1 as const, hc: 1 })
  network.appendEntry(network.sign('grant', rights(bf), [1, 2], { base }))
  const ml = network.member('ML')
  network.appendEntry(network.sign('grant', rights(ml), [1, 2], { base }))
  refused(t, network, network.sign('grant', rights(ml), [1, 2], { base }), 'subject_changed')
})

t.test(
  'two devices of one member are enrolled on one base, unless the member changes',
  async (t) => {
    const network = makeNetwork()
    const base = network.base()
    const bf = network.member('BF')
    const enrolment = (label: string) =>
      network.sign('enrol', network.enrolment(label, bf), [1, 2], { base })
    const [one, two, three] = [enrolment('a'), enrolment('b'), enrolment('c')]
    network.appendEntry(one)
    network.appendEntry(two)
    network.append('member', { ...member('BF'), num: bf, name: { en: 'Burkina' } })
    refused(t, network, three, 'subject_changed')
  },
)

t.test('a statement names nothing that did not exist when it was written', async (t) => {
  const network = makeNetwork()
  const base = network.base()
  const future = network.directory.size
  const mem = network.member('BF')
  const entry = network.sign('suspend', { mem: future, why: 'guess' }, [1, 2], { base })
  network.append('member', member('SN'))
  refused(t, network, entry, 'subject_unknown')
  t.not(mem, future)
})

t.test('form: what is not an entry is refused', async (t) => {
  const network = makeNetwork()
  const stmt = network.nextStatement('member', member('SN'))
  refused(t, network, new Uint8Array([0x80]), 'entry_malformed')
  refused(t, network, new Uint8Array(limits.entryBytesMax + 1), 'entry_malformed')
  refused(t, network, network.entryOf(new Uint8Array([1, 2]), [1, 2]), 'entry_malformed')
  refused(t, network, encodeCbor([stmt, []]), 'entry_malformed')
  refused(t, network, network.sign('member', { code: 'SN' }, [1, 2]), 'entry_malformed')
  const body = { dev: 1, mem: 1, why: 'two subjects' }
  refused(t, network, network.sign('suspend', body, [1, 2]), 'entry_malformed')
})

t.test('a second genesis is refused', async (t) => {
  const network = makeNetwork()
  const { body, keys } = makeGenesis({ seed: 'second' })
  refused(t, network, signGenesis(body, network.now, keys), 'base_mismatch')
  refused(t, network, network.sign('genesis', body, [1, 2, 3, 4, 5]), 'entry_malformed')
})

t.test('an operation of a newer release is refused, not ignored', async (t) => {
  const network = makeNetwork()
  refused(t, network, network.sign('snapshot' as 'member', {}, [1, 2]), 'operation_unknown')
})

t.test('attack 14: a ghost device that one administrator signed is refused', async (t) => {
  const network = makeNetwork()
  const ghost = network.enrolment('ghost', network.member('BF'))
  refused(t, network, network.sign('enrol', ghost, [1]), 'quorum_missing')
  refused(t, network, network.sign('enrol', ghost, [1]), 'quorum_missing', null)
})

t.test('attack 14: a ghost device that the relay or a stranger signed is refused', async (t) => {
  const network = makeNetwork()
  const ghost = network.enrolment('ghost', network.member('BF'))
  network.adminKeys.set(9, network.relayKey)
  refused(t, network, network.sign('enrol', ghost, [1, 9]), 'signer_unknown')
  network.adminKeys.set(2, seededKey('stranger'))
  refused(t, network, network.sign('enrol', ghost, [1, 2]), 'signature_invalid')
})

t.test('attack 15: one administrator who signs twice counts once', async (t) => {
  const network = makeNetwork()
  const entry = decodeEntry(network.sign('member', member('SN'), [1]))
  if (!entry.ok) return t.fail('fixture')
  const [signature] = entry.value.signatures
  const [num, sig] = signature as readonly [number, Uint8Array]
  const twice = encodeCbor([
    entry.value.stmt,
    [
      [num, sig],
      [num, sig],
    ],
  ])
  refused(t, network, twice, 'signers_unordered')
})

t.test('attack 15: two administrators of one organisation count once', async (t) => {
  const network = makeNetwork({ adminOrgs: ['AUC', 'Auc ', 'MR', 'ML', 'NE'] })
  refused(t, network, network.sign('member', member('SN'), [1, 2]), 'quorum_missing')
  network.appendEntry(network.sign('member', member('SN'), [1, 2, 3]))
  t.not(network.directory.memberByCode('SN'), null)
})

t.test('signers are listed ascending', async (t) => {
  const network = makeNetwork()
  const entry = decodeEntry(network.sign('member', member('SN'), [1, 2]))
  if (!entry.ok) return t.fail('fixture')
  const [one, two] = entry.value.signatures.map(([num, sig]) => [num, sig] as const)
  const swapped = encodeCbor([entry.value.stmt, [[...(two ?? [])], [...(one ?? [])]]])
  refused(t, network, swapped, 'signers_unordered')
})

t.test('one bad signature refuses the entry even when enough others verify', async (t) => {
  const network = makeNetwork()
  network.adminKeys.set(5, seededKey('stranger'))
  refused(t, network, network.sign('member', member('SN'), [1, 2, 5]), 'signature_invalid')
})
