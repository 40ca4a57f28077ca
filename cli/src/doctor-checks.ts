import { clientLimits, type Session } from '@liaison/client-sdk'
import { keyFileExists } from '@liaison/client-sdk/node'
import {
  type ErrorCode,
  errorRow,
  isRelayError,
  limits,
  networkFingerprint,
  RelayError,
  sodiumReady,
} from '@liaison/protocol'
import { type Context, paths } from './context.ts'
import { openSession } from './device-access.ts'
import { homeState } from './home.ts'
import { readExistingKey } from './key-access.ts'
import { type KeyState, keyStateOf } from './key-state.ts'
import { type NetworkAtHand, networkOf, relayUrlOf } from './network-access.ts'
import { counted, moment } from './output.ts'

/** What one check found. */
export interface Finding {
  readonly check: string
  readonly state: 'ok' | 'warn' | 'fail'
  readonly text: string
  /** What to do about it. */
  readonly remedy?: string
  readonly code?: ErrorCode
  /** Exit code of a failure. */
  readonly exit?: number
}

/** How to look. */
export interface Examination {
  readonly relay: string | undefined
  /** Longest wait for the relay; 0 does not connect. */
  readonly seconds: number
}

const ok = (check: string, text: string): Finding => ({ check, state: 'ok', text })
const warn = (check: string, text: string, remedy: string): Finding => ({
  check,
  state: 'warn',
  text,
  remedy,
})

/** A failure with the words of its code, unless there are better ones. */
function fail(
  check: string,
  code: ErrorCode,
  words: { readonly text?: string; readonly remedy?: string } = {},
): Finding {
  const row = errorRow(code)
  const text = `${words.text ?? row.text} (${code})`
  return { check, state: 'fail', text, remedy: words.remedy ?? row.remedy, code, exit: row.exit }
}

function failWith(check: string, error: unknown): Finding {
  if (!isRelayError(error)) throw error
  const { text } = errorRow(error.code)
  return fail(check, error.code, { text: [text, error.detail].filter(Boolean).join(' ') })
}

/** Checks from the disk outwards; what cannot work without an earlier part is left out. */
export async function* examine(
  context: Context,
  examination: Examination,
): AsyncGenerator<Finding, void> {
  await sodiumReady()
  const home = await checkHomeFolder(context)
  yield home
  if (home.state === 'fail') return
  const key = await checkKeyFile(context)
  yield key
  const network = await networkOf(context, undefined).catch((error: unknown) => error)
  if (!isAtHand(network)) {
    yield { ...failWith('network', network), remedy: askForNetwork }
    return
  }
  yield checkNetwork(context, network)
  if (key.state === 'fail') return
  yield* checkSession(context, network, examination)
}

const askForNetwork = 'Take one in: liaison identity new --network FILE, or enrol status FILE.'

const isAtHand = (value: unknown): value is NetworkAtHand =>
  typeof value === 'object' && value !== null && 'directory' in value

async function checkHomeFolder(context: Context): Promise<Finding> {
  const { home } = context
  switch (await homeState(context)) {
    case 'private':
      return ok('home', home)
    case 'others-read':
      return warn('home', `${home}: other users can look into it.`, `chmod 700 ${home}`)
    case 'others-write':
      return fail('home', 'config_invalid', {
        text: `${home}: other users can exchange files in it.`,
        remedy: `chmod 700 ${home}`,
      })
    case 'no-folder':
      return fail('home', 'config_invalid', {
        text: `${home} is a file.`,
        remedy: 'Name a folder with --home.',
      })
    case 'absent':
      return fail('home', 'config_invalid', {
        text: `${home} does not exist.`,
        remedy: `Begin with: ${context.next('identity new --network FILE')}`,
      })
  }
}

async function checkKeyFile(context: Context): Promise<Finding> {
  const path = paths.identity(context)
  if (!(await keyFileExists(path))) {
    return fail('key file', 'key_file_malformed', {
      text: `There is no ${path}.`,
      remedy: `Make one: ${context.next('identity new --network FILE')}`,
    })
  }
  try {
    const { info } = await readExistingKey(path)
    if (info.kind !== 'device') {
      return fail('key file', 'not_permitted', { text: "It is an administrator's." })
    }
    const made = `made ${moment(info.created)}`
    return ok('key file', `${made}, ${info.protected ? 'with a passphrase' : 'without passphrase'}`)
  } catch (error) {
    return failWith('key file', error)
  }
}

function checkNetwork(context: Context, { directory }: NetworkAtHand): Finding {
  const example = directory.example ? ' (example: for exercises only)' : ''
  const words = `${directory.name}${example}, ${networkFingerprint(directory.net)}`
  if (directory.genesisT > context.clock() + limits.clockAheadMsMax) {
    return fail('network', 'clock_skew', {
      text: `${directory.name} was founded ${moment(directory.genesisT)}, later than this clock.`,
    })
  }
  return ok('network', words)
}

/** Everything that needs the opened key file. */
async function* checkSession(
  context: Context,
  { network }: NetworkAtHand,
  { relay, seconds }: Examination,
): AsyncGenerator<Finding, void> {
  let opened: Awaited<ReturnType<typeof openSession>>
  try {
    opened = await openSession(context, {
      relay,
      waitSeconds: 0,
      offline: seconds === 0,
      follow: [],
      silent: true,
    })
  } catch (error) {
    if (isRelayError(error) && error.code === 'usage_invalid') {
      yield warn(
        'store',
        'Not looked at, and neither is the relay: that needs the passphrase.',
        'Name its file with --passphrase-file.',
      )
      return
    }
    yield failWith(partOf(error), error)
    return
  }
  await using owned = opened
  const { session } = owned
  yield ok(
    'store',
    `opens, ${counted(session.directory.size, 'directory entry', 'directory entries')}`,
  )
  if (seconds > 0) {
    const url = relayUrlOf(network, relay)
    for await (const finding of checkRelay(context, session, url, seconds)) {
      yield finding
      // The directory at hand is older than that word, and would say that all is well.
      if (finding.code === 'device_inactive') return
    }
  }
  yield checkEnrolment(context, session)
  yield await checkKeys(context, session)
  yield checkOutbox(context, session)
}

