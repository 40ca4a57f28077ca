import type { ReportDelivery } from '@liaison/client-sdk'
import { reportNames } from '@liaison/schemas/reports'
import type { Context, Options } from './context.ts'
import { openSession } from './device-access.ts'
import { Interrupted, usage } from './failure.ts'

/** Which reports of this device are wanted. */
export interface ReportQuery {
  readonly topics: readonly string[]
  readonly type: string | undefined
  /** Issued at or after this, ms. */
  readonly since: number
}

/** A type that exists: a slip would otherwise look as if there were nothing. @throws RelayError `usage_invalid` */
export function knownType(type: string, option: string): string {
  if (reportNames.some((name) => name === type)) return type
  throw usage(`--${option} is one of ${reportNames.join(', ')}.`, option)
}

/** Reads the options that choose reports. */
export function reportQueryOf(topics: readonly string[], options: Options): ReportQuery {
  const text = options.text('since')
  const since = text === undefined ? Number.NEGATIVE_INFINITY : Date.parse(text)
  if (Number.isNaN(since)) throw usage('--since is a date such as 2013-03-17.', 'since')
  const type = options.text('type')
  return { topics, type: type === undefined ? undefined : knownType(type, 'type'), since }
}

/** Reports that this device has received, oldest first; nothing is fetched. */
export async function localReports(
  context: Context,
  query: ReportQuery,
): Promise<readonly ReportDelivery[]> {
  await using opened = await openSession(context, {
    relay: undefined,
    waitSeconds: 0,
    offline: true,
    silent: true,
  })
  const { topics, type, since } = query
  const found: ReportDelivery[] = []
  for await (const delivery of opened.session.history(topics.length === 0 ? {} : { topics })) {
    if (context.signal.aborted) throw new Interrupted()
    if (delivery.kind !== 'report') continue
    const { report, schema } = delivery
    if (type !== undefined && schema !== type) continue
    if (Date.parse(report.meta.issued) < since) continue
    found.push(delivery)
  }
  return found
}
