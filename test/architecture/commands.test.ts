import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { program } from '../../cli/src/program.ts'
import { root } from './sources.ts'

const tree = program({ signal: new AbortController().signal, endsByItself: () => undefined })

type Node = typeof tree

const find = (node: Node, name: string): Node | undefined =>
  node.commands.find((one) => one.name() === name)

const optionsOf = (node: Node): string[] =>
  node.options.flatMap(({ long, short }) => [long, short].filter((flag) => flag !== undefined))

/** What is wrong with a command line as a document shows it, or null. */
function fault(line: string): string | null {
  const rest = line
    .replace(/ #.*$/, '')
    .replaceAll(/"[^"]*"/g, 'TEXT')
    .split(/\s+/)
  let node = tree
  let at = 0
  for (; at < rest.length; at++) {
    const word = rest[at] ?? ''
    if (word.startsWith('-')) {
      const option = node.options.find(({ long }) => long === word)
      if (node === tree && option === undefined) return `${line}: no option ${word}`
      if (node !== tree) break
      if (option?.required === true) at++
      continue
    }
    const child = find(node, word)
    if (child === undefined) break
    node = child
  }
  if (node === tree && rest.some((word) => !word.startsWith('-'))) return `${line}: no such command`
  const isGroup = node !== tree && node.commands.length > 0
  const next = rest[at]
  if (isGroup && next !== undefined && !next.startsWith('-')) return `${line}: no such command`
  const known = [...optionsOf(tree), ...optionsOf(node), '--help', '-h']
  const unknown = rest
    .slice(at)
    .find((w) => w.startsWith('--') && !known.includes(w.split('=')[0] ?? ''))
  return unknown === undefined ? null : `${line}: no option ${unknown}`
}

/** Command lines in a document: in blocks of code, and whole pieces in code font. */
function linesIn(markdown: string): string[] {
  const blocks = markdown.matchAll(/^(?:\$ )?(?:npx )?liaison ((?:-|[a-z]).*)$/gm)
  const inline = markdown.matchAll(/`(?:npx )?liaison ([^`\n]+)`/g)
  return [
    ...[...blocks].map(([, line = '']) => line).filter((line) => !line.endsWith('.')),
    ...[...inline].map(([, line = '']) => line),
  ]
}

t.test('every command and option that a document shows exists', async (t) => {
  const names = await readdir(join(root, 'docs'), { recursive: true })
  const files = [
    'README.md',
    'CHANGELOG.md',
    'SECURITY.md',
    'keys-example/README.md',
    ...names.filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`),
  ]
  const texts = await Promise.all(files.map((file) => readFile(join(root, file), 'utf8')))
  const lines = texts.flatMap(linesIn)
  t.ok(lines.length > 50, `${lines.length} command lines`)
  t.same(
    lines.map(fault).filter((one) => one !== null),
    [],
  )
})

t.test('docs/cli.md has every command', async (t) => {
  const text = await readFile(join(root, 'docs/cli.md'), 'utf8')
  const missing = tree.commands.flatMap((one) =>
    (one.commands.length === 0
      ? [one.name()]
      : one.commands.map((c) => `${one.name()} ${c.name()}`)
    ).filter((name) => !text.includes(`\`liaison ${name}\``)),
  )
  t.same(missing, [])
})

t.test('a command or option that does not exist is found', async (t) => {
  const markdown = [
    '`liaison feed tail`, `liaison feed follow`, `liaison frobnicate`',
    '```sh',
    'npx liaison --home ml submit report.json --topic X --wait received   # a comment',
    'npx liaison --hoem ml submit report.json',
    '$ liaison admin revoke 26 --pilot pilot --why "Laptop --stolen" --confirm=ML-26',
    'npx liaison admin revoke 26 --reason "x"',
    '```',
  ].join('\n')
  t.same(
    linesIn(markdown)
      .map(fault)
      .filter((one) => one !== null),
    [
      '--hoem ml submit report.json: no option --hoem',
      'admin revoke 26 --reason "x": no option --reason',
      'feed follow: no such command',
      'frobnicate: no such command',
    ],
  )
})
