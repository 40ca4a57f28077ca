import { ConfigError, type ConfigInput, configFromEnvironment, readConfig } from '@liaison/server'
import t from 'tap'

const least: ConfigInput = { data: 'd', network: 'n', keys: 'k' }

/** Problems that `readConfig` names, as `option: problem`. */
function problemsOf(input: ConfigInput): readonly string[] {
  try {
    readConfig(input)
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.problems.map(({ option, problem }) => `${option}: ${problem}`)
  }
}

t.test('three options are enough; the others have safe defaults', async (t) => {
  t.same(readConfig(least), {
    ...least,
    listen: { host: '127.0.0.1', port: 8443 },
    operator: { host: '127.0.0.1', port: 9464 },
    origins: [],
    logLevel: 'info',
    behindTlsProxy: false,
  })
})

t.test('text of the environment becomes numbers, truth values and lists', async (t) => {
  const input = configFromEnvironment({
    LIAISON_RELAY_DATA: 'd',
    LIAISON_RELAY_NETWORK: 'n',
    LIAISON_RELAY_KEYS: 'k',
    LIAISON_RELAY_PORT: '9000',
    LIAISON_RELAY_BEHIND_TLS_PROXY: 'true',
    LIAISON_RELAY_ORIGINS: 'https://a.example, https://b.example',
    LIAISON_RELAY_SOMETHING_ELSE: 'x',
  })
  t.match(readConfig(input), {
    listen: { port: 9000 },
    behindTlsProxy: true,
    origins: ['https://a.example', 'https://b.example'],
  })
})

t.test('everything that is wrong is said at once, in words', async (t) => {
  const problems = problemsOf({
    network: '',
    keys: 'k',
    port: 70_000,
    operatorPort: 'many',
    logLevel: 'loud',
    origins: ['https://a.example/path'],
    colour: 'red',
  })
  t.same([...problems].sort(), [
    'colour: unknown option',
    'data: is required',
    'logLevel: must be one of fatal, error, warn, info, debug, trace, silent',
    'network: must not be empty',
    'operatorPort: must be a port, 0 to 65535',
    'origins: must be web origins such as https://example.org, no path',
    'port: must be a port, 0 to 65535',
  ])
})

t.test('combinations that are unsafe, or cannot work, are refused', async (t) => {
  const cases: readonly (readonly [ConfigInput, readonly string[]])[] = [
    [
      { host: '0.0.0.0' },
      ['host: is not loopback, so tlsCert and tlsKey (or behindTlsProxy) are required'],
    ],
    [{ host: '0.0.0.0', behindTlsProxy: true }, []],
    [{ host: '0.0.0.0', tlsCert: 'c', tlsKey: 'k' }, []],
    [{ tlsCert: 'c' }, ['tlsCert, tlsKey: go together']],
    [{ port: 9464 }, ['port, operatorPort: must differ']],
    [{ port: 0, operatorPort: 0 }, []],
  ]
  for (const [changes, expected] of cases) {
    t.same(problemsOf({ ...least, ...changes }), expected, JSON.stringify(changes))
  }
})
