import { type Directory, epochMs, equal, sodiumReady, toBase64url } from '@liaison/protocol'
import t from 'tap'
import {
  draftEnrol,
  draftGrant,
  draftMember,
  draftPolicy,
  draftQuorum,
  draftResume,
  draftRevoke,
  draftSchema,
  draftSuspend,
  draftTopic,
} from '../../../../client-sdk/src/admin/drafts.ts'
import { finishGenesis } from '../../../../client-sdk/src/admin/genesis.ts'
import { reviewStatement, statementProgress } from '../../../../client-sdk/src/admin/review.ts'
import {
  entryOf,
  formatStatementFile,
  mergeStatementFiles,
  parseStatementFile,
  type StatementFile,
  signStatementFile,
} from '../../../../client-sdk/src/admin/statement-file.ts'
import { makeEnrolmentRequest } from '../../../../client-sdk/src/identity/enrolment.ts'
import { newIdentity } from '../../../../client-sdk/src/identity/key-file.ts'
import { append, foundedNetwork, keyOf, organisations, signedByEnough, start } from './founding.ts'

await sodiumReady()

const hourMs = 3600 * 1000
const now = epochMs(start + hourMs)

const member = (directory: Directory, code: string): StatementFile =>
  draftMember(directory, { code, kind: 'state', name: { en: code } }, now)

/** A network with two members, one of which is the unit. */
function smallNetwork(): { directory: Directory; ml: number; flu: number } {
  const { directory } = foundedNetwork()
  const add = (code: string): number =>
    append(directory, signedByEnough(member(directory, code), directory), now)
  return { directory, ml: add('ML'), flu: add('FLU') }
}

const requestFor = (directory: Directory, mem: number, memberCode: string) =>
  makeEnrolmentRequest({
    net: directory.net,
    genesisT: directory.genesisT,
    identity: newIdentity('device'),
    member: mem,
    memberCode,
    org: 'service',
    role: 'officer',
    now,
  }).request

const decision = { clearance: 4, validFrom: start, validUntil: start + 52 * 7 * 24 * hourMs, now }

t.test(
  'a file is written, passed on, signed by two organisations, and is then an entry',
  async (t) => {
    const { directory } = foundedNetwork()
    const draft = member(directory, 'ML')
    t.strictSame(draft.signatures, [])
    t.strictSame(parseStatementFile(formatStatementFile(draft)), draft)
    t.match(statementProgress(draft, directory), { have: [], need: 2, complete: false })
    const one = signStatementFile(draft, directory, 4, keyOf(4))
    t.strictSame(
      one,
      signStatementFile(one, directory, 4, keyOf(4)),
      'signing twice changes nothing',
    )
    t.match(statementProgress(one, directory), { have: ['MR'], complete: false })
    const two = signStatementFile(draft, directory, 1, keyOf(1))
    const both = mergeStatementFiles([one, two, one], directory)
    t.strictSame(
      both.signatures.map(([num]) => num),
      [1, 4],
    )
    t.match(statementProgress(both, directory), { have: ['ACSRT', 'MR'], complete: true })
    const index = append(directory, both, now)
    t.equal(directory.member(index)?.code, 'ML')
  },
)

t.test('the review says what is signed and by whom', async (t) => {
  const { directory, ml } = smallNetwork()
  const request = requestFor(directory, ml, 'ML')
  const file = draftEnrol(directory, request, decision)
  const review = reviewStatement(file, directory)
  t.match(review, {
    op: 'enrol',
    net: file.net,
    threshold: { orgs: 2, from: 'm' },
    about: ['ML'],
    summary: /Enrol a device of ML/,
    fingerprint: /^\d{5}( \d{5}){7}$/,
    progress: { complete: false, need: 2 },
  })
  t.equal(review.written, now)
})

