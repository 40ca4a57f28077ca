import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import type { ConfigInput } from '@liaison/server'
import { bundled, Child } from './child.ts'
import type { RelayOrder } from './relay-child.ts'
import type { TempFolder } from './temp-folder.ts'

/**
 * A relay process that can be killed and started again under one address: clients speak to a door
 * that passes bytes on to whichever process is the relay now, and that ends their connections with it.
 */
export class RelayProcess implements AsyncDisposable {
  readonly #script: string
  readonly #config: ConfigInput
  readonly #now: number
  readonly #door: Server
  readonly #sockets = new Set<Socket>()
  /** The next process, with everything loaded: starting again then takes only what the relay needs. */
  #spare: Promise<Child> | null
  #child: Child | null = null
  #port: number | null = null

  private constructor(script: string, config: ConfigInput, now: number) {
    this.#script = script
    this.#config = config
    this.#now = now
    this.#spare = Child.start(script)
    this.#door = createServer((client) => this.#pass(client))
  }

  /** @param folder For the program. @param now Time at which the relay's clock stands, ms. */
  static async start(folder: TempFolder, config: ConfigInput, now: number): Promise<RelayProcess> {
    const relay = new RelayProcess(await bundled('relay-child.ts', folder), config, now)
    relay.#door.listen(0, '127.0.0.1')
    await once(relay.#door, 'listening')
    try {
      await relay.restart()
      return relay
    } catch (error) {
      await relay[Symbol.asyncDispose]()
      throw error
    }
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#door.address() as AddressInfo).port}/relay`
  }

  /** Starts the relay on the same data. */
  async restart(): Promise<void> {
    const child = await (this.#spare ?? Child.start(this.#script))
    this.#child = child
    this.#spare = null
    const order: RelayOrder = { config: this.#config, now: this.#now }
    const { url } = await child.ask<{ readonly url: string }>(order)
    this.#port = Number(new URL(url).port)
    this.#spare = Child.start(this.#script)
  }

  /** Kills the relay; nothing of it runs any more when this resolves. */
  async kill(): Promise<void> {
    await this.#child?.kill()
    this.#shut()
  }

  /** Stops the relay as an operator would. */
  async stop(): Promise<void> {
    this.#child?.tell({ stop: true } satisfies RelayOrder)
    await this.#child?.ended
    this.#shut()
  }

  #shut(): void {
    this.#port = null
    for (const socket of this.#sockets) socket.destroy()
  }

  #pass(client: Socket): void {
    if (this.#port === null) {
      client.destroy()
      return
    }
    const relay = connect(this.#port, '127.0.0.1')
    for (const [socket, other] of [
      [client, relay],
      [relay, client],
    ] as const) {
      this.#sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        this.#sockets.delete(socket)
        other.destroy()
      })
      socket.pipe(other)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
    await (await this.#spare?.catch(() => null))?.kill()
    this.#door.close()
  }
}
