import { ContentError } from '@liaison/client-sdk'
import { RelayError } from '@liaison/protocol'
import t from 'tap'
import { describeFailure, Interrupted } from '../../../cli/src/failure.ts'
import { clean, columns, counted, moment, Output, wrapped } from '../../../cli/src/output.ts'

/** An output that keeps what is written. */
function recorded(options: { json?: boolean; quiet?: boolean; colour?: boolean; tty?: boolean }) {
  const { json = false, quiet = false, colour = true, tty = false } = options
  const [out, err]: [string[], string[]] = [[], []]
  const stream = (lines: string[]) => ({
    isTTY: tty,
    write: (text: string | Uint8Array) => lines.push(String(text)) > 0,
  })
  const streams = { stdout: stream(out), stderr: stream(err) }
  return { output: new Output(streams, { json, quiet, colour }), out, err }
}

t.test('text of others cannot steer a terminal', async (t) => {
  t.equal(clean('a\u001B[2Jb\nc\u202Ed'), 'a\\u{1b}[2Jb\\u{a}c\\u{202e}d')
  t.equal(clean('هجوم في تمبكتو'), 'هجوم في تمبكتو', 'Arabic stays as it is')
  t.equal(clean('می\u200Cخواهم'), 'می\u200Cخواهم', 'and what joins or parts its letters')
  t.equal(
    clean('a\u200Bb\uFEFFc\u{E0041}d\u2060e\u061Cf\u3164g \u200D'),
    'a\\u{200b}b\\u{feff}c\\u{e0041}d\\u{2060}e\\u{61c}f\\u{3164}g \\u{200d}',
    'what nobody sees is shown',
  )
})

t.test('data, words and colours go where they belong', async (t) => {
  const person = recorded({ tty: true })
  person.output.data({ a: 1 }, () => ['one', 'two'])
  person.output.say('next')
  t.same([person.out, person.err], [['one\n', 'two\n'], ['next\n']])
  t.equal(person.output.paint('red', 'x'), '\u001B[31mx\u001B[0m')
  t.equal(recorded({ tty: true, colour: false }).output.paint('red', 'x'), 'x')
  t.equal(recorded({ tty: false }).output.paintError('red', 'x'), 'x')
  const program = recorded({ json: true, quiet: true })
  program.output.data({ a: 1 }, () => ['one'])
  program.output.say('next')
  program.output.warn('take care')
  t.same([program.out, program.err], [['{"schemaVersion":1,"a":1}\n'], ['take care\n']])
})

t.test('rows, moments, counts and lines', async (t) => {
  t.same(
    columns([
      ['a', 'bb', ''],
      ['ccc', 'd', 'e'],
    ]),
    ['a    bb', 'ccc  d   e'],
  )
  t.equal(moment(Date.UTC(2026, 10, 25, 1, 2, 3)), '2026-11-25 01:02Z')
  t.same([counted(1, 'device'), counted(2, 'entry', 'entries')], ['1 device', '2 entries'])
  t.same(wrapped('one two three four', 9), ['one two', 'three', 'four'])
  t.same(wrapped('indivisible', 4), ['indivisible'])
})

t.test('a failure says what, where, what to do, and the code', async (t) => {
  const failure = describeFailure(new RelayError('file_exists', { field: 'a\u0007.json' }))
  t.same(failure.lines, [
    'liaison: A file with this name is there already, and it is not replaced. (a\\u{7}.json)',
    '  What to do: Choose another name, or move the old file away.',
    '  Code: file_exists (exit 2)',
  ])
  t.match(failure.object, { schemaVersion: 1, error: { code: 'file_exists', exit: 2 } })
  const content = describeFailure(
    new ContentError([
      { pointer: '/size', code: 'max', messageKey: 'schema.max', params: { limit: 9 } },
    ]),
  )
  t.match(content.lines, ['liaison: ', '  /size: is above the greatest value (limit 9) [max]'])
  t.equal(content.exit, 6)
  const unknown = describeFailure(new Error('secret in a message'))
  t.equal(unknown.exit, 1)
  t.notMatch(unknown.lines.join('\n'), /secret/)
  t.equal(describeFailure(new Interrupted()).exit, 1, 'main gives it the code of its signal')
})
