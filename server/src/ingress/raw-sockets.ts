import type { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'

/** Both ends of a connection, as far as they tell it from others of this server. */
type Ends = Pick<Socket, 'remoteAddress' | 'remotePort'>

/** TCP sockets by remote end: under TLS, Node hands out only the socket above. */
export class RawSockets {
  readonly #byRemote = new Map<string, Socket>()

  /** @param server Emits `connection` with each TCP socket. */
  constructor(server: Pick<EventEmitter, 'on'>) {
    server.on('connection', (raw: Socket) => {
      const key = remoteOf(raw)
      this.#byRemote.set(key, raw)
      raw.once('close', () => {
        // A client may have taken the same port again before its last socket was closed here.
        if (this.#byRemote.get(key) === raw) this.#byRemote.delete(key)
      })
    })
  }

  /** The TCP socket below another one; the same when there is none below. */
  below(socket: Socket): Socket {
    return this.#byRemote.get(remoteOf(socket)) ?? socket
  }
}

const remoteOf = ({ remoteAddress, remotePort }: Ends): string => `${remoteAddress}|${remotePort}`
