import { mock } from 'node:test'
import t from 'tap'
import { Output } from '../../../cli/src/output.ts'
import { Progress } from '../../../cli/src/progress.ts'

/** What is written to stderr. */
function recorded(options: { tty?: boolean; quiet?: boolean; dumb?: boolean } = {}) {
  const { tty = false, quiet = false, dumb = false } = options
  const written: string[] = []
  const stderr = {
    isTTY: tty,
    write: (text: string | Uint8Array) => written.push(String(text)) > 0,
  }
  const output = new Output({ stdout: stderr, stderr }, { json: false, quiet, colour: true, dumb })
  return { output, written }
}

const kilo = 1000

t.test('off a terminal there is a line for each ten per cent', (t) => {
  const { output, written } = recorded()
  {
    using progress = new Progress(output, 'sending')
    for (let sent = 0; sent <= 200; sent += 1) {
      progress.update('a', { sent: sent * kilo, total: 200 * kilo })
    }
  }
  const percents = [10, 20, 30, 40, 50, 60, 70, 80, 90]
  t.same(
    written,
    percents.map((percent) => `sending: ${percent} % of 200 kB\n`),
  )
  t.end()
})

t.test('what is over at once says nothing, nor does anything under --quiet', (t) => {
  for (const { output, written } of [
    recorded(),
    recorded({ quiet: true }),
    recorded({ quiet: true, tty: true }),
  ]) {
    using progress = new Progress(output, 'sending')
    const isQuiet = !output.redraws && written.length === 0
    progress.update('a', { sent: 0, total: kilo })
    progress.update('a', { sent: kilo, total: kilo })
    t.ok(isQuiet)
    t.same(written, [])
  }
  t.end()
})

t.test('off a terminal there is a line every half minute of waiting, and none afterwards', (t) => {
  mock.timers.enable({ apis: ['setInterval'] })
  t.teardown(() => mock.timers.reset())
  const { output, written } = recorded()
  {
    using progress = new Progress(output, 'sending')
    progress.update('a', { sent: 15 * kilo, total: 100 * kilo })
    mock.timers.tick(29_000)
    t.equal(written.length, 1)
    mock.timers.tick(31_000)
  }
  t.same(written, Array(3).fill('sending: 15 % of 100 kB\n'))
  mock.timers.tick(90_000)
  t.equal(written.length, 3)
  t.end()
})

t.test('on a terminal a bar is drawn over itself, and words take its place', (t) => {
  const { output, written } = recorded({ tty: true })
  {
    using progress = new Progress(output, 'sending', 4)
    progress.update('a', { sent: 10, total: 10 })
    progress.update('b', { sent: 0, total: 10 })
    output.say('sealed')
    progress.update('b', { sent: 10, total: 10 })
  }
  t.same(written, [
    '\r[######..................] sending: 25 % of 4 reports\u001B[K',
    '\r\u001B[K',
    'sealed\n',
    '\r[############............] sending: 50 % of 4 reports\u001B[K',
    '\r\u001B[K',
  ])
  const dumb = recorded({ tty: true, dumb: true })
  using progress = new Progress(dumb.output, 'sending')
  progress.update('a', { sent: 50, total: 100 })
  t.same(dumb.written, ['sending: 50 % of 1 kB\n'], 'a terminal without a cursor has lines')
  t.end()
})
