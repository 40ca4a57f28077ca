import type { OpenWebSocket, WebSocketLike } from '@liaison/client-sdk'
import { nodeWebSocket } from '@liaison/client-sdk/node'

/** What somebody between a relay and a device lets through of one message: others, or none. */
export type LetThrough = (message: Uint8Array, socket: WebSocketLike) => readonly Uint8Array[]

/**
 * A WebSocket with somebody in between who sees, changes and drops what the relay sends.
 *
 * @param onOpen Called with the real socket of each connection.
 */
export const interposedWebSocket =
  (
    letThrough: LetThrough,
    onOpen: (socket: WebSocketLike) => void = () => undefined,
  ): OpenWebSocket =>
  (url, subprotocol) => {
    const socket = nodeWebSocket(url, subprotocol)
    const outer: WebSocketLike = {
      binaryType: 'arraybuffer',
      get bufferedAmount() {
        return socket.bufferedAmount
      },
      onopen: null,
      onmessage: null,
      onclose: null,
      onerror: null,
      send: (data) => socket.send(data),
      close: (code, reason) => socket.close(code, reason),
      terminate: () => socket.terminate?.(),
    }
    socket.binaryType = 'arraybuffer'
    socket.onopen = (event) => outer.onopen?.(event)
    socket.onclose = (event) => outer.onclose?.(event)
    socket.onerror = (event) => outer.onerror?.(event)
    socket.onmessage = ({ data }: { readonly data: ArrayBuffer }) => {
      for (const bytes of letThrough(new Uint8Array(data), socket)) {
        // A buffer of its own, as a WebSocket hands it over.
        const own = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)
        outer.onmessage?.({ data: own } as never)
      }
    }
    onOpen(socket)
    return outer
  }
