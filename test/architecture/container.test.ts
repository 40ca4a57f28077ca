import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { configFromEnvironment, readConfig, variableOf } from '@liaison/server'
import t from 'tap'
import { configOptions } from '../../server/src/config-schema.ts'
import { root } from './sources.ts'

const compose = await readFile(join(root, 'docker-compose.single.yml'), 'utf8')
const dockerfile = await readFile(join(root, 'server/Dockerfile'), 'utf8')

const known = new Set(configOptions.map(variableOf))

/** Variables of the relay that a text names and its configuration does not know. */
const unknownVariables = (text: string): string[] =>
  (text.match(/LIAISON_\w+/g) ?? []).filter((name) => !known.has(name))

/** What the compose file puts into the environment of the relay. */
const environmentOf = (text: string): Record<string, string> =>
  Object.fromEntries(
    [...text.matchAll(/^ {6}(LIAISON_\w+): "?([^"\n]+)"?$/gm)].map(([, name, value]) => [
      name ?? '',
      value ?? '',
    ]),
  )

/** Items of a list in the compose file, by the key before it. */
const listOf = (text: string, key: string): string[] => {
  const [, block = ''] = new RegExp(`^ {4}${key}:\\n((?: {6}- .*\\n)+)`, 'm').exec(text) ?? []
  return [...block.matchAll(/- "?([^"\n]+)"?/g)].map(([, item = '']) => item)
}

t.test('every variable in the container files is an option of the relay', async (t) => {
  t.same(unknownVariables(compose), [])
  t.same(unknownVariables(dockerfile), [])
  t.same(unknownVariables('LIAISON_RELAY_POTR: 1'), ['LIAISON_RELAY_POTR'], 'a wrong one is found')
})

t.test('the relay accepts the environment of the compose file', async (t) => {
  const environment = environmentOf(compose)
  const config = readConfig(configFromEnvironment(environment))
  t.equal(Object.keys(environment).length, 9)
  t.same(config.listen, { host: '0.0.0.0', port: 8443 })
  t.same(
    config.operator,
    { host: '127.0.0.1', port: 9464 },
    'the operator sees it from inside only',
  )
  t.equal(config.data, '/data')
  const { LIAISON_RELAY_BEHIND_TLS_PROXY: _removed, ...bare } = environment
  t.throws(() => readConfig(configFromEnvironment(bare)), { code: 'config_invalid' })
})

t.test('the container gives nothing away and may do little', async (t) => {
  t.same(listOf(compose, 'ports'), ['127.0.0.1:8443:8443'], 'one port, on loopback')
  t.match(compose, /^ {4}read_only: true$/m)
  t.match(compose, /^ {4}user: "10001:10001"$/m)
  t.same(listOf(compose, 'cap_drop'), ['ALL'])
  t.same(listOf(compose, 'security_opt'), ['no-new-privileges:true'])
  t.same(listOf(compose, 'volumes'), ['relay-data:/data'])
  t.same(listOf(compose, 'secrets'), ['network', 'relay-keys'])
  const { LIAISON_RELAY_NETWORK: network, LIAISON_RELAY_KEYS: keys } = environmentOf(compose)
  t.same([network, keys], ['/run/secrets/network', '/run/secrets/relay-keys'])
  t.match(compose, "fetch('http://127.0.0.1:9464/livez')")
  t.notMatch(compose, '\t', 'YAML has no tabs')
})

t.test('the image has the relay, not as root, and not the package that opens', async (t) => {
  const [, image = ''] = dockerfile.split(/^FROM node:20-slim$/m)
  t.match(image, /^USER 10001:10001$/m)
  t.match(image, 'npm ci --omit=dev --ignore-scripts --workspace=@liaison/server')
  const copied = [...image.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].map(([, from = '']) => from)
  t.same(
    copied.filter((from) => /seal|client-sdk|cli/.test(from) && !/^\S+\/package\.json$/.test(from)),
    [],
    'of the other packages only what the lock file needs',
  )
  const built = [...image.matchAll(/^COPY --from=build \S+\/(\S+\/dist) /gm)].map(([, d = '']) => d)
  t.same(built, ['schemas/dist', 'protocol/dist', 'server/dist'])
})
