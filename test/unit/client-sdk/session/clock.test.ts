import { Directory, epochMs, limits, sodiumReady, weekMs } from '@liaison/protocol'
import t from 'tap'
import { ProvenClock } from '../../../../client-sdk/src/session/clock.ts'
import { makeNetwork } from '../../../support/network.ts'

await sodiumReady()

t.test(
  'an entry from the future makes the clock doubtful, so that nothing is sealed by it',
  (t) => {
    const network = makeNetwork()
    const now = network.now
    const replayed = Directory.replay(network.entries())
    if (!replayed.ok) throw new Error(replayed.error.code)
    const directory = replayed.value
    const clock = new ProvenClock(() => now, directory)
    clock.heardRelay(now)
    t.equal(clock.skewMs, null)
    const thief = network.deviceOf('NE')
    const entry = network.signEpoch(
      thief,
      { dev: thief.num, wk: 50, kids: network.kids(thief.label, 50, 4) },
      { t: now + 50 * weekMs },
    )
    t.ok(
      directory.append(entry, null).ok,
      'whoever replays cannot refuse it: its own clock may be wrong',
    )
    t.equal(clock.now(), now + 50 * weekMs, 'proven time never goes back')
    t.equal(clock.skewMs, 50 * weekMs, '... but is too far away to publish')
    clock.heardRelay(epochMs(now + limits.clockAheadMsMax + 1))
    t.equal(clock.skewMs, limits.clockAheadMsMax + 1, "the relay's clock is named first")
    t.end()
  },
)
