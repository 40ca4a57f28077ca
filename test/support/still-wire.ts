import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A line between a client and a relay that can go dead without a word, as a satellite link does. */
export class StillWire implements AsyncDisposable {
  readonly url: string
  readonly #close: () => Promise<void>
  readonly #sockets: Set<Socket>

  private constructor(url: string, sockets: Set<Socket>, close: () => Promise<void>) {
    this.url = url
    this.#sockets = sockets
    this.#close = close
  }

  /** @param to WebSocket address of the relay. */
  static async to(to: string): Promise<StillWire> {
    const { hostname, port, pathname } = new URL(to)
    const sockets = new Set<Socket>()
    const server = createServer((near) => {
      const far = connect(Number(port), hostname)
      for (const socket of [near, far]) {
        sockets.add(socket)
        socket.on('error', () => undefined)
      }
      near.pipe(far)
      far.pipe(near)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port: own } = server.address() as AddressInfo
    return new StillWire(`ws://127.0.0.1:${own}${pathname}`, sockets, async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    })
  }

  /** From now on nothing passes, and nobody is told. */
  goDead(): void {
    for (const socket of this.#sockets) {
      socket.unpipe()
      socket.pause()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close()
  }
}
