import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { program } from '../../../cli/src/program.ts'
import { root } from '../../architecture/sources.ts'

const tree = program({ signal: new AbortController().signal, endsByItself: () => undefined })

/** Commands that do something, with all words of their names. */
const commands = tree.commands.flatMap((one) =>
  one.commands.length === 0
    ? [{ name: `liaison ${one.name()}`, command: one }]
    : one.commands.map((command) => ({
        name: `liaison ${one.name()} ${command.name()}`,
        command,
      })),
)

/** Options that have a table of their own, because many commands share them. */
const sharedByAdministrators = ['--identity', '--pilot', '--network', '--relay', '--out']

/** The part of a document under the third-level heading that names a command. */
function sectionOf(markdown: string, name: string): string | null {
  const sections = markdown.split(/^(?=#{2,3} )/m)
  return sections.find((text) => text.split('\n')[0]?.includes(`\`${name}\``)) ?? null
}

/** Options of commands that a document does not mention where it describes the command. */
function missingIn(markdown: string): string[] {
  return commands.flatMap(({ name, command }) => {
    const section = sectionOf(markdown, name)
    if (section === null) return [`${name}: no section`]
    // Some say that they take what serve takes.
    const text = section.includes('the options of `serve`')
      ? section + (sectionOf(markdown, 'liaison relay serve') ?? '')
      : section
    const shared = name.startsWith('liaison admin') ? sharedByAdministrators : []
    return command.options
      .map(({ long }) => long ?? '')
      .filter((long) => !shared.includes(long) && !new RegExp(`\`${long}[ \`]`).test(text))
      .map((long) => `${name}: ${long}`)
  })
}

t.test('docs/cli.md describes every command with every option', async (t) => {
  const text = await readFile(join(root, 'docs/cli.md'), 'utf8')
  t.same(missingIn(text), [])
  for (const option of tree.options) t.match(text, `\`${option.long}`, option.long ?? '')
  const less = text.replace('`--until <date>`', '').replace('### `liaison get`', '### get')
  t.same(missingIn(less), ['liaison get: no section', 'liaison admin approve: --until'])
})

t.test('every command has a description and an example in its help', async (t) => {
  for (const { name, command } of commands) {
    t.match(command.description(), /^[a-z]/, name)
    const help: string[] = []
    command.configureOutput({ writeOut: (text) => help.push(text) })
    command.outputHelp()
    t.match(help.join(''), new RegExp(`Examples?:\n  \\$ ${name}`), name)
  }
})
