import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { canariesOf, filesIn, scan } from './canaries.ts'
import type { Cast } from './cast.ts'
import type { Revocation } from './chapters.ts'
import type { PlannedReport } from './reports.ts'
import { leak } from './sabotage.ts'
import { tally } from './tally.ts'

/** Codes of what the story itself offers to be refused. */
const refusedInTheStory = ['content_invalid', 'payload_mismatch', 'device_inactive']

/** What the demonstration found; every figure is counted. */
export interface DemoResult {
  readonly ok: boolean
  readonly [figure: string]: unknown
}

/** What the chapters found. */
export interface Chapters {
  readonly restarts: { readonly signal: string; readonly inFlight: number }
  readonly revocation: Revocation
  readonly caughtUp: number
}

/** Counts everything, stops the relay and looks through what it wrote. */
export async function count(
  cast: Cast,
  planned: readonly PlannedReport[],
  { restarts, revocation, caughtUp }: Chapters,
): Promise<DemoResult> {
  const { talk } = cast
  talk.chapter('Everything is counted')
  const members = cast.directory.members().length
  const devices = cast.readers
  const figures = tally(devices, cast.accepted, cast.isFlu)
  const { flu, ...deliveries } = figures
  const bytes = devices.reduce(
    (sum, { bytes: { sent, received } }) => ({
      published: sum.published + sent,
      delivered: sum.delivered + received,
    }),
    { published: 0, delivered: 0 },
  )
  await cast.leave()
  await cast.relay.stop()
  const plaintext = await searchRelay(cast, planned)
  const byType: Record<string, number> = {}
  for (const { planned: one } of cast.accepted) {
    byType[one.report.type] = (byType[one.report.type] ?? 0) + 1
  }
  const reports = { submitted: cast.submitted, accepted: cast.accepted.length, byType }
  const codes = cast.refusals.map(({ code }) => code)
  const ok =
    reports.accepted === reports.submitted &&
    deliveries.expected > 0 &&
    deliveries.shown === deliveries.expected &&
    deliveries.duplicatesShown === 0 &&
    deliveries.undecryptable === 0 &&
    deliveries.gaps === 0 &&
    deliveries.redelivered >= 1 &&
    flu.shown === flu.expected &&
    restarts.inFlight >= 1 &&
    caughtUp >= 2 &&
    revocation.publishedAfterAck >= 10 &&
    revocation.deliveredAfterAck === 0 &&
    revocation.refusedAfterAck &&
    plaintext.hits === 0 &&
    plaintext.positiveControl &&
    refusedInTheStory.every((code) => codes.includes(code))
  talk.line(
    `${deliveries.shown} of ${deliveries.expected} deliveries shown word for word, ${deliveries.duplicatesShown} twice, ${deliveries.undecryptable} unreadable, ${deliveries.gaps} gaps`,
  )
  talk.line(`the FLU shows ${flu.shown} of ${flu.expected}`)
  talk.line(
    `${plaintext.canaries} sentences of the reports looked for in ${plaintext.bytesScanned} bytes of the relay: found ${plaintext.hits}`,
  )
  return {
    ok,
    store: cast.stage.store.kind,
    members,
    devices: cast.devices.size,
    reports,
    deliveries,
    flu,
    caughtUp,
    restarts,
    revocation,
    rejected: cast.refusals,
    plaintextOnRelay: plaintext.hits,
    plaintext: {
      canaries: plaintext.canaries,
      bytesScanned: plaintext.bytesScanned,
      positiveControl: plaintext.positiveControl,
    },
    bytes,
    ms: talk.ms,
  }
}

/** Looks for the reports' own sentences in everything the relay wrote, and proves that it would find one. */
async function searchRelay(
  { stage: { files, store, net }, sabotage }: Cast,
  planned: readonly PlannedReport[],
): Promise<{ hits: number; canaries: number; bytesScanned: number; positiveControl: boolean }> {
  const canaries = canariesOf(planned.map((one) => one.report))
  const [first] = planned
  if (first === undefined) throw new Error('there are no reports')
  await store.gather(net, files.data)
  if (sabotage === 'plaintext') await leak(files.data, first.report)
  const found = await scan([...(await filesIn(files.data)), files.log], canaries)
  const control = join(files.folder, 'control.bin')
  await writeFile(control, Buffer.from(JSON.stringify(first.report)).toString('base64'))
  const positive = await scan([control], canaries)
  return { ...found, canaries: canaries.length, positiveControl: positive.hits > 0 }
}
