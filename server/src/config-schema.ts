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

const properties: Readonly<Record<OptionName, Option>> = {
  data: path('Folder of the embedded log. Nobody but the relay writes there.'),
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
  required: ['data', 'network', 'keys'],
  properties,
}

/** Names of all options. */
export const configOptions: readonly OptionName[] = Object.keys(properties) as OptionName[]

/** Options whose value is the path of a file or folder. */
export const pathOptions: readonly OptionName[] = ['data', 'network', 'keys', 'tlsCert', 'tlsKey']
