import type { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'

/** Both ends of a connection, as far as they tell it from others of this server. */
type Ends = Pick<Socket, 'remoteAddress' | 'remotePort'>

/** TCP sockets by remote end: under TLS, Node hands out only the socket above. */
export class RawSockets {
  readonly #byRemote = new Map<string, Socket>()
  readonly #perAddress = new Map<string, number>()

  /**
   * @param server Emits `connection` with each TCP socket.
   * @param perAddressMax Sockets of one address; further ones are cut before a byte is read of them.
   */
  constructor(server: Pick<EventEmitter, 'on'>, perAddressMax: number = Number.POSITIVE_INFINITY) {
    server.on('connection', (raw: Socket) => {
      if (!this.#count(raw, perAddressMax)) return
      const key = remoteOf(raw)
      this.#byRemote.set(key, raw)
      raw.once('close', () => {
        // A client may have taken the same port again before its last socket was closed here.
        if (this.#byRemote.get(key) === raw) this.#byRemote.delete(key)
      })
    })
  }

  #count(raw: Socket, max: number): boolean {
    const address = raw.remoteAddress ?? ''
    const here = (this.#perAddress.get(address) ?? 0) + 1
    if (here > max) {
      raw.destroy()
      return false
    }
    this.#perAddress.set(address, here)
    raw.once('close', () => {
      const left = (this.#perAddress.get(address) ?? 1) - 1
      if (left > 0) this.#perAddress.set(address, left)
      else this.#perAddress.delete(address)
    })
    return true
  }

  /** The TCP socket below another one; the same when there is none below. */
  below(socket: Socket): Socket {
    return this.#byRemote.get(remoteOf(socket)) ?? socket
  }
}

const remoteOf = ({ remoteAddress, remotePort }: Ends): string => `${remoteAddress}|${remotePort}`