t.test('an enrolment carries its keys, and only its own', async (t) => {
  const { directory, ml, flu } = smallNetwork()
  const request = requestFor(directory, ml, 'ML')
  const file = draftEnrol(directory, request, decision)
  t.strictSame(file.blobs, request.publicKeys)
  const other = draftEnrol(directory, requestFor(directory, ml, 'ML'), decision)
  for (const blobs of [other.blobs ?? [], (file.blobs ?? []).slice(1), []]) {
    t.throws(() => parseStatementFile(formatStatementFile({ ...file, blobs })), {
      code: 'statement_file_malformed',
      field: /^\/blobs/,
    })
  }
  const { blobs: _blobs, ...without } = file
  t.throws(() => parseStatementFile(formatStatementFile(without)), {
    code: 'statement_file_malformed',
    field: '/blobs',
  })
  t.throws(() => entryOf({ ...member(directory, 'NE'), blobs: file.blobs ?? [] }), {
    code: 'statement_file_malformed',
    field: '/blobs',
  })
  const signed = signedByEnough(file, directory)
  const dev = append(directory, signed, now)
  t.equal(directory.device(dev)?.mem, ml)
  const fluFile = draftEnrol(directory, requestFor(directory, flu, 'FLU'), decision)
  t.match(statementProgress(fluFile, directory), { need: 3 }, 'the unit needs more organisations')
})

t.test('a request with another code than its member has is not drafted', async (t) => {
  const { directory, ml } = smallNetwork()
  const wrong = { ...requestFor(directory, ml, 'ML'), memberCode: 'FLU' }
  t.throws(() => draftEnrol(directory, wrong, decision), {
    code: 'subject_unknown',
    field: '/memberCode',
  })
  const tampered = { ...requestFor(directory, ml, 'ML'), org: 'other' }
  t.throws(() => draftEnrol(directory, tampered, decision), { code: 'possession_invalid' })
})

t.test('every kind of draft is what the directory accepts', async (t) => {
  const { directory, ml, flu } = smallNetwork()
  const add = (file: StatementFile): number =>
    append(directory, signedByEnough(file, directory), now)
  const hash = new Uint8Array(32).fill(7)
  const sch = add(draftSchema(directory, { name: 'spotrep', ver: 1, hash, state: 'active' }, now))
  const top = add(
    draftTopic(
      directory,
      { name: 'arms', title: { en: 'Arms' }, status: 'exercise', sch: [sch] },
      now,
    ),
  )
  add(draftGrant(directory, { top, mem: ml, pub: 1, read: 1, hc: 3 }, now))
  t.strictSame(directory.grant(top, ml), { publish: true, read: true, clearance: 3 })
  const dev = add(draftEnrol(directory, requestFor(directory, ml, 'ML'), decision))
  const suspend = draftSuspend(directory, { dev, why: 'stolen' }, now)
  t.match(suspend.summary, `Suspend device ${dev}, ML: stolen`)
  t.match(statementProgress(suspend, directory), { need: 1 })
  add(suspend)
  t.equal(directory.device(dev)?.state, 'suspended')
  add(draftResume(directory, { dev, why: 'found' }, now))
  t.equal(directory.device(dev)?.state, 'active')
  add(draftRevoke(directory, { mem: ml, why: 'left' }, now))
  t.equal(directory.member(ml)?.state, 'revoked')
  add(draftPolicy(directory, { recallHold: 1000 }, now))
  t.equal(directory.policy().recallHold, 1000)
  add(draftSuspend(directory, { adm: 5, why: 'unreachable' }, now))
  t.equal(directory.admins().standing.get(5), 'suspended')
  t.match(draftRevoke(directory, { mem: flu, why: 'x' }, now).summary, 'Revoke FLU: x')
})

t.test('old and new administrators sign a change of administrators', async (t) => {
  const { directory } = foundedNetwork()
  const admins = [1, 2, 3, 4, 6].map((num) => ({
    num,
    org: organisations[num - 1] ?? 'NE',
    name: `administrator ${num}`,
    key: keyOf(num).publicKey,
  }))
  const draft = draftQuorum(directory, { admins, m: 2, r: 3 }, now)
  const old = [1, 2, 3].reduce((f, num) => signStatementFile(f, directory, num, keyOf(num)), draft)
  const withNew = signStatementFile(draft, directory, 6, keyOf(6))
  const merged = mergeStatementFiles([old, withNew], directory)
  t.equal(statementProgress(merged, directory).complete, true)
  append(directory, merged, now)
  t.equal(directory.admins().ver, 2)
  t.ok(directory.admins().admins.has(6))
})

