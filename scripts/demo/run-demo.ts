import { Cast } from './cast.ts'
import { breakLink, comeBack, killInFlight, offerBadInput, revoke } from './chapters.ts'
import { count, type DemoResult } from './count.ts'
import { leaveEvidence } from './evidence.ts'
import { RelayProcess } from './relay-process.ts'
import { type PlannedReport, readReports } from './reports.ts'
import { type Sabotage, spoil } from './sabotage.ts'
import { foundNetwork } from './stage.ts'
import type { DemoStore } from './store.ts'
import type { Talk } from './talk.ts'

/** Reports that must follow the suspension, so that its silence means something. */
const afterSuspension = 12

/** Reports that are under way together when the relay is killed. */
const inFlightWanted = 4

/** With fewer reports than this the story cannot be told; the bundled ones follow. */
const reportsMin = afterSuspension + inFlightWanted + 4

/** What the demonstration is told. */
export interface DemoOptions {
  /** Folder for everything that it writes; the caller removes it. */
  readonly folder: string
  /** A store that is there already; null: the embedded one, in the folder. */
  readonly redis: DemoStore | null
  /** Folder of reports to send. */
  readonly reports: string
  /** Reports that follow when there are too few. */
  readonly bundled: string
  readonly evidence: string | null
  readonly talk: Talk
  /** Called at the end with the relay running again; the relay stops when it resolves. */
  readonly keep: ((addresses: KeptRelay) => Promise<void>) | null
  readonly sabotage: Sabotage | null
}

/** Where a relay that was left running is. */
export interface KeptRelay {
  readonly url: string
  readonly operatorUrl: string
  readonly networkFile: string
}

/** Runs the whole demonstration. */
export async function runDemo(options: DemoOptions): Promise<DemoResult> {
  const { talk } = options
  talk.chapter('The network is founded')
  const stage = await foundNetwork(options.folder, options.redis)
  const { store, net } = stage
  const { network, keys, log } = stage.files
  const relay = new RelayProcess({ ...store.relayOptions, network, keys, logLevel: 'info' }, log)
  const cast = new Cast(stage, relay, talk, options.sabotage)
  try {
    await relay.start()
    talk.line(`relay listens on ${relay.url}, its data are in ${store.place}`)
    await cast.enrolAll()
    const planned = await plan(cast, options)
    await cast.connectAll()
    spoil(options.sabotage, cast.readers, cast.isFlu)
    const result = await play(cast, planned)
    if (options.evidence !== null) await leaveEvidence(options.evidence, cast, result)
    if (options.keep !== null) {
      await relay.start()
      const { url, operatorUrl } = relay
      await options.keep({ url, operatorUrl, networkFile: network })
    }
    return result
  } finally {
    await cast.leave()
    await relay.end()
    await store.remove(net)
  }
}

/** The story, chapter by chapter. */
async function play(cast: Cast, planned: readonly PlannedReport[]): Promise<DemoResult> {
  const before = planned.length - afterSuspension
  const half = Math.floor((before - inFlightWanted) / 2)
  const killed = half + inFlightWanted
  cast.talk.chapter('Reports are sent')
  for (const one of planned.slice(0, half)) await cast.send(one)
  const restarts = await killInFlight(cast, planned.slice(half, killed))
  const broken = planned.slice(killed, before).find((one) => one.to === undefined)
  if (broken !== undefined) await breakLink(cast, broken)
  cast.talk.chapter('More reports')
  for (const one of planned.slice(killed, before)) if (one !== broken) await cast.send(one)
  await offerBadInput(cast, planned)
  const revocation = await revoke(cast, planned.slice(before))
  const caughtUp = await comeBack(cast)
  return count(cast, planned, { restarts, revocation, caughtUp })
}

/** The reports to send, and where each goes. */
async function plan(cast: Cast, options: DemoOptions): Promise<PlannedReport[]> {
  const own = await readReports(options.reports, cast)
  if (own.length >= reportsMin) return own
  cast.talk.line(
    `${own.length} reports are too few for the whole story (${reportsMin}); the bundled ones follow`,
  )
  const ids = new Set(own.map(({ report }) => report.meta.id))
  const more = await readReports(options.bundled, cast)
  return [...own, ...more.filter(({ report }) => !ids.has(report.meta.id))]
}
