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
  readonly flu: { readonly expected: number; readonly shown: number }
}

/** Counts what every device shows against what it has to show. */
export async function tally(
  devices: readonly DemoDevice[],
  accepted: readonly AcceptedReport[],
  isFlu: (device: number) => boolean,
): Promise<Tally> {
  let [expected, shown, duplicatesShown, undecryptable, gaps] = [0, 0, 0, 0, 0]
  const flu = { expected: 0, shown: 0 }
  for (const device of devices) {
    const own = await device.received()
    undecryptable += own.filter((d) => d.kind === 'undecryptable').length
    gaps += own.filter((d) => d.kind === 'gap').length
    const names = coresOf(own)
    duplicatesShown += names.length - new Set(names).size
    const wanted = accepted.filter((a) => a.readers.includes(device.number)).map((a) => a.core)
    const here = wanted.filter((core) => names.includes(core)).length
    expected += wanted.length
    shown += here
    if (isFlu(device.number)) {
      flu.expected += wanted.length
      flu.shown += here
    }
  }
  return { expected, shown, duplicatesShown, undecryptable, gaps, flu }
}

/** Core hashes of the reports in a list of deliveries. */
export const coresOf = (deliveries: readonly Delivery[]): string[] =>
  deliveries.flatMap((d) => (d.kind === 'report' ? [toHex(d.core)] : []))
