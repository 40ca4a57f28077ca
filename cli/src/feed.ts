import type { Delivery, Session } from '@liaison/client-sdk'
import { RelayError, toHex } from '@liaison/protocol'
import type { Command } from 'commander'
import { type Context, type Options, type Process, runs } from './context.ts'
import { deliveryLines, deliveryObject } from './delivery-view.ts'
import { openSession, settled } from './device-access.ts'
import { Interrupted, SilentExit, usage } from './failure.ts'

/** Adds `liaison feed` and `liaison get`. */
export function addFeed(program: Command, from: Process): void {
  const feed = program.command('feed').description('what reached this device')
  const common = (command: Command): Command =>
    command
      .argument('[topic...]', 'names of topics; all that this device may read when absent')
      .option('--from <place>', 'all, new, or the cursor of an earlier item (not included)')
      .option('--limit <n>', 'at most so many items')
      .option('--relay <url>', 'another relay than that of the network file')
  const list = common(
    feed.command('list').description('fetch what is new, then show everything, oldest first'),
  )
    .option('--offline', 'do not connect')
    .option('--timeout <seconds>', 'longest wait for the relay', '20')
    .addHelpText('after', '\nExample:\n  $ liaison feed list terrorism --limit 20\n')
  runs(list, from, listFeed)
  const tail = common(feed.command('tail').description('show items as they arrive, until Ctrl-C'))
  tail.addHelpText('after', '\nExample:\n  $ liaison feed tail --json | jq .report.title\n')
  runs(tail, from, tailFeed)
  const get = program
    .command('get')
    .description('one report in full')
    .argument('<id>', 'id of the report, or the beginning of its core hash')
    .option('--read', 'tell the sender that a person has read it')
    .option('--offline', 'do not connect')
    .option('--relay <url>', 'another relay than that of the network file')
    .addHelpText(
      'after',
      '\nExample:\n  $ liaison get 013ed1b0-6b00-7152-a14f-d269f0532f68 --read\n',
    )
  runs(get, from, getReport)
}

interface Place {
  readonly topics: readonly string[]
  readonly from: string | undefined
  readonly limit: number
}

function placeOf(topics: readonly string[], options: Options): Place {
  const from = options.text('from')
  if (from !== undefined && !/^(all|new|\d{1,15})$/.test(from)) {
    throw usage('--from is all, new, or the cursor of an item.', 'from')
  }
  const limit = options.whole('limit', { min: 1, max: 1_000_000 })
  return { topics, from, limit: limit ?? Number.POSITIVE_INFINITY }
}

function show(context: Context, session: Session, delivery: Delivery): void {
  context.out.data(deliveryObject(delivery), () =>
    deliveryLines(delivery, session.directory, context.out),
  )
}

async function listFeed(
  context: Context,
  topics: readonly string[],
  options: Options,
): Promise<void> {
  const place = placeOf(topics, options)
  const offline = options.flag('offline')
  const seconds = options.whole('timeout', { min: 1, max: 3600 }) ?? 20
  await using opened = await openSession(context, {
    relay: options.text('relay'),
    waitSeconds: offline ? 0 : seconds,
    offline,
  })
  const { session, online } = opened
  const before = place.from === 'new' ? await newestOf(session) : undefined
  if (online) await settled(context, session, seconds)
  const after = place.from === 'all' ? undefined : (before ?? place.from)
  const query = {
    ...(topics.length === 0 ? {} : { topics }),
    after: after ?? '0',
    ...(Number.isFinite(place.limit) ? { limit: place.limit } : {}),
  }
  let count = 0
  for await (const delivery of session.history(query)) {
    if (context.signal.aborted) throw new Interrupted()
    show(context, session, delivery)
    count++
  }
  if (count === 0) context.out.say('Nothing has arrived.')
  if (online || offline) return
  context.out.warn(
    'liaison: the relay was not reached; this is what the device had (offline, exit 7).',
  )
  throw new SilentExit(7)
}

/** Cursor of the newest item that the device has. */
async function newestOf(session: Session): Promise<string | undefined> {
  for await (const { cursor } of session.history({ limit: 1 })) return cursor
  return undefined
}

async function tailFeed(
  context: Context,
  topics: readonly string[],
  options: Options,
): Promise<void> {
  const place = placeOf(topics, options)
  await using opened = await openSession(context, { relay: options.text('relay'), waitSeconds: 0 })
  const { session } = opened
  session.on('state', (state) => context.out.say(`link: ${state}`), { signal: context.signal })
  context.out.say(
    'Waiting for items; Ctrl-C ends it. Then, for one report in full:',
    `  ${context.next('get ID --read')}`,
  )
  const items = session.subscribe(topics.length === 0 ? {} : { topics }, {
    from: place.from ?? 'new',
    signal: context.signal,
  })
  let left = place.limit
  for await (const delivery of items) {
    show(context, session, delivery)
    left--
    if (left <= 0) return
  }
  if (context.signal.aborted) throw new Interrupted()
  throw await session.closed
}

async function getReport(
  context: Context,
  [id = '']: readonly string[],
  options: Options,
): Promise<void> {
  const name = id.toLowerCase()
  if (name.length < 8)
    throw usage('Give the whole id, or at least 8 digits of the core hash.', 'id')
  const offline = options.flag('offline')
  await using opened = await openSession(context, {
    relay: options.text('relay'),
    waitSeconds: offline ? 0 : 20,
    offline,
  })
  const { session, online } = opened
  let found = await find(session, name)
  if (found === null && online) {
    await settled(context, session, 20)
    found = await find(session, name)
  }
  if (found === null) throw new RelayError('item_unknown', { field: id })
  const { kind } = found
  context.out.data(deliveryObject(found), () => [
    ...deliveryLines(found, session.directory, context.out),
    // JSON escapes control characters, and only these matter here.
    ...(kind === 'report' ? ['', JSON.stringify(found.report, null, 2)] : []),
  ])
  if (options.flag('read') && kind === 'report') {
    await found.ack({ read: true })
    context.out.say(
      online
        ? 'The sender is told that it was read.'
        : 'The sender is told that it was read at the next connection.',
    )
  }
}

/** The newest item with this report id or core hash. */
async function find(session: Session, name: string): Promise<Delivery | null> {
  for await (const delivery of session.history()) {
    if (delivery.kind === 'gap') continue
    const core = delivery.core === null ? '' : toHex(delivery.core)
    const id = delivery.kind === 'report' ? idOf(delivery.report) : ''
    if (id === name || (/^[0-9a-f]+$/.test(name) && core.startsWith(name))) return delivery
  }
  return null
}

const idOf = (report: unknown): string => {
  const meta = (report as { readonly meta?: { readonly id?: unknown } } | null)?.meta
  return typeof meta?.id === 'string' ? meta.id : ''
}
