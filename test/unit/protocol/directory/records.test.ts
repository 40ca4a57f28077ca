import { sha256, sodiumReady, utf8 } from '@liaison/protocol'
import t from 'tap'
import { makeNetwork, testSchemaHash } from '../../../support/network.ts'
import { refused } from '../../../support/refused.ts'

await sodiumReady()

const hash = (text: string) => sha256(utf8(text))

t.test('members are added once and changed by number; the code stays', async (t) => {
  const network = makeNetwork()
  const bf = network.member('BF')
  const size = network.directory.size
  const member = { code: 'BF', kind: 'state', name: { fr: 'Burkina' } } as const
  refused(t, network, network.sign('member', member), 'subject_exists')
  refused(t, network, network.sign('member', { ...member, num: bf, code: 'XX' }), 'not_permitted')
  refused(t, network, network.sign('member', { ...member, num: 0 }), 'subject_unknown')
  t.match(network.append('member', { ...member, num: bf }).change, {
    what: 'member',
    num: bf,
    added: false,
  })
  t.equal(network.directory.member(bf)?.name.fr, 'Burkina')
  t.equal(network.directory.member(bf, size)?.name.en, 'BF', 'as of the earlier size')
  t.equal(network.directory.memberByCode('BF', bf), null, 'not before its entry')
})

t.test('observers never publish', async (t) => {
  const network = makeNetwork()
  const fr = network.member('FR')
  const top = network.topic('arms')
  const grant = { top, mem: fr, pub: 1, read: 1, hc: 1 } as const
  refused(t, network, network.sign('grant', grant), 'not_permitted')
  const state = { num: fr, code: 'FR', kind: 'state', name: { en: 'FR' } } as const
  network.append('member', state)
  network.append('grant', grant)
  refused(t, network, network.sign('member', { ...state, kind: 'observer' }), 'not_permitted')
  network.append('grant', { ...grant, pub: 0 })
  network.append('member', { ...state, kind: 'observer' })
  t.equal(network.directory.member(fr)?.kind, 'observer')
})

t.test('grants name a topic and a member; the last one counts', async (t) => {
  const network = makeNetwork()
  const [mem, top] = [network.member('BF'), network.topic('arms')]
  const rights = { top, mem, pub: 0, read: 0, hc: 0 } as const
  refused(t, network, network.sign('grant', { ...rights, top: mem }), 'subject_unknown')
  refused(t, network, network.sign('grant', { ...rights, mem: top }), 'subject_unknown')
  const size = network.directory.size
  network.append('grant', rights)
  t.same(network.directory.grant(top, mem), { publish: false, read: false, clearance: 0 })
  t.same(network.directory.grant(top, mem, size), { publish: true, read: true, clearance: 4 })
  t.equal(network.directory.grant(top, network.member('FR')), null)
})

t.test('topics keep their name and status and allow listed schemas only', async (t) => {
  const network = makeNetwork()
  const num = network.topic('arms')
  const sch = [network.directory.schemaByHash(testSchemaHash)?.num ?? -1]
  const topic = { num, name: 'arms', title: { en: 'Arms' }, status: 'exercise', sch } as const
  refused(t, network, network.sign('topic', { ...topic, name: 'weapons' }), 'not_permitted')
  refused(t, network, network.sign('topic', { ...topic, status: 'actual' }), 'not_permitted')
  refused(t, network, network.sign('topic', { ...topic, sch: [0] }), 'subject_unknown')
  refused(t, network, network.sign('topic', { ...topic, num: sch[0] }), 'subject_unknown')
  const size = network.directory.size
  network.append('topic', { ...topic, z: 1 })
  t.match(network.directory.topic(num), { title: { en: 'Arms' }, compress: true, schemas: sch })
  t.match(network.directory.topic(num, size), { title: { en: 'arms' }, compress: false })
  t.equal(network.directory.topics().length, 2)
  t.equal(network.directory.topics(num).length, 1)
})

t.test('attack 34: topics are numbers, and names that could be confused are refused', async (t) => {
  const network = makeNetwork()
  const sch = [network.directory.schemaByHash(testSchemaHash)?.num ?? -1]
  const topic = (name: string) =>
    network.sign('topic', { name, title: { en: name }, status: 'exercise', sch })
  refused(t, network, topic('arms'), 'subject_exists')
  refused(t, network, topic('Arms'), 'entry_malformed')
  refused(t, network, topic('arm\u017f'), 'entry_malformed')
  refused(t, network, topic('\uff41rms'), 'entry_malformed')
  refused(t, network, topic('cafe\u0301'), 'entry_malformed')
  refused(t, network, topic('../arms'), 'entry_malformed')
  refused(t, network, topic('arms/#'), 'entry_malformed')
  network.appendEntry(topic('sector-1'))
  refused(t, network, topic('sector-l'), 'name_confusable')
  network.appendEntry(topic('arms.north'))
  network.appendEntry(topic('arms-north'))
  const names = ['arms', 'arms.north', 'arms-north', 'sector-1']
  t.equal(new Set(names.map((name) => network.topic(name))).size, 4, 'each has its own number')
  t.equal(network.directory.topicByName('ARMS'), null)
})

t.test('schemas are listed by hash; a number never gets another document', async (t) => {
  const network = makeNetwork()
  const first = network.directory.schemaByHash(testSchemaHash)
  if (first === null) return t.fail('fixture')
  const schema = { name: 'spotrep', ver: 1, hash: testSchemaHash, state: 'active' } as const
  refused(t, network, network.sign('schema', schema), 'subject_exists')
  refused(t, network, network.sign('schema', { ...schema, hash: hash('b') }), 'subject_exists')
  const changed = { ...schema, num: first.num, hash: hash('b') }
  refused(t, network, network.sign('schema', changed), 'not_permitted')
  refused(t, network, network.sign('schema', { ...schema, num: 0 }), 'subject_unknown')
  network.append('schema', { ...schema, ver: 2, hash: hash('b') })
  const size = network.directory.size
  network.append('schema', { ...schema, num: first.num, state: 'retired' })
  t.equal(network.directory.schemaByHash(testSchemaHash)?.state, 'retired')
  t.equal(network.directory.schemaByHash(testSchemaHash, size)?.state, 'active')
  t.equal(network.directory.schemaByHash(hash('unknown')), null)
  t.equal(network.directory.schemas().length, 2)
})

t.test('attack 34: schema names that could be confused are refused', async (t) => {
  const network = makeNetwork()
  const add = (name: string) =>
    network.sign('schema', { name, ver: 1, hash: hash(name), state: 'active' })
  refused(t, network, add('Spotrep'), 'name_confusable')
  refused(t, network, add('sp0trep'), 'name_confusable')
  refused(t, network, add('\uff53potrep'), 'name_confusable')
  refused(t, network, add('spotrep '), 'name_confusable')
  network.appendEntry(add('intrep'))
  t.equal(network.directory.schemas().length, 2)
})
