import { join } from 'node:path'
import { connect, type Delivery, type Network, type Session } from '@liaison/client-sdk'
import { nodeWebSocket, openLmdbStore } from '@liaison/client-sdk/node'
import type { ExampleDevice, ExampleNetwork } from '../../keys-example/example-network.ts'

/** One enrolled device of the demonstration. */
export class DemoDevice {
  readonly example: ExampleDevice
  readonly number: number
  readonly storeFolder: string
  session: Session | null = null
  readonly #network: ExampleNetwork
  #lastNetwork: Network | null = null

  constructor(
    example: ExampleDevice,
    number: number,
    storeFolder: string,
    network: ExampleNetwork,
  ) {
    this.example = example
    this.number = number
    this.storeFolder = storeFolder
    this.#network = network
  }

  get name(): string {
    return `${this.example.member} (${this.example.id})`
  }

  /** Connects; resolves when the relay has let the device in. */
  async online(url: string, network: Network): Promise<Session> {
    this.#lastNetwork = network
    this.session = await connect({
      url,
      network,
      identity: this.#network.identityOf(this.example),
      store: await openLmdbStore(this.storeFolder),
      device: this.number,
      webSocket: nodeWebSocket,
    })
    return this.session
  }

  /** Opens the store of a device that the relay does not let in any more, to look at what it has. */
  async reopen(): Promise<void> {
    const [url = ''] = this.#lastNetwork?.relays ?? []
    if (this.#lastNetwork === null) return
    this.session = await connect({
      url,
      network: this.#lastNetwork,
      identity: this.#network.identityOf(this.example),
      store: await openLmdbStore(this.storeFolder),
      device: this.number,
      webSocket: nodeWebSocket,
      waitFor: 'store',
    })
  }

  async offline(): Promise<void> {
    await this.session?.close()
    this.session = null
  }

  /** Everything that this device has received. */
  async received(): Promise<Delivery[]> {
    const out: Delivery[] = []
    for await (const delivery of this.session?.history() ?? []) out.push(delivery)
    return out
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
