import type { Socket } from 'node:net'
import { type ErrorCode, errorRow } from '@liaison/protocol'
import type { WebSocket } from 'ws'
import type { Peer } from '../session/peer.ts'

/**
 * Close codes: 4000 means "connect again", 4500 means "do not"; 1003 is the WebSocket's own word for a
 * kind of data that is not accepted. The reason is the error code.
 */
const closeCodes = { again: 4000, never: 4500, notBinary: 1003 } as const

/** How long a closing handshake may take before the socket is cut, ms. */
const closeMsMax = 5000

/** One WebSocket as the rest of the relay sees it. */
export class WsPeer implements Peer {
  readonly address: string
  readonly #socket: WebSocket
  readonly #raw: Socket
  readonly #drained: () => void

  /**
   * @param raw The TCP socket below, under TLS too: a reset must drop what is buffered.
   * @param drained Called when a frame has left for the network.
   */
  constructor(socket: WebSocket, raw: Socket, address: string, drained: () => void) {
    this.#socket = socket
    this.#raw = raw
    this.address = address
    this.#drained = drained
  }

  send(bytes: Uint8Array): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return
    this.#socket.send(bytes, { binary: true, compress: false }, () => this.#drained())
  }

  unsentBytes(): number {
    return this.#socket.bufferedAmount
  }

  reset(): void {
    this.#raw.resetAndDestroy()
    this.#socket.terminate()
  }

  close(code: ErrorCode): void {
    const again = errorRow(code).retry !== 'never'
    this.#close(again ? closeCodes.again : closeCodes.never, code)
  }

  /** Ends a connection whose messages are not even binary. */
  closeNotBinary(): void {
    this.#close(closeCodes.notBinary, 'frame_malformed')
  }

  #close(closeCode: number, reason: ErrorCode): void {
    this.#socket.close(closeCode, reason)
    const timer = setTimeout(() => this.#socket.terminate(), closeMsMax)
    timer.unref()
    this.#socket.once('close', () => clearTimeout(timer))
  }
}
