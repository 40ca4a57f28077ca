import {
  configOptions,
  configSchema,
  listOptions,
  type OptionName,
  pathOptions,
} from '@liaison/server/options'
import type { Command } from 'commander'

/** `redisTlsCa` is `--redis-tls-ca`. */
export const flagOf = (option: string): string =>
  `--${option.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}`

/** What stands for the value in the help. */
function placeholderOf(name: OptionName): string {
  if (listOptions.includes(name)) return ' <list>'
  if (name === 'data') return ' <dir>'
  if (pathOptions.includes(name)) return ' <file>'
  switch (configSchema.properties[name].type) {
    case 'boolean':
      return ''
    case 'integer':
      return ' <n>'
    default:
      return ' <text>'
  }
}

/** One line: what the option means, which words it takes, what holds without it. */
function helpOf(name: OptionName): string {
  const { description, default: value, enum: words } = configSchema.properties[name]
  // Details stand behind the first sentence, in the page of all options.
  const [sentence = ''] = description.replaceAll('`', '').split(/(?<=[.:]) /)
  const text = sentence.replace(/[.:]$/, '')
  const lower = /^[A-Z][A-Z]/.test(text) ? text : text.charAt(0).toLowerCase() + text.slice(1)
  const notes = [
    ...(Array.isArray(words) ? [words.join(', ')] : []),
    ...(listOptions.includes(name) ? ['by commas'] : []),
    ...(value === undefined || value === false || Array.isArray(value) ? [] : [String(value)]),
  ]
  return notes.length === 0 ? lower : `${lower} (${notes.join('; ')})`
}

/** Adds every option of the relay's configuration, as its one description names them. */
export function withConfig(command: Command): Command {
  command.option(
    '--config <file>',
    'JSON with the same options; the environment and flags win over it',
  )
  for (const name of configOptions)
    command.option(`${flagOf(name)}${placeholderOf(name)}`, helpOf(name))
  return command
}
