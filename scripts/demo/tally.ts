import type { Delivery } from '@liaison/client-sdk'
import { type Directory, decodeCtx, decodeReceipt, epochMs, toHex } from '@liaison/protocol'
import type { DemoDevice } from './devices.ts'
import type { PlannedReport } from './reports.ts'

/** A report that the relay accepted, with what an outsider needs to count its readers. */
export interface AcceptedReport {
  readonly planned: PlannedReport
  readonly core: string
  /** Device that sent it. */
  readonly sender: number
  /** Devices that must receive it, the sender's own not counted. */
  readonly readers: readonly number[]
  readonly acceptedAt: number
}

/** Finds out who has to receive an accepted report, from its signed header and the directory alone. */
export function acceptedOf(
  device: DemoDevice,
  planned: PlannedReport,
  directory: Directory,
): AcceptedReport {
  const item = device.session?.outbox.get(planned.report.meta.id)
  if (item?.sealed == null || item.receipt === null)
    throw new Error(`${planned.file} was not accepted`)
  const ctx = decodeCtx(item.sealed.envelope.ctx)
  const receipt = decodeReceipt(item.receipt.bytes)
  if (!ctx.ok || !receipt.ok) throw new Error('a stored header does not decode')
  const { top, hc, to, t, dir, from } = ctx.value
  const mode = to === undefined ? 0 : 1
  const query = {
    topic: top,
    hc,
    mode,
    t: epochMs(t),
    ...(to === undefined ? {} : { to }),
  } as const
  const audience = directory.audience(query, dir[0])
  if (!audience.ok) throw new Error(audience.error)
  return {
    planned,
    core: toHex(item.sealed.core),
    sender: from,
    readers: audience.value.recipients.map((r) => r.dev).filter((dev) => dev !== from),
    acceptedAt: receipt.value.t,
  }
}

/** Figures of all deliveries. */
export interface Tally {
  readonly expected: number
  readonly shown: number
  readonly duplicatesShown: number
  readonly undecryptable: number
  readonly gaps: number
  /** Items that came over a wire a second time. */
  readonly redelivered: number
  readonly flu: { readonly expected: number; readonly shown: number }
}

/** Counts what every screen showed against what it had to show: the report itself, word for word. */
export function tally(
  devices: readonly DemoDevice[],
  accepted: readonly AcceptedReport[],
  isFlu: (device: number) => boolean,
): Tally {
  let [expected, shown, duplicatesShown, undecryptable, gaps, redelivered] = [0, 0, 0, 0, 0, 0]
  const flu = { expected: 0, shown: 0 }
  for (const { screen, number, wire } of devices) {
    undecryptable += screen.filter((d) => d.kind === 'undecryptable').length
    gaps += screen.filter((d) => d.kind === 'gap').length
    redelivered += wire.redelivered
    const cores = coresOf(screen)
    duplicatesShown += cores.length - new Set(cores).size
    const texts = textsOf(screen)
    const wanted = accepted.filter((a) => a.readers.includes(number))
    const here = wanted.filter((a) => texts.get(a.core) === JSON.stringify(a.planned.report)).length
    expected += wanted.length
    shown += here
    if (isFlu(number)) {
      flu.expected += wanted.length
      flu.shown += here
    }
  }
  return { expected, shown, duplicatesShown, undecryptable, gaps, redelivered, flu }
}

/** Core hashes of the reports in a list of deliveries. */
export const coresOf = (deliveries: readonly Delivery[]): string[] =>
  deliveries.flatMap((d) => (d.kind === 'report' ? [toHex(d.core)] : []))

/** Each report's text by core hash. */
const textsOf = (deliveries: readonly Delivery[]): ReadonlyMap<string, string> =>
  new Map(
    deliveries.flatMap((d) =>
      d.kind === 'report' ? [[toHex(d.core), JSON.stringify(d.report)] as const] : [],
    ),
  )