/** Which part a refusal to open is about. */
function partOf(error: unknown): string {
  const code = isRelayError(error) ? error.code : ''
  if (code.startsWith('key_file') || code === 'passphrase_wrong') return 'key file'
  if (code === 'not_enrolled') return 'enrolment'
  return code === 'config_invalid' || code.startsWith('network') ? 'network' : 'store'
}

async function* checkRelay(
  context: Context,
  session: Session,
  url: string,
  seconds: number,
): AsyncGenerator<Finding, void> {
  try {
    const patience = AbortSignal.any([context.signal, AbortSignal.timeout(seconds * 1000)])
    await session.online(patience)
  } catch (error) {
    const unreached =
      error instanceof RelayError && (error.code === 'cancelled' || error.code === 'timeout')
    yield unreached
      ? fail('relay', 'offline', {
          text: `${url} was not reached in ${counted(seconds, 'second')}.`,
          remedy: 'Check the link and the address; what is in the outbox is kept.',
        })
      : failWith('relay', error)
    return
  }
  yield ok('relay', `${url}, proved to be that of the directory`)
  yield checkClock(session)
  yield checkDirectory(session)
}

/** A difference worth a word: it is a fifth of what stops sending. */
const clockWarnMs = 60_000

function checkClock(session: Session): Finding {
  const ahead = session.link.relayAheadMs ?? 0
  const seconds = Math.round(Math.abs(ahead) / 1000)
  const words = `This clock is ${counted(seconds, 'second')} ${ahead > 0 ? 'behind' : 'ahead of'} the relay's`
  if (Math.abs(ahead) > limits.clockAheadMsMax)
    return fail('clock', 'clock_skew', { text: `${words}.` })
  if (Math.abs(ahead) > clockWarnMs) {
    return warn('clock', words, 'Set it; from five minutes on, nothing can be sent.')
  }
  return ok('clock', `within ${counted(Math.max(1, seconds), 'second')} of the relay's`)
}

function checkDirectory(session: Session): Finding {
  const { directory } = session
  const entries = counted(directory.size, 'entry', 'entries')
  const { flu, admin, witness } = directory.policy().freshness.need
  if (flu + admin + witness === 0) {
    return warn(
      'directory',
      `${entries}, as the relay signed it just now. Unwitnessed network.`,
      'Nobody but the relay vouches that all see the same directory; compare fingerprints.',
    )
  }
  return fail('directory', 'checkpoint_stale', {
    text: `${entries}; this network wants cosignatures, which this release does not gather.`,
  })
}

function checkEnrolment(context: Context, session: Session): Finding {
  const state = keyStateOf(session.directory, session.me, context.clock())
  const { device, member, role, until, daysLeft } = state
  const words = `device ${device} of ${member}, ${role}, until ${moment(Date.parse(until))}`
  if (!state.active) {
    const why = state.state === 'active' ? 'not in its time' : state.state
    return fail('enrolment', 'device_inactive', { text: `${words}: ${why}.` })
  }
  if (daysLeft > clientLimits.expiryWarningDays[0]) return ok('enrolment', words)
  return warn(
    'enrolment',
    `${words}: ${counted(daysLeft, 'day')} left.`,
    'Ask the administrators to enrol a new identity.',
  )
}

async function checkKeys(context: Context, session: Session): Promise<Finding> {
  const state: KeyState = keyStateOf(session.directory, session.me, context.clock())
  const present = await session.presentKey()
  if (present === null) {
    return fail('keys', 'key_unavailable', {
      text: 'No key of this week is published: nobody can send to this device.',
      remedy: `Connect once, they are renewed by themselves: ${context.next('enrol status')}`,
    })
  }
  if (present !== 'here') {
    return fail('keys', 'key_destroyed', {
      text: "The secret half of this week's key is not on this machine.",
      remedy: `For the coming weeks: ${context.next('identity rotate')}`,
    })
  }
  const words = `${counted(state.keyWeeksLeft, 'week')} published, ${counted(state.keyDaysLeft, 'day')}`
  if (state.keyDaysLeft > clientLimits.expiryWarningDays[0]) return ok('keys', words)
  return warn('keys', words, 'Connect once: they are renewed by themselves.')
}

/** What waits for so long, ms, is worth a word. */
const staleMs = 3_600_000

function checkOutbox(context: Context, session: Session): Finding {
  const items = session.outbox.list()
  const waiting = items.filter(({ state }) => state === 'queued' || state === 'sealed')
  const refused = items.filter(({ state }) => state === 'refused')
  if (refused.length > 0) {
    return warn(
      'outbox',
      `${counted(refused.length, 'report')} refused, ${waiting.length} waiting`,
      `Look at them: ${context.next('outbox list')}`,
    )
  }
  const oldest = Math.min(...waiting.map((item) => item.created))
  if (waiting.length > 0 && context.clock() - oldest > staleMs) {
    return warn(
      'outbox',
      `${counted(waiting.length, 'report')} waiting, the oldest since ${moment(oldest)}`,
      `Send them: ${context.next('outbox flush')}`,
    )
  }
  return ok('outbox', waiting.length === 0 ? 'nothing waits' : `${waiting.length} waiting`)
}
