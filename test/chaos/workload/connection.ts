import {
  codeOfNumber,
  type Envelope,
  type ErrorCode,
  type Receipt,
  type RelayFrame,
} from '@liaison/protocol'
import type { TestDevice, TestNetwork } from '../../support/network.ts'
import { type CheckedResult, RawClient, type RawIdentity } from '../../support/raw-client.ts'

/** Name of every relay of a run, in the directory. */
const origin = '127.0.0.1'

/** Opens a session without the SDK. @throws Error when the relay does not let it in */
export async function connectRaw(
  url: string,
  network: TestNetwork,
  identity: RawIdentity | TestDevice,
): Promise<RawClient> {
  const client = await RawClient.connect(url, network)
  try {
    const ready = await client.authenticate(identity, { org: origin })
    take(network, ready.dir.from, ready.dir.entries)
    return client
  } catch (error) {
    client.socket.terminate()
    throw error
  }
}

/** Takes over entries of the directory that the network of this process does not have yet. */
function take(network: TestNetwork, from: number, entries: readonly Uint8Array[]): void {
  for (const [at, entry] of entries.entries()) {
    if (from + at !== network.directory.size) continue
    keepUp(network)
    network.appendEntry(entry)
  }
}

/** Lets the clock of a network show the time of this machine, once it has caught up. */
export function keepUp(network: TestNetwork): void {
  const behind = Date.now() - network.now
  if (behind > 0) network.advance(behind)
}

/** Takes over what the relay has announced, and drops what nobody waits for. */
export function takeAnnounced(client: RawClient): void {
  const others: RelayFrame[] = []
  for (const frame of client.inbox.splice(0)) {
    if (frame.kind === 'dir') take(client.network, frame.page.from, frame.page.entries)
    else if (frame.kind !== 'pong' && frame.kind !== 'ping') others.push(frame)
  }
  client.inbox.push(...others)
}

/** How a request ended. */
export type Outcome =
  | {
      readonly kind: 'answered'
      readonly codes: readonly (ErrorCode | 'ok')[]
      readonly receipts: readonly Receipt[]
    }
  /** Refused as a whole, before any of it was done. */
  | { readonly kind: 'refused'; readonly code: ErrorCode; readonly retryAfterMs: number }
  | { readonly kind: 'unknown'; readonly code: string }

/** Waits for the answer to a request, whatever it is. */
export async function outcomeOf(client: RawClient, rq: number, msMax: number): Promise<Outcome> {
  const isMine = (frame: RelayFrame): boolean =>
    (frame.kind === 'result' || frame.kind === 'error') && frame.rq === rq
  const end = performance.now() + msMax
  while (performance.now() < end && client.closed === null && !client.inbox.some(isMine)) {
    await client
      .until(() => client.closed !== null || client.inbox.some(isMine), 'an answer')
      .catch(() => undefined)
  }
  const at = client.inbox.findIndex(isMine)
  const frame = client.inbox[at]
  if (frame?.kind === 'error') {
    client.inbox.splice(at, 1)
    return { kind: 'refused', code: codeOfNumber(frame.code), retryAfterMs: frame.retryAfterMs }
  }
  if (frame === undefined) return { kind: 'unknown', code: endOf(client) }
  const { codes, receipts }: CheckedResult = await client.result(rq)
  return { kind: 'answered', codes, receipts }
}

/** Why a session ended, as the relay said. */
export function endOf(client: RawClient): string {
  const said = client.inbox.findLast((frame) => frame.kind === 'error')
  if (said?.kind === 'error') return codeOfNumber(said.code)
  return client.closed === null ? 'timeout' : 'closed'
}

/** Publishes and waits. */
export const publishRaw = (
  client: RawClient,
  envelopes: readonly Envelope[],
  msMax: number,
): Promise<Outcome> => outcomeOf(client, client.beginPublish(...envelopes), msMax)
