import { once } from 'node:events'
import { chmod } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { sodiumReady } from '@liaison/protocol'
import t from 'tap'
import { Cli, errorIn, type Json, liaison } from '../support/cli.ts'
import { makeSealingNetwork } from '../support/epoch-keys.ts'
import { prepareRelay } from '../support/relay.ts'
import { tempFolder } from '../support/temp-folder.ts'

await sodiumReady()

// Commands are processes, and the machine may be busy.
t.setTimeout(120_000)

t.test('the file, the environment, then the flags', async (t) => {
  await using folder = await tempFolder()
  const { keys } = await prepareRelay(makeSealingNetwork(), folder)
  const file = await folder.write(
    'etc/relay.json',
    JSON.stringify({
      data: 'data',
      network: '../network.json',
      keys,
      port: 1001,
      operatorPort: 2001,
      logLevel: 'error',
      origins: ['https://a.example'],
    }),
  )
  const result = await liaison(
    ['--json', 'relay', 'check-config', '--config', file, '--port', '1003'],
    {
      env: {
        LIAISON_RELAY_PORT: '1002',
        LIAISON_RELAY_OPERATOR_PORT: '2002',
        LIAISON_RELAY_BEHIND_TLS_PROXY: 'true',
      },
    },
  )
  t.equal(result.code, 0)
  t.match(result.json(), [
    {
      schemaVersion: 1,
      ok: true,
      config: {
        data: join(folder.path, 'etc', 'data'),
        network: join(folder.path, 'network.json'),
        keys,
        listen: { host: '127.0.0.1', port: 1003 },
        operator: { port: 2002 },
        logLevel: 'error',
        origins: ['https://a.example'],
        behindTlsProxy: true,
      },
    },
  ])
})

t.test('78: every problem at once', async (t) => {
  await using folder = await tempFolder()
  const file = await folder.write('relay.json', '{"prot": 1, "host": "0.0.0.0", "port": "many"}')
  const args = ['relay', 'serve', '--config', file]
  const [words, json] = await Promise.all([liaison(args), liaison(['--json', ...args])])
  t.equal(words.code, 78)
  const wrong = ['prot', 'data', 'network', 'keys', 'port', 'host']
  for (const option of wrong) t.match(words.stderr, new RegExp(`^ {2}${option}: `, 'm'))
  t.match(words.stderr, /What to do: .*relay serve --help\.\n {2}Code: config_invalid \(exit 78\)/)
  const error = errorIn(json)
  t.match(error, { code: 'config_invalid', exit: 78 })
  t.same((error['problems'] as Json[]).map(({ option }) => option).sort(), wrong.sort())
  const missing = await liaison(['relay', 'serve', '--config', join(folder.path, 'none.json')])
  t.equal(missing.code, 78)
  t.match(missing.stderr, /config: There is no such file/)
})

t.test('78: what only shows when it starts; 0: told to stop', async (t) => {
  await using folder = await tempFolder()
  const { data, network, keys } = await prepareRelay(makeSealingNetwork(), folder)
  const serve = (port: number): string[] => [
    ...['--json', 'relay', 'serve', '--data', String(data), '--network', String(network)],
    ...['--keys', String(keys), '--port', String(port), '--operator-port', '0'],
  ]
  await using taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const { port } = taken.address() as { readonly port: number }
  const busy = await liaison(serve(port))
  t.equal(busy.code, 78)
  t.match(errorIn(busy), { problems: [{ problem: /another program listens/ }] })
  await chmod(String(keys), 0o644)
  const open = await liaison(serve(0))
  t.equal(open.code, 78)
  t.match(errorIn(open), { problems: [{ option: 'keys', problem: /chmod 600/ }] })
  await chmod(String(keys), 0o600)

  await using relay = new Cli(serve(0), { installed: true })
  const [, operator = ''] = await relay.says('stdout', /"operatorUrl":"([^"]+)"/)
  t.equal((await fetch(`${operator}/readyz`)).status, 200)
  relay.signal('SIGTERM')
  const ended = await relay.ended()
  t.equal(ended.code, 0)
  t.match(ended.json(), [{ state: 'listening' }, { state: 'stopped' }])
  t.match(ended.stderr, /Stopping: what was begun is finished first/)
})

t.test('the keys of a relay', async (t) => {
  await using folder = await tempFolder()
  const file = await folder.write('other.json', '{"dirLog": "secret"}')
  const out = join(folder.path, 'keys.json')
  const made = await liaison(['--json', 'relay', 'keys', '--out', out])
  t.match(made.json(), [{ file: out, number: 1, publicKeys: { relay: /^[\w-]{43}$/ } }])
  const again = await liaison(['--json', 'relay', 'keys', '--out', out])
  t.equal(again.code, 2)
  t.equal(errorIn(again)['code'], 'file_exists')
  const second = join(folder.path, 'keys-2.json')
  const logsOf = ['--logs-of', out, '--number', '2', '--out', second]
  const next = await liaison(['--json', 'relay', 'keys', ...logsOf])
  const [first, other] = [made, next].map((result) => result.json()[0]?.['publicKeys'] as Json)
  t.same([other?.['dirLog'], other?.['auditLog']], [first?.['dirLog'], first?.['auditLog']])
  t.not(other?.['relay'], first?.['relay'], 'a key of its own')
  const none = await liaison([
    '--json',
    'relay',
    'keys',
    ...logsOf.with(1, file),
    '--out',
    `${out}3`,
  ])
  t.equal(none.code, 2)
  t.notMatch(none.stderr, /secret/)
})

t.test('78: the files that the configuration names', async (t) => {
  await using folder = await tempFolder()
  const { data, network, keys } = await prepareRelay(makeSealingNetwork(), folder)
  await chmod(String(keys), 0o640)
  const password = await folder.write('password', 'in clear text\n')
  await chmod(password, 0o644)
  const certificate = await folder.write('cert.pem', 'no certificate')
  const check = (...more: string[]) =>
    liaison(['--json', 'relay', 'check-config', '--network', String(network), ...more])
  const embedded = await check(
    ...['--keys', String(keys), '--data', String(data)],
    ...['--tls-cert', certificate, '--tls-key', certificate],
  )
  t.equal(embedded.code, 78)
  t.match(errorIn(embedded), {
    problems: [
      { option: 'keys', problem: /chmod 600/ },
      { option: 'tlsCert, tlsKey', problem: /PEM/i },
    ],
  })
  const shared = ['--store', 'redis', '--redis-nodes', '127.0.0.1:1', '--redis-user', 'relay-1']
  const redis = await check(...shared, '--keys', '/none', '--redis-password-file', password)
  t.match(errorIn(redis), {
    problems: [
      { option: 'keys', problem: /cannot be read/ },
      { option: 'redisPasswordFile', problem: 'the file is readable by others: chmod 600' },
    ],
  })
})
