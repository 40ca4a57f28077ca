import t from 'tap'
import { Pause } from '../../../../client-sdk/src/session/pause.ts'

/** Much longer than the test may take: a pause that ends did so because it was told to. */
const forever = 10 * 60_000

t.test('a pause ends by itself', async (t) => {
  const began = performance.now()
  await new Pause(20, new AbortController().signal).over
  t.ok(performance.now() - began >= 19, 'not before its time')
})

t.test('a pause is ended, shortened or aborted', async (t) => {
  const began = performance.now()
  const { signal } = new AbortController()
  const ended = new Pause(forever, signal)
  ended.end()
  await ended.over
  const shortened = new Pause(forever, signal)
  shortened.shorten(2 * forever)
  shortened.shorten(5)
  await shortened.over
  const abort = new AbortController()
  const aborted = new Pause(forever, abort.signal)
  abort.abort()
  await aborted.over
  await new Pause(forever, abort.signal).over
  t.ok(performance.now() - began < forever, 'none of them lasted its whole time')
})
