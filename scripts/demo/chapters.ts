import { ContentError } from '@liaison/client-sdk'
import { draftRevoke, draftSuspend } from '@liaison/client-sdk/admin'
import { epochMs, isRelayError, systemClock } from '@liaison/protocol'
import { type Cast, problemsOf } from './cast.ts'
import type { DemoDevice } from './devices.ts'
import { until } from './devices.ts'
import type { PlannedReport } from './reports.ts'
import { networkOf } from './stage.ts'
import { coresOf } from './tally.ts'
import { publishTampered } from './tamper.ts'

/** Kills the relay while reports are on their way and starts it again on the same data. */
export async function killInFlight(
  cast: Cast,
  batch: readonly PlannedReport[],
): Promise<{ readonly signal: string; readonly inFlight: number }> {
  const { relay, talk } = cast
  talk.chapter('The relay is killed in the middle (SIGKILL)')
  const devices = await Promise.all(batch.map((one) => cast.submit(one)))
  const inFlight = batch.filter((one, i) => {
    const state = devices[i]?.session?.outbox.get(one.report.meta.id)?.state
    return state === 'queued' || state === 'sealed'
  }).length
  await relay.kill()
  talk.line(`relay killed with ${inFlight} reports under way; nobody knows what it has kept`)
  await relay.start()
  talk.line('relay started again on the same data')
  await cast.administer()
  // Without this they come back by themselves, each at a random moment within the next minute.
  for (const device of cast.readers) device.session?.connectNow()
  for (const [i, one] of batch.entries()) {
    const device = devices[i]
    if (device !== undefined && device !== null) await cast.accept(device, one)
  }
  await cast.settle('the reports that were under way reach their readers')
  return { signal: 'SIGKILL', inFlight }
}

/** Breaks a reader's link off with a report half delivered. */
export async function breakLink(cast: Cast, one: PlannedReport): Promise<void> {
  const { talk } = cast
  talk.chapter('A satellite link breaks off in the middle of a delivery')
  const sender = cast.senderOf(one.member)
  const readers = cast.readers.filter(
    (d) => d.session !== null && d !== sender && d.example.demo === undefined,
  )
  const reader = readers.find((d) => cast.isFlu(d.number)) ?? readers[0]
  if (reader === undefined) throw new Error('nobody reads')
  await cast.settle('nothing else is on its way')
  reader.wire.breakOffAtNextReport()
  await cast.send(one)
  await until('the link breaks off', 20_000, () => reader.wire.broken === 1)
  await cast.settle('the report comes once more')
  talk.line(
    `${reader.name} lost its link, came back by itself and was given the report again: it shows it once`,
  )
}

/** What must be refused is offered, and the codes are noted. */
export async function offerBadInput(cast: Cast, planned: readonly PlannedReport[]): Promise<void> {
  cast.talk.chapter('What must be refused')
  const one = planned.find(
    (p) => p.report.meta.handling.tlp !== 'RED' && p.to === undefined && cast.senderOf(p.member),
  )
  const device = one === undefined ? null : cast.senderOf(one.member)
  if (one === undefined || device === null) throw new Error('no report for the whole of a topic')
  const broken = { ...one.report, title: '', unknownField: true }
  try {
    await device.session?.submit(broken, { topic: one.topic })
  } catch (error) {
    if (!(error instanceof ContentError)) throw error
    cast.refuse(`a report that breaks its schema (${problemsOf(error)})`, error.code)
  }
  const { stage, relay, directory } = cast
  const { url } = relay
  const network = networkOf(stage, url)
  const code = await publishTampered(
    { device, example: stage.example, network, directory, url },
    one,
  )
  cast.refuse('an envelope of which one bit was changed on the way', code)
}

/** What became of the lost device. */
export interface Revocation {
  readonly device: string
  /** From the administrator's signature to the relay's answer that it is in force, ms. */
  readonly ackMs: number
  /** Reports accepted after that. */
  readonly publishedAfterAck: number
  /** Reports on the device's wire, and on its screen, after that: the greater number. */
  readonly deliveredAfterAck: number
  readonly refusedAfterAck: boolean
}

/** One administrator suspends a device; the others go on; then two revoke it. */
export async function revoke(cast: Cast, rest: readonly PlannedReport[]): Promise<Revocation> {
  const [lost] = cast.playing('revoke')
  if (lost === undefined) throw new Error('no device plays the lost one')
  const { talk, administration } = cast
  talk.chapter(`The device ${lost.name} is reported stolen`)
  await cast.settle('all reports reach their readers')
  const statement = { dev: lost.number, why: 'reported stolen (demonstration)' }
  const began = performance.now()
  if (cast.sabotage !== 'late-delivery') {
    const draft = draftSuspend(cast.directory, statement, epochMs(systemClock()))
    await administration.append(draft, [4])
  }
  const ackMs = Math.round(performance.now() - began)
  const [wireBefore, shownBefore] = [lost.wire.reports, coresOf(lost.screen).length]
  talk.line(`one administrator suspended it: in force on the relay after ${ackMs} ms`)
  const acceptedBefore = cast.accepted.length
  for (const one of rest) await cast.send(one)
  await cast.settle('the reports after the suspension reach their readers')
  const publishedAfterAck = cast.accepted.length - acceptedBefore
  const deliveredAfterAck = Math.max(
    lost.wire.reports - wireBefore,
    coresOf(lost.screen).length - shownBefore,
  )
  const refusedAfterAck = await tryAgain(cast, lost)
  const revocation = draftRevoke(cast.directory, statement, epochMs(systemClock()))
  await administration.append(revocation, [1, 4])
  talk.line(
    `${publishedAfterAck} reports later it has received ${deliveredAfterAck} of them; two administrators revoked it for good`,
  )
  return {
    device: lost.example.id,
    ackMs,
    publishedAfterAck,
    deliveredAfterAck,
    refusedAfterAck,
  }
}

/** Whether the relay refuses the lost device when it comes back. */
async function tryAgain(cast: Cast, lost: DemoDevice): Promise<boolean> {
  await lost.offline()
  try {
    await cast.connect(lost)
    await lost.offline()
    return false
  } catch (error) {
    if (!isRelayError(error)) throw error
    cast.refuse('the stolen device, when it connects again', error.code)
    return error.code === 'device_inactive'
  }
}

/** Devices that were away come back and catch up. @returns how many showed everything. */
export async function comeBack(cast: Cast): Promise<number> {
  cast.talk.chapter('Those who were away come back')
  const away = cast.playing('offline')
  for (const device of away) await cast.connect(device)
  await cast.settle('the devices that were away have caught up')
  const complete = away.filter((device) => {
    const names = new Set(coresOf(device.screen))
    return cast.accepted.every((a) => !a.readers.includes(device.number) || names.has(a.core))
  })
  for (const device of complete) {
    cast.talk.line(`${device.name} has caught up: ${coresOf(device.screen).length} reports`)
  }
  return complete.length
}
