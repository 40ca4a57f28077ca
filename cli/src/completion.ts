import type { Command } from 'commander'
import { type Process, runs } from './context.ts'
import { usage } from './failure.ts'

/** Adds `liaison completion`. */
export function addCompletion(program: Command, from: Process): void {
  const completion = program
    .command('completion')
    .description('a script that completes commands and options in a shell')
    .argument('<shell>', 'bash, zsh or fish')
    .addHelpText(
      'after',
      '\nExample:\n  $ liaison completion bash > ~/.local/share/bash-completion/completions/liaison\n',
    )
  runs(completion, from, async ({ out }, [shell = '']) => {
    const script = scriptFor(shell, wordsOf(program))
    if (script === null) throw usage('The shell is bash, zsh or fish.', 'shell')
    out.raw(script)
  })
}

/** What may follow each command, by the command's words: `outbox` to `list show ...`. */
type Words = ReadonlyMap<string, readonly string[]>

function wordsOf(program: Command): Words {
  const words = new Map<string, readonly string[]>()
  const visit = (command: Command, path: readonly string[]): void => {
    const flags = command.options.flatMap(({ long }) => long ?? [])
    const children = command.commands.map((child) => child.name())
    words.set(path.join(' '), [...children, ...flags, '--help'])
    for (const child of command.commands) visit(child, [...path, child.name()])
  }
  visit(program, [])
  return words
}

function scriptFor(shell: string, words: Words): string | null {
  switch (shell) {
    case 'bash':
      return bash(words)
    case 'zsh':
      return `#compdef liaison\nautoload -U +X bashcompinit && bashcompinit\n${bash(words)}`
    case 'fish':
      return fish(words)
    default:
      return null
  }
}

/** One function: it walks along the words that are commands and offers what may follow. */
function bash(words: Words): string {
  const cases = [...words].map(([path, next]) => `    '${path}') words='${next.join(' ')}' ;;`)
  const known = [...words.keys()].filter((path) => path !== '').map((path) => `'${path}'`)
  return `_liaison() {
  local path= word words=
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "\${path:+$path }$word" in
      ${known.join('|')}) path="\${path:+$path }$word" ;;
    esac
  done
  case "$path" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
  [ \${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -F _liaison liaison
`
}

function fish(words: Words): string {
  const lines = [...words].flatMap(([path, next]) => {
    const condition =
      path === ''
        ? '__fish_use_subcommand'
        : path
            .split(' ')
            .map((word) => `__fish_seen_subcommand_from ${word}`)
            .join('; and ')
    return next.map((word) =>
      word.startsWith('--')
        ? `complete -c liaison -n '${condition}' -l ${word.slice(2)}`
        : `complete -c liaison -f -n '${condition}' -a ${word}`,
    )
  })
  return `${lines.join('\n')}\n`
}
