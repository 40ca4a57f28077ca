import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** What the wire does to one direction. */
export interface Wire {
  /** Nothing arrives any more, and nobody is told. */
  readonly isCut: boolean
  readonly delayMs: number
  /** Bytes a second; null is unlimited. */
  readonly bytesPerSecond: number | null
}

const clear: Wire = { isCut: false, delayMs: 0, bytesPerSecond: null }

/** Bytes that may wait in one direction before the sender is made to wait. */
const waitingMax = 262_144

/** The wires to one port, in both directions, and everything that runs over them. */
export class Wires {
  readonly port: () => number | null
  readonly pairs = new Set<Pair>()
  up: Wire = clear
  down: Wire = clear
  /** New connections are reset after so many bytes to the client; null never. */
  resetAfter: number | null = null

  /** @param port Asked for each new connection; null refuses it. */
  constructor(port: () => number | null) {
    this.port = port
  }

  get isCut(): boolean {
    return this.up.isCut || this.down.isCut
  }

  /** Cuts them without a word, in one direction or in both. */
  cut(directions: 'both' | 'up' | 'down' = 'both'): void {
    if (directions !== 'down') this.up = { ...clear, isCut: true }
    if (directions !== 'up') this.down = { ...clear, isCut: true }
  }

  /** Slows them down in both directions. */
  slow(delayMs: number, bytesPerSecond: number | null): void {
    this.up = { isCut: false, delayMs, bytesPerSecond }
    this.down = this.up
  }

  /** Takes all faults away; what a cut wire has swallowed stays lost, so its connections are reset. */
  heal(): void {
    const { isCut } = this
    this.up = clear
    this.down = clear
    this.resetAfter = null
    if (isCut) this.reset()
    for (const pair of this.pairs) pair.wake()
  }

  /** Resets all connections. */
  reset(): void {
    for (const pair of [...this.pairs]) pair.reset()
  }
}

/**
 * A door through which TCP connections pass and faults are made: bytes are held back, lost or slowed
 * down, or the connection is reset. Bytes never change: a checksum below would notice.
 */
export class TcpProxy implements AsyncDisposable {
  readonly #server: Server
  readonly #choose: () => Wires | null
  readonly #used = new Set<Wires>()

  private constructor(choose: () => Wires | null) {
    this.#choose = choose
    this.#server = createServer((client) => this.#accept(client))
  }

  /** @param choose Where the next connection goes; null refuses it. */
  static async listen(choose: () => Wires | null): Promise<TcpProxy> {
    const proxy = new TcpProxy(choose)
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    return proxy
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  #accept(client: Socket): void {
    client.on('error', () => undefined)
    const wires = this.#choose()
    const port = wires?.port() ?? null
    if (wires === null || port === null) {
      client.resetAndDestroy()
      return
    }
    this.#used.add(wires)
    wires.pairs.add(new Pair(wires, client, connect(port, '127.0.0.1')))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close()
    for (const wires of this.#used) wires.reset()
  }
}

/** The two ends of one connection. */
class Pair {
  readonly #wires: Wires
  readonly #client: Socket
  readonly #server: Socket
  readonly #pumps: readonly Pump[]
  #left: number | null

  constructor(wires: Wires, client: Socket, server: Socket) {
    this.#wires = wires
    this.#client = client
    this.#server = server
    this.#left = wires.resetAfter
    this.#pumps = [
      new Pump(client, server, () => wires.up),
      new Pump(
        server,
        client,
        () => wires.down,
        (bytes) => this.#spend(bytes),
      ),
    ]
    this.#bind(client, server)
    this.#bind(server, client)
  }

  #bind(one: Socket, other: Socket): void {
    one.setNoDelay(true)
    one.on('error', () => undefined)
    one.on('close', (hadError) => {
      // What the far side is not told while the wire is cut, it must find out by itself.
      if (this.#wires.isCut) return
      this.#wires.pairs.delete(this)
      if (hadError) other.resetAndDestroy()
      else other.destroySoon()
    })
  }

  #spend(bytes: number): boolean {
    if (this.#left === null) return true
    this.#left -= bytes
    if (this.#left >= 0) return true
    this.reset()
    return false
  }

  wake(): void {
    for (const pump of this.#pumps) pump.wake()
  }

  reset(): void {
    this.#wires.pairs.delete(this)
    this.#client.resetAndDestroy()
    this.#server.resetAndDestroy()
  }
}

/** Moves bytes in one direction as the wire allows at the time. */
class Pump {
  readonly #to: Socket
  readonly #wire: () => Wire
  readonly #from: Socket
  readonly #allow: (bytes: number) => boolean
  readonly #queue: { readonly bytes: Buffer; readonly due: number }[] = []
  #waiting = 0
  #timer: NodeJS.Timeout | undefined
  #free = 0

  constructor(from: Socket, to: Socket, wire: () => Wire, allow = (_bytes: number) => true) {
    this.#from = from
    this.#to = to
    this.#wire = wire
    this.#allow = allow
    from.on('data', (bytes: Buffer) => this.#take(bytes))
    from.on('close', () => clearTimeout(this.#timer))
  }

  #take(bytes: Buffer): void {
    const { isCut, delayMs, bytesPerSecond } = this.#wire()
    if (isCut || !this.#allow(bytes.length)) return
    if (delayMs === 0 && bytesPerSecond === null && this.#queue.length === 0) {
      this.#write(bytes)
      return
    }
    this.#queue.push({ bytes, due: performance.now() + delayMs })
    this.#waiting += bytes.length
    if (this.#waiting > waitingMax) this.#from.pause()
    this.wake()
  }

  wake(): void {
    clearTimeout(this.#timer)
    const { bytesPerSecond, delayMs, isCut } = this.#wire()
    for (;;) {
      const next = this.#queue[0]
      if (next === undefined) break
      const now = performance.now()
      const due = delayMs === 0 ? this.#free : Math.max(next.due, this.#free)
      if (due > now) {
        this.#timer = setTimeout(() => this.wake(), due - now)
        return
      }
      this.#queue.shift()
      this.#waiting -= next.bytes.length
      if (!isCut) this.#write(next.bytes)
      this.#free = bytesPerSecond === null ? 0 : now + (next.bytes.length / bytesPerSecond) * 1000
    }
    this.#from.resume()
  }

  #write(bytes: Buffer): void {
    if (this.#to.destroyed || this.#to.write(bytes)) return
    this.#from.pause()
    this.#to.once('drain', () => this.#from.resume())
  }
}
