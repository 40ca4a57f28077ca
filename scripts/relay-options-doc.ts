/** Makes docs/relay-options.md and server/relay-config.schema.json from server/src/config-schema.ts. */
import { variableOf } from '../server/src/config-env.ts'
import { configOptions, configSchema } from '../server/src/config-schema.ts'

const code = (value: unknown): string =>
  `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``

/** The text of docs/relay-options.md: one row for each option. */
export function relayOptionsDocument(): string {
  const rows = configOptions.map((name) => {
    const { description, default: value } = configSchema.properties[name]
    const required = configSchema.required.includes(name)
    const standard = required ? 'required' : value === undefined ? '' : code(value)
    return `| ${code(name)} | ${code(variableOf(name))} | ${standard} | ${description} |`
  })
  return `${[
    '# Options of the relay',
    '',
    'A relay is told what to do by a JSON file (`liaison relay serve --config FILE`), by the environment and',
    'by flags, the later ones winning. Paths in the file are taken from where the file is. An unknown',
    'option, a value out of its range or an unsafe combination ends the start with exit code 78 and every',
    'problem at once. Secrets are never values here, only paths of files.',
    '',
    'Beyond loopback the relay wants TLS: `tlsCert` and `tlsKey`, or `behindTlsProxy` when something in front',
    'of it speaks TLS. `server/relay-config.schema.json` has the same as JSON Schema for editors.',
    '',
    '| option | environment | default | meaning |',
    '| --- | --- | --- | --- |',
    ...rows,
    '',
    '*This page is made from `server/src/config-schema.ts` by `npm run generate`.*',
  ].join('\n')}\n`
}

/** The text of server/relay-config.schema.json. */
export const relayConfigSchema = (): string => `${JSON.stringify(configSchema, null, 2)}\n`
