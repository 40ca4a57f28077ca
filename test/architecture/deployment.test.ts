import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { NetworkId } from '@liaison/protocol'
import {
  configFromEnvironment,
  inspectorAclLine,
  readConfig,
  relayAclLine,
  variableOf,
} from '@liaison/server'
import t from 'tap'
import { configOptions } from '../../server/src/config-schema.ts'
import { type Compose, readCompose, type Service } from '../support/deployment.ts'
import { root } from './sources.ts'

const files = {
  single: ['docker-compose.single.yml'],
  shared: ['docker-compose.yml'],
  sentinel: ['docker-compose.yml', 'docker-compose.sentinel.yml'],
} as const

/** What a service may do beyond what it needs. */
function faultsOf(name: string, service: Service): string[] {
  const faults: string[] = []
  const must = (holds: boolean, what: string): void => {
    if (!holds) faults.push(`${name}: ${what}`)
  }
  must(service.read_only === true, 'its file system can be written')
  must(service.cap_drop?.join() === 'ALL', 'it has capabilities')
  must(service.cap_add === undefined && service.privileged !== true, 'it is given capabilities')
  must(service.security_opt?.includes('no-new-privileges:true') === true, 'it may gain privileges')
  must(/^[1-9]\d*:[1-9]\d*$/.test(service.user ?? ''), 'it runs as root')
  must(service.network_mode === undefined, 'it shares a network of the machine')
  const isRelay = /^relay(-\d)?$/.test(name)
  must(isRelay || (service.ports ?? []).length === 0, 'it publishes a port')
  must(isRelay || service.networks?.join() === 'store', 'it is in another network than the store')
  const environment = Object.keys(service.environment ?? {})
  const known = new Set(configOptions.map(variableOf))
  must(
    environment.every((key) => known.has(key)),
    'it has a variable that the relay does not know',
  )
  return faults
}

/** Secrets and configurations that a service names and nobody defines. */
function missingIn({ services, secrets, configs }: Compose): string[] {
  return Object.entries(services).flatMap(([name, service]) => {
    const all = [
      ...(service.secrets ?? []).map((one) => [one, secrets] as const),
      ...(service.configs ?? []).map((one) => [one, configs] as const),
    ]
    return all
      .map(([one, defined]) => [typeof one === 'string' ? one : one.source, defined] as const)
      .filter(([source, defined]) => defined[source] === undefined)
      .map(([source]) => `${name}: ${source}`)
  })
}

t.test('no container may do more than it must', async (t) => {
  for (const [name, list] of Object.entries(files)) {
    const compose = await readCompose(...list)
    const faults = Object.entries(compose.services).flatMap(([one, service]) =>
      name === 'single' && one !== 'relay' ? [`${one} is too many`] : faultsOf(one, service),
    )
    t.same(faults, [], list.join(' '))
    t.same(missingIn(compose), [])
  }
  const { services, networks } = await readCompose(...files.sentinel)
  t.equal(networks['store']?.internal, true)
  t.equal(Object.keys(services).length, 9)
  const bad: Service = { ...services['redis'], ports: ['6379:6379'], read_only: false, user: '0:0' }
  t.same(faultsOf('redis', bad), [
    ...[
      'redis: its file system can be written',
      'redis: it runs as root',
      'redis: it publishes a port',
    ],
  ])
})

t.test('the relays accept their environments, and no secret is a value', async (t) => {
  for (const list of [files.shared, files.sentinel]) {
    const { services } = await readCompose(...list)
    for (const [name, { environment = {} }] of Object.entries(services)) {
      if (Object.keys(environment).length === 0) continue
      const extra = name === 'setup' ? { keys: 'not-needed' } : {}
      const config = readConfig({ ...extra, ...configFromEnvironment(environment) })
      t.match(config.redis, { profile: list === files.shared ? 'single' : 'ha', tls: {} }, name)
      for (const [key, value] of Object.entries(environment)) {
        const isFile = /_(FILE|CA|CERT|KEY|KEYS|NETWORK)$/.test(key)
        t.equal(isFile, /^\/run\/secrets\//.test(value), `${name} ${key}`)
      }
    }
  }
})

t.test('the example of an ACL file has the rights that the code needs', async (t) => {
  const text = await readFile(join(root, 'deploy/users.acl.example'), 'utf8')
  const net = new Uint8Array(32).fill(7) as NetworkId
  const prefix = /~(\S+)\*/.exec(relayAclLine({ name: 'x', password: null }, net))?.[1] ?? ''
  const lines = text
    .split('\n')
    .map((line) =>
      line.replace(/@SHA256:[\w-]+@/, 'SHA256_OF_PASSWORD').replaceAll('@PREFIX@', prefix),
    )
  for (const name of ['relay-1', 'relay-2']) {
    t.ok(lines.includes(relayAclLine({ name, password: null }, net)), name)
  }
  t.ok(lines.includes(inspectorAclLine({ name: 'inspector', password: null })))
  t.match(text, /^user default off /m)
})

t.test('the services of systemd are locked in', async (t) => {
  const wanted = [
    ...['NoNewPrivileges=yes', 'ProtectSystem=strict', 'ProtectHome=yes', 'PrivateTmp=yes'],
    ...[
      'PrivateDevices=yes',
      'CapabilityBoundingSet=',
      'RestrictNamespaces=yes',
      'DynamicUser=yes',
    ],
    ...['ProtectKernelModules=yes', 'RestrictSUIDSGID=yes', 'SystemCallFilter=@system-service'],
  ]
  for (const name of ['liaison-relay.service', 'liaison-redis.service']) {
    const text = await readFile(join(root, 'deploy', name), 'utf8')
    const lines = text.split('\n')
    t.same(
      wanted.filter((line) => !lines.includes(line)),
      [],
      name,
    )
    const credentials = lines.flatMap((line) => /^LoadCredential=([\w.-]+):/.exec(line)?.[1] ?? [])
    const used = [...text.matchAll(/%d\/([\w.-]+)/g)].map(([, one = '']) => one)
    t.same(
      used.filter((one) => !credentials.includes(one)),
      [],
      'every file comes as a credential',
    )
    const environment = Object.fromEntries(
      lines.flatMap((line) => {
        const [, key, value] = /^Environment=(LIAISON_\w+)=(.*)$/.exec(line) ?? []
        return key === undefined ? [] : [[key, value?.replace('%d', '/run/credentials')]]
      }),
    )
    if (name === 'liaison-relay.service') {
      t.match(readConfig(configFromEnvironment(environment)).redis, { tls: {}, profile: 'single' })
    }
  }
})

t.test('secrets of a deployment do not get into the repository', async (t) => {
  const run = promisify(execFile)
  const text = await readFile(join(root, '.gitignore'), 'utf8')
  for (const rule of ['deploy/secrets/', 'deploy/tls/', 'deploy/*.json']) t.match(text, rule)
  const names = await readdir(join(root, 'deploy'))
  for (const name of names.filter((one) => one.endsWith('.sh'))) {
    await t.resolves(run('sh', ['-n', join(root, 'deploy', name)]), `${name} is a script`)
  }
  const docker = await readFile(join(root, '.dockerignore'), 'utf8')
  t.match(docker, /^deploy$/m, 'nor into an image')
})
