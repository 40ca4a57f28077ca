import { clientLimits } from './limits.ts'

/** The part of the browser's WebSocket that the SDK uses; the `ws` package has the same. */
export interface WebSocketLike {
  binaryType: string
  readonly bufferedAmount: number
  onopen: ((event: never) => void) | null
  onmessage: ((event: never) => void) | null
  onclose: ((event: never) => void) | null
  onerror: ((event: never) => void) | null
  send(data: Uint8Array): void
  close(code?: number, reason?: string): void
  /** Ends the connection without asking the other side. Node's sockets have it, a browser's have not. */
  terminate?(): void
}

/** Opens a WebSocket with the subprotocol of SIR/1. */
export type OpenWebSocket = (url: string, subprotocol: string) => WebSocketLike

/** Name and version of the protocol, negotiated in the upgrade. */
export const subprotocol = 'sir.v1.cbor'

/** Why a connection ended: the relay's word, if it gave one. */
export interface CloseInfo {
  /** WebSocket close code; 4500 and above mean "do not connect again". */
  readonly code: number
  /** Error code, when the relay closed with one. */
  readonly reason: string
}

/** What the owner of a transport hears. */
export interface TransportEvents {
  opened(): void
  message(bytes: Uint8Array): void
  closed(info: CloseInfo): void
}

/** One WebSocket with its events in one place. */
export class Transport {
  readonly #socket: WebSocketLike
  #closed = false
  /** Closing was asked for; the other side may still send until it has heard of that. */
  #closing = false
  /** Runs out when the other side does not answer the close. */
  #closeTimer: ReturnType<typeof setTimeout> | undefined

  constructor(open: OpenWebSocket, url: string, events: TransportEvents) {
    this.#socket = open(url, subprotocol)
    this.#socket.binaryType = 'arraybuffer'
    const ended = (info: CloseInfo): void => {
      if (this.#closed) return
      this.#closed = true
      clearTimeout(this.#closeTimer)
      events.closed(info)
    }
    this.#socket.onopen = () => events.opened()
    this.#socket.onmessage = (event: { readonly data: unknown }) => {
      // The owner has ended its work, and may have closed its store.
      if (this.#closing) return
      // Text frames are not of this protocol; whoever sends one is not our relay.
      if (event.data instanceof ArrayBuffer) events.message(new Uint8Array(event.data))
      else this.close()
    }
    this.#socket.onclose = (event: { readonly code: number; readonly reason: string }) =>
      ended({ code: event.code, reason: event.reason })
    // An error is always followed by a close in browsers and in `ws`; nothing to add here.
    this.#socket.onerror = () => undefined
  }

  send(bytes: Uint8Array): void {
    if (!this.#closed) this.#socket.send(bytes)
  }

  /** Bytes handed over and not yet sent. */
  get unsentBytes(): number {
    return this.#socket.bufferedAmount
  }

  /** Closes in good order; whoever does not answer is cut off. */
  close(): void {
    if (this.#closing) return
    this.#closing = true
    this.#socket.close(1000)
    if (this.#closed || this.#socket.terminate === undefined) return
    this.#closeTimer = setTimeout(() => this.#socket.terminate?.(), clientLimits.closeMsMax)
  }
}
