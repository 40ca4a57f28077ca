import t from 'tap'
import { haKinds, singleKinds } from './run.ts'
import { type Planned, scheduleOf } from './schedule.ts'

/** The first of them, as text. */
const told = (planned: readonly Planned[]): string[] =>
  planned.slice(0, 60).map(({ kind, draw }) => `${kind.name} ${JSON.stringify(draw)}`)

t.test('a seed makes the same faults again, another one others', async (t) => {
  for (const lane of ['servers', 'clients'] as const) {
    const first = told(scheduleOf(7, lane, singleKinds))
    t.same(told(scheduleOf(7, lane, singleKinds)), first, lane)
    t.notSame(told(scheduleOf(8, lane, singleKinds)), first, lane)
  }
})

t.test('every round of a lane has each of its kinds once', async (t) => {
  for (const kinds of [singleKinds, haKinds]) {
    for (const lane of ['servers', 'clients'] as const) {
      const mine = kinds.filter((kind) => kind.lane === lane).map(({ name }) => name)
      const planned = scheduleOf(3, lane, kinds).map(({ kind }) => kind.name)
      for (const round of [0, 1, 2]) {
        const names = planned.slice(round * mine.length, (round + 1) * mine.length)
        t.same(names.sort(), [...mine].sort(), `${lane}, round ${round}`)
      }
    }
  }
})
