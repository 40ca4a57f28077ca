import { limits } from '@liaison/protocol'
import t from 'tap'
import { OwedCredit } from '../../../../client-sdk/src/session/owed-credit.ts'

t.test('a single frame is given back at once', async (t) => {
  const owed = new OwedCredit()
  owed.arrived()
  t.same(owed.taken(100), { frames: 1, bytes: 100 })
})

t.test('frames that wait together go back together, and all of them do', async (t) => {
  const owed = new OwedCredit()
  for (let i = 0; i < limits.creditFramesStart; i++) owed.arrived()
  const grants = Array.from({ length: limits.creditFramesStart }, () => owed.taken(10))
  const half = limits.creditFramesStart / 2
  t.same(
    grants.filter((grant) => grant !== null),
    [
      { frames: half, bytes: 10 * half },
      { frames: half, bytes: 10 * half },
    ],
  )
})

t.test('half of the bytes is enough, so that a large item never stops the flow', async (t) => {
  const owed = new OwedCredit()
  owed.arrived()
  owed.arrived()
  t.same(owed.taken(limits.creditBytesStart / 2), {
    frames: 1,
    bytes: limits.creditBytesStart / 2,
  })
})
