import {
  ContentError,
  type SendProgress,
  type Session,
  type Submission,
  type SubmissionState,
  type SubmitOptions,
} from '@liaison/client-sdk'
import { errorRow, isErrorCode, isRelayError, RelayError, toHex } from '@liaison/protocol'
import { parseBody } from '@liaison/schemas/reports'
import { type Command, Option } from 'commander'
import { type Context, needed, type Options, type Process, runs, within } from './context.ts'
import { goOnline, openSession } from './device-access.ts'
import { Interrupted, SilentExit } from './failure.ts'
import { readBytes } from './files.ts'
import { counted } from './output.ts'
import { Progress } from './progress.ts'

/** Adds `liaison submit`. */
export function addSubmit(program: Command, from: Process): void {
  const submit = program
    .command('submit')
    .description('keep a report, seal it, send it, and say how far it came')
    .argument('<file>', 'report as JSON; - is stdin')
    .addOption(needed('--topic <name>', 'topic to publish it in'))
    .option('--to <codes>', 'only for these members, separated by commas; the FLU always has it')
    .addOption(
      new Option('--wait <state>', 'how far it must come before this returns')
        .choices(['with-relay', 'received', 'read'])
        .default('with-relay'),
    )
    .option(
      '--timeout <seconds>',
      'longest wait; afterwards exit 8, and it stays in the outbox',
      '30',
    )
    .option('--relay <url>', 'another relay than that of the network file')
    .addHelpText(
      'after',
      '\nExample:\n  $ liaison submit report.json --topic border-security --to ML,NE --wait received\n',
    )
  runs(submit, from, submitReport)
}

const order = ['queued', 'sealed', 'with-relay', 'received', 'read']

async function submitReport(
  context: Context,
  [file = '']: readonly string[],
  options: Options,
): Promise<void> {
  const report = await readReport(file)
  const topic = options.required('topic')
  const to = options.commas('to')
  const wanted = options.required('wait')
  const seconds = options.whole('timeout', { min: 0, max: 86_400 }) ?? 30
  const end = performance.now() + seconds * 1000
  await using opened = await openSession(context, {
    relay: options.text('relay'),
    waitSeconds: 0,
    follow: [],
  })
  const { session } = opened
  using progress = new Progress(context.out, 'sending')
  const destination = {
    topic,
    ...(to === undefined ? {} : { to }),
    onProgress: (sent: SendProgress) => progress.update('', sent),
  }
  const submission = await keep(context, session, report, destination, Math.min(seconds, 15))
  const states: SubmissionState[] = []
  const reached = await watch(
    context,
    session,
    submission,
    states,
    wanted,
    (end - performance.now()) / 1000,
  )
  await tellOutcome(context, session, submission, { topic, states, reached, wanted })
}

/** What a directory that is not up to date may be the reason of. */
const perhapsOutOfDate: ReadonlySet<string> = new Set([
  'topic_unknown',
  'subject_unknown',
  'publish_refused',
  'clearance_insufficient',
  'schema_refused',
  'no_flu',
  'device_inactive',
])

/**
 * Puts the report into the outbox at once, so that it is safe while the relay is awaited; only when
 * the directory at hand says no, the relay's is asked first.
 *
 * @throws ContentError, RelayError; nothing is kept then.
 */
async function keep(
  context: Context,
  session: Session,
  report: unknown,
  destination: SubmitOptions,
  seconds: number,
): Promise<Submission> {
  try {
    return await session.submit(report, destination)
  } catch (error) {
    if (!isRelayError(error)) throw error
    if (error.code === 'header_mismatch') throw originatorWrong(session, error)
    if (!perhapsOutOfDate.has(error.code)) throw error
    if (!(await goOnline(context, session, seconds))) throw named(session, error, destination)
    return await session.submit(report, destination).catch((again: unknown) => {
      throw named(session, again, destination)
    })
  }
}

