import { join } from 'node:path'
import { connect, type Delivery, type Network, type Session } from '@liaison/client-sdk'
import { openLmdbStore } from '@liaison/client-sdk/node'
import type { ExampleDevice, ExampleNetwork } from '../../keys-example/example-network.ts'
import type { WatchedLink } from './watched-link.ts'

/** One enrolled device of the demonstration, with the person who looks at its screen. */
export class DemoDevice {
  readonly example: ExampleDevice
  readonly number: number
  readonly storeFolder: string
  readonly wire: WatchedLink
  /** Everything that this device has ever put on its screen, in order, over all its sessions. */
  readonly screen: Delivery[] = []
  session: Session | null = null
  /** What the screen does with an item, when a defect is played. */
  display: (delivery: Delivery) => readonly Delivery[] = (delivery) => [delivery]
  readonly #network: ExampleNetwork
  #watching: Promise<void> = Promise.resolve()
  #stop = new AbortController()
  #bytes = { sent: 0, received: 0 }

  constructor(
    example: ExampleDevice,
    number: number,
    storeFolder: string,
    network: ExampleNetwork,
    wire: WatchedLink,
  ) {
    this.example = example
    this.number = number
    this.storeFolder = storeFolder
    this.#network = network
    this.wire = wire
  }

  get name(): string {
    return `${this.example.member} (${this.example.id})`
  }

  /** Bytes of all its sessions. */
  get bytes(): { readonly sent: number; readonly received: number } {
    const { sent = 0, received = 0 } = this.session?.link ?? {}
    return { sent: this.#bytes.sent + sent, received: this.#bytes.received + received }
  }

  /** Connects and looks at the feed; resolves when the relay has let the device in. */
  async online(url: string, network: Network): Promise<Session> {
    const session = await connect({
      url,
      network,
      identity: this.#network.identityOf(this.example),
      store: await openLmdbStore(this.storeFolder),
      device: this.number,
      webSocket: this.wire.open,
    })
    this.session = session
    this.#stop = new AbortController()
    this.#watching = this.#watch(session, this.#stop.signal)
    return session
  }

  /** Shows what comes, from the place where the last session ended. */
  async #watch(session: Session, signal: AbortSignal): Promise<void> {
    const from = this.screen.at(-1)?.cursor ?? 'all'
    for await (const delivery of session.subscribe({}, { from, signal })) {
      this.screen.push(...this.display(delivery))
    }
  }

  async offline(): Promise<void> {
    this.#bytes = this.bytes
    this.#stop.abort()
    await this.#watching
    await this.session?.close()
    this.session = null
  }
}

/** Folder of one device's store. */
export const deviceFolder = (root: string, id: string): string => join(root, 'devices', id)

/** Waits until something is true; looks every 20 ms. @throws Error naming what was waited for. */
export async function until(
  what: string,
  msMax: number,
  check: () => Promise<boolean> | boolean,
): Promise<void> {
  const end = performance.now() + msMax
  while (!(await check())) {
    if (performance.now() > end) throw new Error(`waited ${msMax} ms in vain: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
