import {
  Directory,
  decodeEntry,
  emptyRoot,
  equal,
  networkFingerprint,
  networkIdOf,
  sodiumReady,
  toBase64url,
} from '@liaison/protocol'
import t from 'tap'
import { draftGenesis, finishGenesis } from '../../../../client-sdk/src/admin/genesis.ts'
import {
  formatGenesisPlan,
  parseGenesisPlan,
} from '../../../../client-sdk/src/admin/genesis-plan.ts'
import { reviewStatement, statementProgress } from '../../../../client-sdk/src/admin/review.ts'
import {
  formatStatementFile,
  mergeStatementFiles,
  parseStatementFile,
  signStatementFile,
} from '../../../../client-sdk/src/admin/statement-file.ts'
import { foundedNetwork, keyOf, planJson, planOf, start } from './founding.ts'

await sodiumReady()

t.test('five administrators found a network, each on a copy of the file', async (t) => {
  const draft = draftGenesis(planOf(), start)
  const review = reviewStatement(draft, null)
  t.equal(review.op, 'genesis')
  t.equal(review.threshold, null)
  t.equal(review.fingerprint, draft.net, 'what they read to each other is what the file names')
  t.strictSame(review.base, { size: 0, root: Buffer.from(emptyRoot()).toString('hex') })
  const copies = [1, 2, 3, 4, 5].map((num) =>
    signStatementFile(parseStatementFile(formatStatementFile(draft)), null, num, keyOf(num)),
  )
  const four = mergeStatementFiles(copies.slice(0, 4), null)
  t.match(statementProgress(four, null), { need: 5, complete: false, have: { length: 4 } })
  t.throws(() => finishGenesis(four), { code: 'quorum_missing', detail: 'ML: ML, administrator' })
  t.throws(() => finishGenesis(draft), {
    code: 'quorum_missing',
    detail: /^ACSRT: .*; AUC: .*; FLU: .*; MR: .*; ML: /,
  })
  const all = mergeStatementFiles([copies[4] ?? draft, four], null)
  const entry = finishGenesis(all)
  const directory = Directory.fromGenesis(entry)
  if (!directory.ok) return t.fail(directory.error)
  t.equal(networkFingerprint(directory.value.net), draft.net)
  t.equal(directory.value.genesisT, start)
  t.equal(directory.value.example, true)
  t.strictSame([directory.value.admins().m, directory.value.admins().r], [2, 3])
  t.ok(equal(directory.value.relay(1)?.key ?? new Uint8Array(), keyOf(101).publicKey))
})

t.test('a signature in the name of another is no signature', async (t) => {
  const draft = draftGenesis(planOf(), start)
  t.throws(() => signStatementFile(draft, null, 2, keyOf(3)), { code: 'signer_unknown' })
  t.throws(() => signStatementFile(draft, null, 6, keyOf(6)), { code: 'signer_unknown' })
  const all = [1, 2, 3, 4, 5].reduce((f, num) => signStatementFile(f, null, num, keyOf(num)), draft)
  const forged = {
    ...all,
    signatures: all.signatures.map(
      ([n, sig], i) => [n, all.signatures[i === 0 ? 1 : i]?.[1] ?? sig] as const,
    ),
  }
  t.throws(() => finishGenesis(forged), { code: 'signature_invalid' })
  t.throws(() => mergeStatementFiles([all, forged], null), {
    code: 'signature_invalid',
    field: '/1/signatures/1',
  })
})

t.test('another founding is another network', async (t) => {
  const one = draftGenesis(planOf(), start)
  const two = draftGenesis(planOf(), start)
  t.not(one.net, two.net, 'its nonce differs')
  const entry = decodeEntry(foundedNetwork().genesis)
  if (!entry.ok) return t.fail(entry.error)
  t.throws(
    () => finishGenesis({ ...one, net: networkFingerprint(networkIdOf(entry.value.stmt)) }),
    {
      code: 'statement_file_malformed',
      field: '/net',
    },
  )
})

t.test('a plan is read, written and read again', async (t) => {
  const plan = planOf()
  t.strictSame(parseGenesisPlan(formatGenesisPlan(plan)), { ok: true, value: plan })
  const { recallHold: _hold, example: _example, ...short } = planJson()
  const parsed = parseGenesisPlan(JSON.stringify(short))
  t.match(parsed, {
    ok: true,
    value: { recallHold: 72 * 3600 * 1000, example: false, cosigners: [] },
  })
})

t.test('all problems of a plan are listed at once', async (t) => {
  const admins = planJson()['administrators'] as Record<string, unknown>[]
  const bad = planJson({
    name: 'A',
    administrators: [
      ...admins.slice(0, 3),
      { ...admins[3], num: 1 },
      { ...admins[4], key: admins[0]?.['key'] },
    ],
    m: 4,
    relays: [{ num: 1, origin: '', key: toBase64url(new Uint8Array(32).fill(255)) }],
    logs: { dir: 'x', audit: toBase64url(keyOf(101).publicKey) },
    flu: ['FLU', 'FLU'],
    freshness: { maxAge: 1, need: { flu: 1, admin: 0, witness: 0 } },
    recallHold: 0,
    example: false,
    colour: 'green',
  })
  const parsed = parseGenesisPlan(JSON.stringify(bad))
  if (parsed.ok) return t.fail('it was accepted')
  t.strictSame(
    parsed.error.map(({ code, field }) => `${code} ${field}`).sort(),
    [
      'config_invalid /colour',
      'config_invalid /freshness/maxAge',
      'config_invalid /logs/dir',
      'config_invalid /name',
      'config_invalid /relays/0/origin',
      'key_unfit /relays/0/key',
      'not_permitted /recallHold',
      'quorum_unsafe /freshness/need/flu',
      'quorum_unsafe /m',
      'subject_exists /administrators/3/num',
      'subject_exists /administrators/4/key',
      'subject_exists /flu/1',
    ].sort(),
  )
})

t.test('thresholds need an organisation to spare, counted as people read names', async (t) => {
  const problems = (changes: Record<string, unknown>): unknown => {
    const parsed = parseGenesisPlan(JSON.stringify(planJson(changes)))
    return parsed.ok ? [] : parsed.error
  }
  t.strictSame(problems({ r: 5 }), [{ code: 'quorum_unsafe', field: '/r' }])
  t.strictSame(problems({ r: 4 }), [])
  const admins = planJson()['administrators'] as Record<string, unknown>[]
  const sameOrg = admins.map((admin, i) =>
    i < 2 ? { ...admin, org: i === 0 ? 'ml' : ' ML' } : admin,
  )
  t.strictSame(problems({ administrators: sameOrg }), [{ code: 'quorum_unsafe', field: '/r' }])
})

t.test('what is no plan at all', async (t) => {
  t.strictSame(parseGenesisPlan('{'), {
    ok: false,
    error: [{ code: 'config_invalid', field: '/' }],
  })
  t.match(parseGenesisPlan('[]'), { ok: false, error: [{ field: '/' }] })
})

t.test('a plan that the rules refuse is not drafted either', async (t) => {
  t.throws(() => draftGenesis({ ...planOf(), r: 5 }, start), { code: 'quorum_unsafe' })
})