/** A topic that does not exist is repeated as it was typed, with those that do. */
function named({ directory, me }: Session, error: unknown, { topic }: SubmitOptions): unknown {
  if (!isRelayError(error) || error.code !== 'topic_unknown') return error
  const own = directory.topics().filter(({ num }) => directory.mayPublish(me.num, num, 0) === 'ok')
  const names = own.map(({ name }) => name).join(', ')
  const detail = names === '' ? 'This device may publish in none.' : `You may publish in: ${names}`
  return new RelayError('topic_unknown', { field: `topic ${topic}`, detail, cause: error })
}

/** A report is of the member that sends it; what the code means to a receiver is of no help here. */
function originatorWrong({ directory, me }: Session, { field }: RelayError): RelayError {
  const code = directory.member(me.mem)?.code ?? ''
  return new RelayError('content_invalid', {
    ...(field === undefined ? {} : { field }),
    detail: `A report of this device has ${code} there.`,
  })
}

/** Reads a report so that every problem of its text is named. @throws ContentError */
async function readReport(file: string): Promise<unknown> {
  const parsed = parseBody(await readBytes(file))
  if (!parsed.ok) throw new ContentError(parsed.problems)
  return parsed.value
}

/**
 * Follows a submission until it came as far as wanted.
 *
 * @returns false when the time was over first. @throws RelayError of a refusal or a closed session.
 */
async function watch(
  context: Context,
  session: Session,
  submission: Submission,
  states: SubmissionState[],
  wanted: string,
  seconds: number,
): Promise<boolean> {
  const signal = within(context, Math.max(0.001, seconds))
  const over = new Promise<'over'>((resolve) => {
    signal.addEventListener('abort', () => resolve('over'), { once: true })
    if (signal.aborted) resolve('over')
  })
  const closed = session.closed.then((error) => ({ error }))
  const iterator = submission[Symbol.asyncIterator]()
  for (;;) {
    const next = await Promise.race([iterator.next(), over, closed])
    if (next === 'over') {
      if (!context.signal.aborted) return false
      context.out.warn(
        `liaison: stopped; ${submission.id} is ${submission.state.state} and stays in the outbox.`,
        `  Next: ${context.next('outbox flush')}`,
      )
      throw new Interrupted()
    }
    if ('error' in next) throw next.error
    if (next.done === true) {
      // With the session its submissions end too, and only the session knows why.
      if (session.state === 'closed') throw await session.closed
      return false
    }
    states.push(next.value)
    const { state, code } = next.value
    context.out.say(`${state}${code === null ? '' : ` (${code})`}`)
    if (state === 'refused')
      throw new RelayError(isErrorCode(code ?? '') ? (code as 'internal') : 'internal')
    if (order.indexOf(state) >= order.indexOf(wanted)) return true
  }
}

interface Outcome {
  readonly topic: string
  readonly states: readonly SubmissionState[]
  readonly reached: boolean
  readonly wanted: string
}

async function tellOutcome(
  context: Context,
  session: Session,
  submission: Submission,
  { topic, states, reached, wanted }: Outcome,
): Promise<void> {
  const { out } = context
  const { state, code } = submission.state
  const item = session.outbox.get(submission.id)
  const receipts = [...(await submission.receipts()).values()]
  const core = item?.sealed == null ? null : toHex(item.sealed.core)
  const status = session.directory.topicByName(topic)?.status ?? null
  out.data(
    { id: submission.id, topic, status, state, code, core, confirmed: reached, states, receipts },
    () => [
      `${out.paint('bold', state)}  ${submission.id}`,
      `  topic ${topic}${status === null ? '' : ` (${status})`}${core === null ? '' : `, core ${core.slice(0, 16)}`}`,
      ...(receipts.length === 0
        ? []
        : [
            `  ${counted(receipts.length, 'device')} received it, ${receipts.filter((r) => r.read).length} read it`,
          ]),
    ],
  )
  if (reached) {
    if (state === 'read') return
    return out.say(
      `Next: who has received and read it: ${context.next(`outbox show ${submission.id}`)}`,
    )
  }
  const why = session.link.waiting ?? (session.state === 'online' ? 'timeout' : 'offline')
  out.warn(
    `liaison: not confirmed as "${wanted}" in time: ${errorRow(why).text}`,
    `  It is kept in the outbox. Next: ${context.next('outbox flush')}`,
    `  Code: ${why} (exit 8)`,
  )
  throw new SilentExit(8)
}