t.test('what the directory would refuse is not drafted', async (t) => {
  const { directory, ml } = smallNetwork()
  t.throws(() => member(directory, 'ML'), { code: 'subject_exists' })
  t.throws(() => draftSuspend(directory, { dev: 99, why: 'x' }, now), { code: 'subject_unknown' })
  t.throws(() => draftResume(directory, { mem: ml, why: 'x' }, now), { code: 'state_unchanged' })
  t.throws(() => draftSuspend(directory, { why: 'x' }, now), { code: 'entry_malformed' })
  t.throws(() => draftPolicy(directory, { flu: ['ML', 'ML'] }, now), { code: 'entry_malformed' })
  t.throws(() => draftQuorum(directory, { admins: [], m: 1, r: 1 }, now), {
    code: 'entry_malformed',
  })
})

t.test('a slow clock does not date a statement before its base', async (t) => {
  const { directory } = smallNetwork()
  const early = draftMember(directory, { code: 'NE', kind: 'state', name: { en: 'NE' } }, start)
  t.equal(reviewStatement(early, directory).written, directory.time)
})

t.test('files of another network are refused', async (t) => {
  const { directory } = foundedNetwork()
  const file = member(directory, 'ML')
  const other = foundedNetwork().directory
  const code = 'network_mismatch'
  t.throws(() => signStatementFile(file, other, 1, keyOf(1)), { code })
  t.throws(() => statementProgress(file, other), { code })
  t.throws(() => reviewStatement(file, null), { code })
  t.throws(() => mergeStatementFiles([file], other), { code })
  const signed = signStatementFile(file, directory, 1, keyOf(1))
  const relabelled = { ...signed, net: member(other, 'ML').net }
  t.throws(() => mergeStatementFiles([relabelled], other), { code: 'signature_invalid' })
  t.match(statementProgress(relabelled, other), { have: [] }, 'its signature does not count there')
})

t.test('only copies of one statement are merged', async (t) => {
  const { directory } = foundedNetwork()
  const [a, b] = [member(directory, 'ML'), member(directory, 'ML')]
  t.throws(() => mergeStatementFiles([a, b], directory), {
    code: 'statement_file_malformed',
    field: '/1',
  })
  t.throws(() => mergeStatementFiles([], directory), { code: 'statement_file_malformed' })
  const stranger = { ...a, signatures: [[77, toBase64url(new Uint8Array(64))] as const] }
  t.throws(() => mergeStatementFiles([a, stranger], directory), { code: 'signer_unknown' })
  t.throws(() => signStatementFile(a, directory, 1, keyOf(2)), { code: 'signer_unknown' })
})

t.test('a suspended administrator no longer signs', async (t) => {
  const { directory } = foundedNetwork()
  append(
    directory,
    signedByEnough(draftSuspend(directory, { adm: 5, why: 'x' }, now), directory),
    now,
  )
  t.throws(() => signStatementFile(member(directory, 'ML'), directory, 5, keyOf(5)), {
    code: 'signer_unknown',
  })
})

t.test('a genesis is finished elsewhere, and nothing else as a genesis', async (t) => {
  const { directory } = foundedNetwork()
  t.throws(() => finishGenesis(member(directory, 'ML')), { code: 'statement_file_malformed' })
})

t.test('a file that is damaged or no file', async (t) => {
  const { directory } = foundedNetwork()
  const file = signedByEnough(member(directory, 'ML'), directory)
  const [first, second] = file.signatures
  const cases: readonly [string, object][] = [
    ['/v', { v: 2 }],
    ['/net', { net: '1234' }],
    ['/stmt', { stmt: file.stmt.slice(0, -4) }],
    ['/stmt', { stmt: 'not base64url!' }],
    ['/stmt', { stmt: '' }],
    ['/signatures', { signatures: 'x' }],
    ['/signatures/0', { signatures: [[1]] }],
    ['/signatures/0', { signatures: [[-1, second?.[1]]] }],
    ['/signatures/0', { signatures: [[1, 'AAAA']] }],
    ['/signatures/1', { signatures: [second, first] }],
    ['/signatures/1', { signatures: [first, first] }],
    ['/summary', { summary: 7 }],
    ['/note', { note: 1 }],
  ]
  for (const [field, change] of cases) {
    t.throws(
      () => parseStatementFile(JSON.stringify({ ...file, ...change })),
      { code: 'statement_file_malformed', field },
      JSON.stringify(change).slice(0, 40),
    )
  }
  for (const text of ['', 'null', '{', ' '.repeat(300_000)]) {
    t.throws(() => parseStatementFile(text), { code: 'statement_file_malformed' })
  }
  t.ok(equal(entryOf(file), entryOf(parseStatementFile(formatStatementFile(file)))))
})
