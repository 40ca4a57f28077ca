import type { OpenWebSocket, WebSocketLike } from '@liaison/client-sdk'
import {
  coreHashOf,
  type DeliverItem,
  decodeRelayFrame,
  encodeRelayFrame,
  type NetworkId,
  type RelayFrame,
  toHex,
} from '@liaison/protocol'
import { interposedWebSocket } from './interposed-socket.ts'

/** What a relay that lies does to one delivered item on its way: another item, or none. */
export type TamperItem = (item: DeliverItem, core: string) => DeliverItem | null

/**
 * The sockets of one device, looked at from outside: what came over the wire is counted here, not
 * where the SDK says what it took.
 */
export class WatchedLink {
  readonly #net: NetworkId
  readonly #seen = new Map<string, number>()
  #socket: WebSocketLike | null = null
  #reports = 0
  #breakNext = false
  #broken = 0
  tamper: TamperItem | null = null

  constructor(net: NetworkId) {
    this.#net = net
  }

  /** Sealed reports that came over the wire, over all connections. */
  get reports(): number {
    return this.#reports
  }

  /** Deliveries that came over the wire once more. */
  get redelivered(): number {
    return [...this.#seen.values()].reduce((sum, times) => sum + times - 1, 0)
  }

  /** Connections that broke off with an item on the way. */
  get broken(): number {
    return this.#broken
  }

  /** The next delivered report reaches this machine and no further: the link ends there. */
  breakOffAtNextReport(): void {
    this.#breakNext = true
  }

  readonly open: OpenWebSocket = interposedWebSocket(
    (message, socket) => (this.#socket === socket ? this.#look(message) : []),
    (socket) => {
      this.#socket = socket
    },
  )

  /** @returns What the SDK is given; nothing when the link broke off here. */
  #look(bytes: Uint8Array): readonly Uint8Array[] {
    const decoded = decodeRelayFrame(bytes)
    if (!decoded.ok) throw new Error(`a frame of the relay does not decode: ${decoded.error}`)
    const frame = decoded.value
    if (frame.kind !== 'deliver' && frame.kind !== 'fetched') return [bytes]
    const full = frame.items.filter((item) => item.form === 'full')
    this.#reports += full.length
    // What the device asked for by name, to check other readers' slots, is no second delivery.
    for (const item of frame.kind === 'deliver' ? full : []) {
      const core = this.#coreOf(item)
      this.#seen.set(core, (this.#seen.get(core) ?? 0) + 1)
    }
    if (this.#breakNext && full.length > 0) {
      this.#breakNext = false
      this.#broken++
      const socket = this.#socket
      this.#socket = null
      socket?.close()
      return []
    }
    if (this.tamper === null) return [bytes]
    return [encodeRelayFrame(this.#tampered(frame, this.tamper))]
  }

  #tampered<F extends RelayFrame & { readonly items: readonly DeliverItem[] }>(
    frame: F,
    tamper: TamperItem,
  ): F {
    const items = frame.items.flatMap((item) => {
      if (item.form !== 'full') return [item]
      const changed = tamper(item, this.#coreOf(item))
      if (changed !== null) return [changed]
      // A relay that keeps something back leaves no hole in the numbers of a topic.
      const { cursor } = item
      return frame.kind === 'deliver' ? [{ form: 'skip', cursor, to: cursor } as const] : []
    })
    return { ...frame, items }
  }

  #coreOf(item: DeliverItem & { readonly form: 'full' }): string {
    return toHex(coreHashOf(this.#net, item.ctx, item.seal))
  }
}
