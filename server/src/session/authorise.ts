import type { ClientFrame, Directory, ErrorCode } from '@liaison/protocol'
import type { Principal } from '../relay.ts'

/** Who may send a frame. `nobody`: only before the session is authenticated. */
export type Speaker = 'nobody' | 'anybody' | 'device' | 'administrator'

/** Every frame of a client, and who may send it. A frame that is not here does not compile. */
export const speakers: Readonly<Record<ClientFrame['kind'], Speaker>> = {
  hello: 'nobody',
  auth: 'nobody',
  ping: 'anybody',
  pong: 'anybody',
  'dir-want': 'anybody',
  // Whoever carries a statement here: its signatures decide.
  append: 'anybody',
  'blob-put': 'anybody',
  'blob-get': 'anybody',
  admin: 'administrator',
  publish: 'device',
  ack: 'device',
  subscribe: 'device',
  'subscribe-acks': 'device',
  unsubscribe: 'device',
  credit: 'device',
  // What is fetched is pruned to what was sealed for the device.
  'fetch-chain': 'device',
  'fetch-core': 'device',
}

/** What rights are read from. */
export interface Rights {
  readonly directory: Directory
  /** Whether a principal may be connected now. */
  mayConnect(principal: Principal): boolean
}

/**
 * The one place that decides whether a frame may be handled at all. What an envelope says is judged
 * by admission, which answers with signed receipts.
 *
 * @param principal Null before the session is authenticated.
 * @returns null, or why not: `not_authenticated`, `already_authenticated`, `device_inactive`,
 * `not_permitted`, `topic_unknown`, `subscription_refused`.
 */
export function authorise(
  rights: Rights,
  principal: Principal | null,
  frame: ClientFrame,
): ErrorCode | null {
  const speaker = speakers[frame.kind]
  if (principal === null) return speaker === 'nobody' ? null : 'not_authenticated'
  if (speaker === 'nobody') return 'already_authenticated'
  if (speaker !== 'anybody' && speaker !== principal.kind) return 'not_permitted'
  // Admission answers an inactive device itself: it may still ask what became of a report.
  if (frame.kind !== 'publish' && !rights.mayConnect(principal)) {
    return principal.kind === 'device' ? 'device_inactive' : 'not_permitted'
  }
  if (frame.kind !== 'subscribe' || principal.kind !== 'device') return null
  if (rights.directory.topic(frame.top) === null) return 'topic_unknown'
  return rights.directory.mayRead(principal.dev, frame.top) ? null : 'subscription_refused'
}

/** Codes after which the session cannot go on. */
export const endsSession: ReadonlySet<ErrorCode> = new Set([
  'not_authenticated',
  'already_authenticated',
  'device_inactive',
])
