import type { ErrorCode } from '@liaison/protocol'

/** The other end of one connection, whatever carries it. */
export interface Peer {
  /** Network address, for limits only; never logged with a device. */
  readonly address: string
  /** Queues one frame. */
  send(bytes: Uint8Array): void
  /** Bytes that are queued and not yet handed to the network. */
  unsentBytes(): number
  /** Throws away what is queued and cuts the connection now. */
  reset(): void
  /** Sends what is queued, then closes; the reason travels with it. */
  close(code: ErrorCode): void
}
