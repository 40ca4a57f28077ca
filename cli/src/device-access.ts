import { connect, type OpenWebSocket, type Session, type WebSocketLike } from '@liaison/client-sdk'
import { nodeWebSocket, openLmdbStore } from '@liaison/client-sdk/node'
import { errorRow, isErrorCode, isRelayError, RelayError } from '@liaison/protocol'
import { type Context, paths, within } from './context.ts'
import { Interrupted } from './failure.ts'
import { checkHome } from './home.ts'
import { unlock } from './key-access.ts'
import { networkOf, relayUrlOf } from './network-access.ts'

/** How a device's session is opened. */
export interface OpenOptions {
  /** Address of a relay other than that of the network file. */
  readonly relay?: string | undefined
  /** How long to wait for the relay, seconds; 0 does not wait but connects all the same. */
  readonly waitSeconds: number
  /** Does not connect: nothing may be sent or fetched while a person looks or takes something back. */
  readonly offline?: boolean
  /** Topics to receive meanwhile; all that the device may read when absent. */
  readonly follow?: readonly string[]
  /** Says nothing about the network: the command does. */
  readonly silent?: boolean
}

/** A session, and whether the relay has let it in yet. */
export interface OpenedSession extends AsyncDisposable {
  readonly session: Session
  readonly online: boolean
}

/**
 * Opens this device's store and session. A missing link is no failure here: what the device has can
 * be read and what it sends is kept.
 *
 * @throws RelayError of key and network file, or the relay's word that this device is not let in.
 */
export async function openSession(context: Context, options: OpenOptions): Promise<OpenedSession> {
  await checkHome(context)
  const { network } = await networkOf(context, undefined)
  const url = relayUrlOf(network, options.relay)
  const { example } = network.directory
  const identity = await unlock(context, paths.identity(context), 'device', example)
  if (example && options.silent !== true)
    context.out.say('Example network: for exercises and trials only.')
  const store = await openLmdbStore(paths.store(context))
  const session = await connect({
    url,
    identity,
    network,
    store,
    webSocket: options.offline === true ? noWebSocket : nodeWebSocket,
    waitFor: 'store',
    ...(options.follow === undefined ? {} : { follow: options.follow }),
  })
  try {
    tellNotices(context, session)
    if (options.silent !== true) tellWitnesses(context, session)
    const online = await goOnline(context, session, options.waitSeconds)
    return { session, online, [Symbol.asyncDispose]: () => session.close() }
  } catch (error) {
    await session.close()
    throw error
  }
}

/** A socket that never opens. */
const noWebSocket: OpenWebSocket = () => {
  const socket: WebSocketLike = {
    binaryType: 'arraybuffer',
    bufferedAmount: 0,
    onopen: null,
    onmessage: null,
    onclose: null,
    onerror: null,
    send: () => undefined,
    close: () => socket.onclose?.({ code: 1000, reason: '' } as never),
  }
  return socket
}

/** Opens a session that has to be online. @throws RelayError `offline` when the relay is not reached. */
export async function openOnline(context: Context, options: OpenOptions): Promise<OpenedSession> {
  const opened = await openSession(context, options)
  if (opened.online) return opened
  await opened[Symbol.asyncDispose]()
  throw new RelayError('offline')
}

/** Waits for the relay. @returns false when the time was over first. @throws RelayError its refusal. */
export async function goOnline(
  context: Context,
  session: Session,
  seconds: number,
): Promise<boolean> {
  if (seconds <= 0) return session.state === 'online'
  try {
    await session.online(within(context, seconds))
    return true
  } catch (error) {
    if (context.signal.aborted) throw new Interrupted()
    if (isRelayError(error) && (error.code === 'cancelled' || error.code === 'timeout'))
      return false
    throw error
  }
}

function tellNotices(context: Context, session: Session): void {
  session.on('notice', ({ code, text }) => {
    const remedy = isErrorCode(code) ? ` ${errorRow(code).remedy}` : ''
    context.out.warn(`liaison: ${text}${remedy} (${code})`)
  })
}

/** Says once, when the relay has let the device in, that only its own word stands behind the directory. */
function tellWitnesses(context: Context, session: Session): void {
  const told = new AbortController()
  session.on(
    'state',
    (state) => {
      if (state !== 'online') return
      told.abort()
      const { flu, admin, witness } = session.directory.policy().freshness.need
      if (flu + admin + witness > 0) return
      context.out.say('Unwitnessed network: nobody but its own log vouches for the directory.')
    },
    { signal: told.signal },
  )
}

/** How long nothing may arrive before this device counts as up to date, ms. */
const quietMs = 800
const lookMs = 50

/**
 * Waits until the relay has sent what it had. It does not say so, so silence has to do.
 *
 * @param seconds Longest wait.
 */
export async function settled(context: Context, session: Session, seconds: number): Promise<void> {
  const end = performance.now() + seconds * 1000
  let bytes = -1
  let since = performance.now()
  while (performance.now() < end && !context.signal.aborted && session.state === 'online') {
    const { received } = session.link
    if (received !== bytes) {
      bytes = received
      since = performance.now()
    }
    if (performance.now() - since >= quietMs) return
    await pause(lookMs)
  }
  if (context.signal.aborted) throw new Interrupted()
}

const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
