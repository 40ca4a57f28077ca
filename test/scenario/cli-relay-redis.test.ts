/** Setting a network up on Redis, and saying what is wrong with it, from the command line. */
import { chmod, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { sodiumReady } from '@liaison/protocol'
import t from 'tap'
import { Cli, errorIn, type Json, liaison } from '../support/cli.ts'
import { makeSealingNetwork } from '../support/epoch-keys.ts'
import { RedisServer } from '../support/redis-server.ts'
import { prepareRelay } from '../support/relay.ts'
import { tempFolder } from '../support/temp-folder.ts'

await sodiumReady()

// Commands are processes, and the machine may be busy.
t.setTimeout(120_000)

t.test('set up as the operator, checked and run as the relay', async (t) => {
  await using redis = await RedisServer.start()
  await using folder = await tempFolder()
  const network = makeSealingNetwork()
  // Only for the files; the log of this folder is not used.
  const { network: networkFile, keys } = await prepareRelay(network, folder)
  const secret = async (name: string): Promise<string> => {
    const path = await folder.write(name, `a long password, ${name}\n`)
    await chmod(path, 0o600)
    return path
  }
  const [relayPassword, inspectorPassword, operatorPassword] = [
    await secret('relay.password'),
    await secret('inspector.password'),
    await secret('operator.password'),
  ]
  const config = [
    ...['--store', 'redis', '--redis-nodes', `127.0.0.1:${redis.port}`],
    ...['--network', String(networkFile), '--keys', String(keys), '--port', '0'],
    ...['--redis-user', 'relay-1', '--redis-password-file', relayPassword],
    ...['--redis-inspector', 'inspector', '--redis-inspector-password-file', inspectorPassword],
    ...['--operator-port', '0', '--log-level', 'silent', '--redis-writers', '2'],
  ]
  const relay = (command: string, ...more: string[]) =>
    liaison(['--json', '--no-input', 'relay', command, ...config, ...more])

  const lines = join(folder.path, 'users.acl')
  const planned = await relay('init-redis', '--offline', '--print-acl', lines)
  t.equal(planned.code, 0, planned.stderr)
  t.match(planned.json(), [{ loaded: false, library: 1, prefix: /^\{liaison:[0-9a-f]{32}\}:$/ }])
  t.equal((await stat(lines)).mode & 0o077, 0, 'hashes of passwords are for the owner only')
  const acl = (await readFile(lines, 'utf8')).trim().split('\n')
  t.equal(acl.length, 2)
  for (const line of acl) await redis.run('ACL', 'SETUSER', ...line.split(' ').slice(1))
  await redis.run(
    'ACL',
    'SETUSER',
    'op',
    'on',
    '>a long password, operator.password',
    '~*',
    '+@all',
  )

  const missing = await relay('check-config', '--online')
  t.equal(missing.code, 78)
  t.match(errorIn(missing), { problems: [{ option: 'redisNodes', problem: /init-redis/ }] })

  const operator = ['--user', 'op', '--password-file', operatorPassword]
  const made = await relay('init-redis', ...operator)
  t.equal(made.code, 0, made.stderr)
  t.match(made.json(), [{ loaded: true, acl, file: null }])
  const again = await relay('init-redis', ...operator)
  t.same(again.json(), made.json(), 'once more changes nothing')
  const wrong = await relay('init-redis', '--user', 'op', '--password-file', relayPassword)
  t.equal(wrong.code, 3)
  t.match(errorIn(wrong), { code: 'config_invalid', detail: /WRONGPASS/ })
  const asRelay = await relay('init-redis', '--user', 'relay-1', '--password-file', relayPassword)
  t.equal(asRelay.code, 3)
  t.match(errorIn(asRelay), { field: 'user', detail: /operator's rights/ })
  t.equal((await relay('init-redis', '--user', 'op')).code, 2, 'and the password?')

  const checked = await relay('check-config', '--online')
  t.equal(checked.code, 0, checked.stderr)
  t.match(checked.json(), [{ ok: true, online: { profile: 'single', leaves: 0 } }])
  {
    await using serving = new Cli(['--json', 'relay', 'serve', ...config])
    const [, ready = ''] = await serving.says('stdout', /"operatorUrl":"([^"]+)"/)
    t.equal((await fetch(`${ready}/readyz`)).status, 200)
    serving.signal('SIGTERM')
    t.equal((await serving.ended()).code, 0)
  }
  await redis.run('CONFIG', 'SET', 'appendfsync', 'everysec')
  const unsafe = await relay('check-config', '--online')
  t.equal(unsafe.code, 78)
  const { problems } = errorIn(unsafe) as { readonly problems: readonly Json[] }
  t.match(problems, [{ problem: /appendfsync is everysec, not always/ }])
})

t.test('without a server there is nothing to ask', async (t) => {
  await using folder = await tempFolder()
  const { data, network, keys } = await prepareRelay(makeSealingNetwork(), folder)
  const files = ['--network', String(network), '--keys', String(keys)]
  const check = ['--json', 'relay', 'check-config', '--online', ...files]
  const embedded = await liaison([...check, '--data', String(data)])
  t.match(embedded, { code: 2 })
  t.match(errorIn(embedded), { field: 'online' })
  const nodes = ['--redis-nodes', '10.0.0.1:6379']
  const plain = await liaison([
    '--json',
    'relay',
    'init-redis',
    '--network',
    String(network),
    ...nodes,
  ])
  t.equal(plain.code, 78)
  t.match(errorIn(plain), { problems: [{ option: 'redisNodes', problem: /redisTls is required/ }] })
})
