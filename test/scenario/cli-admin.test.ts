import { chmod, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { signingKeyFromSeed, sodiumReady, toBase64url } from '@liaison/protocol'
import t from 'tap'
import {
  errorIn,
  inProcess,
  type Json,
  liaison,
  makeDesk,
  makeHome,
  startCliScenario,
  writeKey,
} from '../support/cli.ts'
import { seededBytes } from '../support/network.ts'
import { tempFolder } from '../support/temp-folder.ts'

await sodiumReady()

// Commands are processes, and the machine may be busy.
t.setTimeout(120_000)

t.test('changes of the directory, signed by one administrator after the other', async (t) => {
  await using relay = await startCliScenario()
  const { network, folder } = relay
  const at = (name: string): string => join(folder.path, name)
  const drafts = ['--out', at('draft.json')]
  const one = await makeDesk(network, [1], relay)
  const other = await makeDesk(network, [2], relay)
  const both = await makeDesk(network, [1, 2], relay)
  const run = (...args: string[]) => inProcess(join(folder.path, 'desk'), ['admin', ...args])
  const only = async (...args: string[]): Promise<Json> => {
    const result = await run(...args)
    t.equal(result.code, 0, `${args.join(' ')} ${result.stderr}`)
    return result.json()[0] ?? {}
  }

  const status = await only('status', ...one)
  t.match(status, {
    network: { name: 'test.example', example: true },
    figures: { members: 5, topics: 2 },
    thresholds: { m: 2 },
  })

  const drafted = await run('member', 'SN', '--kind', 'state', '--fr', 'Sénégal', ...drafts, ...one)
  t.match(drafted.json(), [{ state: 'incomplete', file: at('draft.json'), index: null }])
  t.match(drafted.stderr, /liaison admin sign \S+draft\.json --identity/)
  const early = await run('append', at('draft.json'), ...one)
  t.equal(early.code, 5)
  t.equal(errorIn(early)['code'], 'quorum_missing')
  const unread = await run('sign', at('draft.json'), ...other)
  t.equal(unread.code, 2, 'nobody signs unseen')
  t.match(unread.stderr, /Sénégal/)
  const copy = ['--no-append', '--yes', '--out', at('copy.json')]
  t.match(await only('sign', at('draft.json'), ...copy, ...other), { state: 'complete' })
  const merged = ['merge', at('draft.json'), at('copy.json'), '--out', at('both.json')]
  t.match(await only(...merged, ...one.slice(0, 2)), { signatures: { complete: true } })
  t.match(await only('append', at('both.json'), ...one), { state: 'appended' })

  t.match(await only('schema', 'intrep', ...both), { state: 'appended' })
  const topic = ['--status', 'exercise', '--schemas', 'intrep,spotrep', '--en', 'Fraud']
  t.match(await only('topic', 'fraud', ...topic, ...both), { state: 'appended' })
  t.match(await only('grant', 'fraud', 'SN', '--read', '--clearance', 'GREEN', ...both), {
    state: 'appended',
  })
  const twice = await run('suspend', 'ML', '--why', 'Trial', '--confirm', 'NE', ...both)
  t.equal(twice.code, 2, 'another name is no confirmation')
  t.match(await only('suspend', 'ML', '--why', 'Trial', '--confirm', 'ML', ...both), {
    state: 'appended',
    op: 'suspend',
    target: 'ML',
  })
  t.match(await only('resume', 'ML', '--why', 'Over', '--confirm', 'ML', ...both), {
    state: 'appended',
  })
  const nobody = await run('revoke', '999', '--why', 'Trial', '--dry-run', ...one)
  t.equal(nobody.code, 2)
  t.equal(errorIn(nobody)['code'], 'subject_unknown')

  const policy = await folder.write('policy.json', '{"recallHold": 86400000}')
  t.match(await only('policy', policy, ...drafts, ...one), { state: 'incomplete' })
  const relays = network.directory.policy().relays.map((r) => ({ ...r, key: toBase64url(r.key) }))
  const second = signingKeyFromSeed(seededBytes('relay 2', 32))
  const another = { num: 2, origin: 'b.example', key: toBase64url(second.publicKey) }
  const added = await folder.write('relays.json', JSON.stringify({ relays: [...relays, another] }))
  t.match(await only('policy', added, ...drafts, ...one), { state: 'incomplete' })
  const broken = await folder.write('broken.json', '{"relays": [{"num": 2}]}')
  t.equal((await run('policy', broken, ...drafts, ...one)).code, 3)
  const admins = [...network.directory.admins().admins.values()]
  const administrators = admins.map(({ key, ...rest }) => ({ ...rest, key: toBase64url(key) }))
  const next = await folder.write('next.json', JSON.stringify({ administrators, m: 2, r: 2 }))
  t.match(await only('quorum', next, ...drafts, ...one), { state: 'incomplete' })
  t.match(await only('network', '--out', at('whole.json'), ...one), { name: 'test.example' })
  const written = JSON.parse(await readFile(at('whole.json'), 'utf8')) as Json
  t.match(written, { v: 1, name: 'test.example' })

  const device = await makeHome(network, network.deviceOf('BF'), relay)
  const topics = await inProcess(device, ['topics', 'list'])
  t.match(topics.json()[0]?.['topics'], [{}, {}, { name: 'fraud', publish: false, read: false }])
})

t.test('a founding: plan, signatures at each administrator, network file', async (t) => {
  await using folder = await tempFolder()
  const run = (...args: string[]) =>
    liaison(['--json', '--no-input', ...args], { cwd: folder.path })
  await folder.write('secret', 'one long passphrase\n')
  await chmod(join(folder.path, 'secret'), 0o600)
  const made = await run(
    ...['--passphrase-file', 'secret', 'identity', 'new', '--administrator', '--out', 'flu.key'],
  )
  t.match(made.json(), [{ kind: 'administrator', publicKey: /^[\w-]{43}$/ }])
  const others = await Promise.all(
    ['ml', 'ne'].map(async (name) => {
      const signingKey = signingKeyFromSeed(seededBytes(name, 32))
      const identity = {
        kind: 'administrator',
        signingKey,
        storageKey: seededBytes(name, 32),
      } as const
      await writeKey(join(folder.path, `${name}.key`), null, identity)
      return toBase64url(signingKey.publicKey)
    }),
  )
  const relay = (await run('relay', 'keys', '--out', 'relay-keys.json')).json()[0]
  const { relay: key, dirLog, auditLog } = (relay?.['publicKeys'] ?? {}) as Record<string, string>
  const keys = [String(made.json()[0]?.['publicKey']), ...others]
  const plan = {
    name: 'founding.example',
    administrators: keys.map((one, i) => ({
      num: i + 1,
      org: ['FLU', 'ML', 'NE'][i],
      name: 'A',
      key: one,
    })),
    m: 2,
    r: 2,
    relays: [{ num: 1, origin: 'relay.example', key }],
    logs: { dir: dirLog, audit: auditLog },
    flu: ['FLU'],
    freshness: { maxAge: 86_400_000, need: { flu: 0, admin: 0, witness: 0 } },
    cosigners: [],
    example: true,
  }
  await folder.write('unsafe.json', JSON.stringify({ ...plan, r: 3 }))
  const unsafe = await run('admin', 'genesis', '--plan', 'unsafe.json', '--out', 'ceremony')
  t.equal(unsafe.code, 6, 'one organisation must be able to fall out')
  t.match(errorIn(unsafe), { code: 'quorum_unsafe' })
  await folder.write('plan.json', JSON.stringify(plan))
  const drafted = await run('admin', 'genesis', '--plan', 'plan.json', '--out', 'ceremony')
  t.equal(drafted.code, 0, drafted.stderr)
  const statement = 'ceremony/genesis.statement.json'
  t.match(drafted.json(), [{ file: statement }])
  t.match(drafted.stderr, /every founding administrator signs this file/)
  const signed = await Promise.all(
    ['flu', 'ml', 'ne'].map((name) =>
      run(
        ...['--passphrase-file', 'secret', 'admin', 'sign', statement, '--yes'],
        ...['--identity', `${name}.key`, '--out', `${name}.signed.json`],
      ),
    ),
  )
  for (const one of signed) t.equal(one.code, 0, one.stderr)
  const finish = (...files: string[]) =>
    run(
      ...['admin', 'genesis', '--finish', ...files, '--relay-url', 'wss://relay.example/relay'],
      ...['--out', 'network.json'],
    )
  const early = await finish('flu.signed.json', 'ml.signed.json')
  t.equal(early.code, 5, 'all of them sign')
  const founded = await finish('flu.signed.json', 'ml.signed.json', 'ne.signed.json')
  t.match(founded.json(), [{ name: 'founding.example', fingerprint: /^(\d{5} ){7}\d{5}$/ }])
  const file = JSON.parse(await readFile(join(folder.path, 'network.json'), 'utf8')) as Json
  t.match(file, { name: 'founding.example', relays: ['wss://relay.example/relay'] })
})
