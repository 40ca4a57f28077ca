import { mock } from 'node:test'
import t from 'tap'
import { timeLimit } from '../../../cli/src/context.ts'

t.test('a time limit that was lifted never ends what has come about', (t) => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  const ending = new AbortController()
  const met = timeLimit(ending.signal, 30)
  const missed = timeLimit(ending.signal, 30)
  mock.timers.tick(29_000)
  t.notOk(missed.signal.aborted)
  met.lift()
  mock.timers.tick(60_000)
  t.ok(missed.signal.aborted, 'time is over')
  t.notOk(met.signal.aborted, 'it was lifted before')
  ending.abort()
  t.ok(met.signal.aborted, 'the end of the process still counts')
  t.end()
})
