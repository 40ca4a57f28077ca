import type { OutboxItem } from '@liaison/client-sdk'
import {
  type Directory,
  handlingCodes,
  isRelayError,
  precedences,
  RelayError,
  textOf,
  toHex,
} from '@liaison/protocol'
import type { Command } from 'commander'
import { type Context, type Options, type Process, runs, within } from './context.ts'
import { goOnline, openSession, settled } from './device-access.ts'
import { SilentExit } from './failure.ts'
import { columns, counted, type JsonObject, moment } from './output.ts'
import { Progress } from './progress.ts'

/** Adds `liaison outbox`. */
export function addOutbox(program: Command, from: Process): void {
  const outbox = program.command('outbox').description('reports on their way out')
  const list = outbox
    .command('list')
    .description('everything that was submitted from this device')
    .option('--waiting', 'only what is not with the relay yet')
    .addHelpText('after', '\nExample:\n  $ liaison outbox list --waiting\n')
  runs(list, from, listItems)
  const show = outbox
    .command('show')
    .description('one report, and who has received and read it by now')
    .argument('<id>', 'id of the report, or its beginning')
    .option('--offline', 'as of the last connection')
    .option('--relay <url>', 'another relay than that of the network file')
    .addHelpText('after', '\nExample:\n  $ liaison outbox show 013ed1b0\n')
  runs(show, from, showItem)
  const retry = outbox
    .command('retry')
    .description('put a refused report back into the queue')
    .argument('<id>', 'id of the report, or its beginning')
    .addHelpText('after', '\nExample:\n  $ liaison outbox retry 013ed1b0\n')
  runs(retry, from, retryItem)
  const cancel = outbox
    .command('cancel')
    .description('take out a report that was not sent')
    .argument('<id>', 'id of the report, or its beginning')
    .addHelpText('after', '\nExample:\n  $ liaison outbox cancel 013ed1b0\n')
  runs(cancel, from, cancelItem)
  const flush = outbox
    .command('flush')
    .description('connect and send what waits')
    .option('--timeout <seconds>', 'longest wait', '60')
    .option('--relay <url>', 'another relay than that of the network file')
    .addHelpText('after', '\nExample:\n  $ liaison outbox flush\n')
  runs(flush, from, flushItems)
}

const quietly = { offline: true, waitSeconds: 0, follow: [] } as const
const isWaiting = (item: OutboxItem): boolean => item.state === 'queued' || item.state === 'sealed'

/** An item as JSON. */
const itemObject = (item: OutboxItem, directory: Directory): JsonObject => {
  const topic = directory.topic(item.topic)
  return {
    id: item.id,
    schema: item.schema,
    topic: topic?.name ?? String(item.topic),
    status: topic?.status ?? null,
    handling: handlingCodes[item.hc] ?? null,
    precedence: precedences[item.pr] ?? null,
    to: item.to?.map((num) => directory.member(num)?.code ?? String(num)) ?? null,
    state: item.state,
    code: item.code,
    submitted: new Date(item.created).toISOString(),
    core: item.sealed === null ? null : toHex(item.sealed.core),
  }
}

async function listItems(
  context: Context,
  _args: readonly string[],
  options: Options,
): Promise<void> {
  await using opened = await openSession(context, quietly)
  const { session } = opened
  const items = session.outbox.list().filter((item) => !options.flag('waiting') || isWaiting(item))
  const { out } = context
  if (out.json) {
    for (const item of items) out.data(itemObject(item, session.directory), () => [])
    return
  }
  const lines = columns(
    items.map((item) => {
      const topic = session.directory.topic(item.topic)
      return [
        item.id,
        item.state + (item.code === null ? '' : ` (${item.code})`),
        item.schema,
        `${topic?.name ?? item.topic} (${topic?.status ?? '?'})`,
        moment(item.created),
      ]
    }),
  )
  for (const line of lines) out.data({}, () => [line])
  if (items.length === 0) out.say('Nothing is in the outbox.')
}

