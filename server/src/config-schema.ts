/** What is said about one option; also what the pages and editors show. */
export interface Option {
  readonly description: string
  readonly type: 'string' | 'integer' | 'boolean' | 'array'
  readonly default?: string | number | boolean | readonly string[]
  readonly [keyword: string]: unknown
}

const path = (description: string): Option => ({ description, type: 'string', minLength: 1 })
const port = (description: string, value: number): Option => ({
  description,
  type: 'integer',
  minimum: 0,
  maximum: 65_535,
  default: value,
})
const host = (description: string): Option => ({
  description,
  type: 'string',
  minLength: 1,
  maxLength: 255,
  default: '127.0.0.1',
})

/** Name of an option. */
export type OptionName =
  | 'store'
  | 'data'
  | 'network'
  | 'keys'
  | 'host'
  | 'port'
  | 'operatorHost'
  | 'operatorPort'
  | 'tlsCert'
  | 'tlsKey'
  | 'behindTlsProxy'
  | 'origins'
  | 'logLevel'
  | 'signatureThreads'
  | 'redisProfile'
  | 'redisNodes'
  | 'redisPrimary'
  | 'redisReplicas'
  | 'redisWriters'
  | 'redisUser'
  | 'redisPasswordFile'
  | 'redisInspector'
  | 'redisInspectorPasswordFile'
  | 'redisTls'
  | 'redisTlsCa'
  | 'redisTlsCert'
  | 'redisTlsKey'

const properties: Readonly<Record<OptionName, Option>> = {
  store: {
    description:
      'Where everything durable is kept: `lmdb`, a folder that one relay owns, or `redis`, a server that several relays share.',
    type: 'string',
    enum: ['lmdb', 'redis'],
    default: 'lmdb',
  },
  data: path(
    'Folder of the embedded log; required with the store `lmdb`. Nobody but the relay writes there.',
  ),
  network: path(
    'Network file; the genesis in it is the root of everything that the relay accepts.',
  ),
  keys: path("File of this relay's signing keys, readable by its own user only."),
  host: host('Address to listen on. Beyond loopback, TLS is required.'),
  port: port('Port of the relay; 0 takes a free one.', 8443),
  operatorHost: host('Address of `/livez`, `/readyz` and `/metrics`. Keep it off public networks.'),
  operatorPort: port('Port of these; 0 takes a free one.', 9464),
  tlsCert: path('Certificate chain, PEM. Goes together with `tlsKey`.'),
  tlsKey: path('Private key of the certificate, PEM, readable by its own user only.'),
  behindTlsProxy: {
    description: 'Says that a proxy in front speaks TLS, so that the relay itself need not.',
    type: 'boolean',
    default: false,
  },
  origins: {
    description:
      'Web origins that may connect beside loopback; a browser sends one, programs do not.',
    type: 'array',
    items: { type: 'string', format: 'origin', maxLength: 255 },
    maxItems: 32,
    default: [],
  },
  logLevel: {
    description: 'Least severe level that is written to standard output.',
    type: 'string',
    enum: ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'],
    default: 'info',
  },
  signatureThreads: {
    description:
      'Threads that check signatures; 0 checks them in the event loop. Unless set: the number of cores less one, 1 to 4.',
    type: 'integer',
    minimum: 0,
    maximum: 32,
  },
  redisProfile: {
    description:
      'What keeps an acknowledged report. `single`: the disk of one server. `ha`: that and replicas, behind Sentinel. `cluster`: the same in a Redis Cluster. A server that does not keep what the profile promises is refused.',
    type: 'string',
    enum: ['single', 'ha', 'cluster'],
    default: 'single',
  },
  redisNodes: {
    description:
      'Addresses, `host:port`: the server itself, the Sentinels, or some nodes of the cluster, by profile. Beyond loopback, `redisTls` is required.',
    type: 'array',
    items: { type: 'string', format: 'node', maxLength: 300 },
    maxItems: 16,
    default: [],
  },
  redisPrimary: {
    description: 'Name of the primary among the Sentinels.',
    type: 'string',
    minLength: 1,
    maxLength: 64,
    default: 'liaison',
  },
  redisReplicas: {
    description:
      'Replicas that must have a write before it is acknowledged. 0 with the profile `single`; else at least 1, which is also the default.',
    type: 'integer',
    minimum: 0,
    maximum: 5,
  },
  redisWriters: {
    description: 'Connections that appends are spread over.',
    type: 'integer',
    minimum: 1,
    maximum: 16,
    default: 4,
  },
  redisUser: {
    description: "The relay's user on the server, with the rights of docs/operations.md.",
    type: 'string',
    minLength: 1,
    maxLength: 64,
  },
  redisPasswordFile: path('File with the password of that user, readable by its own user only.'),
  redisInspector: {
    description:
      "User that reads the server's settings once at start, so that the relay's own need not have that right.",
    type: 'string',
    minLength: 1,
    maxLength: 64,
  },
  redisInspectorPasswordFile: path('File with the password of the inspector.'),
  redisTls: {
    description: 'Speaks TLS to the server and to the Sentinels.',
    type: 'boolean',
    default: false,
  },
  redisTlsCa: path('Certificate of the authority that the server must be certified by, PEM.'),
  redisTlsCert: path('Certificate of this relay towards the server, PEM. Goes with `redisTlsKey`.'),
  redisTlsKey: path('Private key of that certificate, PEM.'),
}

/** A JSON Schema of one object whose properties are options. */
export interface ConfigSchema {
  readonly $schema: string
  readonly $id: string
  readonly title: string
  readonly type: 'object'
  readonly additionalProperties: false
  readonly required: readonly OptionName[]
  readonly properties: Readonly<Record<OptionName, Option>>
}

/** The one description of a relay's configuration, as JSON Schema. */
export const configSchema: ConfigSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: 'urn:liaison:relay-config:1',
  title: 'Configuration of a Liaison relay',
  type: 'object',
  additionalProperties: false,
  required: ['network', 'keys'],
  properties,
}

/** Names of all options. */
export const configOptions: readonly OptionName[] = Object.keys(properties) as OptionName[]

/** Options whose value is the path of a file or folder. */
export const pathOptions: readonly OptionName[] = [
  'data',
  'network',
  'keys',
  'tlsCert',
  'tlsKey',
  'redisPasswordFile',
  'redisInspectorPasswordFile',
  'redisTlsCa',
  'redisTlsCert',
  'redisTlsKey',
]

/** Options whose value is a list; in the environment and on the command line, separated by commas. */
export const listOptions: readonly OptionName[] = ['origins', 'redisNodes']