/** The item with this id, or the only one whose id begins so. */
function findItem(items: readonly OutboxItem[], id: string): OutboxItem {
  const found = items.filter((item) => item.id === id || item.id.startsWith(id))
  const [only] = found
  if (only === undefined || id === '') throw new RelayError('item_unknown', { field: id })
  if (found.length > 1) {
    throw new RelayError('item_unknown', { field: id, detail: `${found.length} ids begin so.` })
  }
  return only
}

async function showItem(
  context: Context,
  [id = '']: readonly string[],
  options: Options,
): Promise<void> {
  const offline = options.flag('offline')
  await using opened = await openSession(context, {
    relay: options.text('relay'),
    waitSeconds: offline ? 0 : 5,
    offline,
    follow: [],
  })
  const { session, online } = opened
  findItem(session.outbox.list(), id)
  // Readers' receipts may have come to the relay since.
  if (online) await settled(context, session, 5)
  const item = findItem(session.outbox.list(), id)
  const receipts = [...(await session.submission(item.id).receipts()).values()]
  const object = itemObject(item, session.directory)
  const report: unknown = JSON.parse(textOf(item.body))
  context.out.data({ ...object, receipts, report }, () => [
    ...Object.entries(object).map(([key, value]) => `${key.padEnd(10)} ${value ?? '-'}`),
    ...receipts.map(({ device, read, code, t }) => {
      const member = session.directory.member(session.directory.device(device)?.mem ?? -1)?.code
      const word = code === null ? (read ? 'read' : 'received') : `could not open it (${code})`
      return `device ${device} of ${member ?? '?'}: ${word}, ${moment(t)}`
    }),
  ])
}

async function retryItem(context: Context, [id = '']: readonly string[]): Promise<void> {
  await using opened = await openSession(context, quietly)
  const { session } = opened
  const item = findItem(session.outbox.list(), id)
  await session.outbox.retry(item.id)
  context.out.data({ id: item.id, state: 'queued' }, () => [`queued  ${item.id}`])
  context.out.say(`Next: ${context.next('outbox flush')}`)
}

async function cancelItem(context: Context, [id = '']: readonly string[]): Promise<void> {
  await using opened = await openSession(context, quietly)
  const { session } = opened
  const item = findItem(session.outbox.list(), id)
  await session.outbox.cancel(item.id)
  context.out.data({ id: item.id, state: 'cancelled' }, () => [`cancelled  ${item.id}`])
}

async function flushItems(
  context: Context,
  _args: readonly string[],
  options: Options,
): Promise<void> {
  const seconds = options.whole('timeout', { min: 1, max: 86_400 }) ?? 60
  await using opened = await openSession(context, {
    relay: options.text('relay'),
    waitSeconds: 0,
    follow: [],
  })
  const { session } = opened
  const before = session.outbox
    .list()
    .filter(isWaiting)
    .map((item) => item.id)
  using progress = new Progress(context.out, 'sending', before.length)
  // Watched from before the relay is there, so that nothing leaves unseen.
  const stop = new AbortController()
  const flushed = session.outbox
    .flush({
      signal: AbortSignal.any([within(context, seconds), stop.signal]),
      onProgress: (id, sent) => progress.update(id, sent),
    })
    .catch((error: unknown) => {
      if (!isRelayError(error) || error.code !== 'timeout') throw error
    })
  // Heard below; it may fail while the relay is still awaited.
  flushed.catch(() => undefined)
  try {
    if (!(await goOnline(context, session, Math.min(30, seconds)))) throw new RelayError('offline')
  } catch (error) {
    stop.abort()
    throw error
  }
  await flushed
  const after = before.flatMap((id) => session.outbox.get(id) ?? [])
  const left = after.filter(isWaiting)
  const refused = after.filter((item) => item.state === 'refused')
  const sent = after.length - left.length - refused.length
  context.out.data(
    {
      sent,
      waiting: left.length,
      refused: refused.map((item) => ({ id: item.id, code: item.code })),
    },
    () => [
      `${counted(sent, 'report')} sent, ${left.length} waiting, ${refused.length} refused`,
      ...refused.map((item) => `  ${item.id} refused: ${item.code}`),
    ],
  )
  const [first] = refused
  if (first?.code != null) throw new RelayError(first.code, { field: first.id })
  if (left.length > 0) throw new SilentExit(8)
}
