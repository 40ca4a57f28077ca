import { execFile } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)
const ip = (...args: string[]): Promise<unknown> => run('ip', args)

/** Two switches: the one where the harness and the relays are, and one for whom is cut off from them. */
const [here, there] = ['liaison-br0', 'liaison-br1']

/**
 * Networks of a run's own, one for each server, all on one switch; servers can be moved to another
 * switch together. Only inside namespaces of the run's own, which vanish with it.
 */
export class Networks implements AsyncDisposable {
  readonly #count: number

  private constructor(count: number) {
    this.#count = count
  }

  static async make(count: number): Promise<Networks> {
    await mkdir('/run/netns', { recursive: true })
    await run('mount', ['-t', 'tmpfs', 'tmpfs', '/run/netns'])
    for (const bridge of [here, there]) {
      await ip('link', 'add', bridge, 'type', 'bridge')
      await ip('link', 'set', bridge, 'up')
    }
    await ip('address', 'add', '10.77.0.1/24', 'dev', here)
    const networks = new Networks(count)
    for (let at = 0; at < count; at++) await networks.#add(at)
    return networks
  }

  async #add(at: number): Promise<void> {
    const name = this.name(at)
    await ip('netns', 'add', name)
    await ip('link', 'add', `l-${at}`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name)
    await ip('link', 'set', `l-${at}`, 'master', here, 'up')
    await ip('-n', name, 'address', 'add', `${this.host(at)}/24`, 'dev', 'eth0')
    await ip('-n', name, 'link', 'set', 'eth0', 'up')
    await ip('-n', name, 'link', 'set', 'lo', 'up')
  }

  /** Name of a network namespace. */
  name(at: number): string {
    return `liaison-${at}`
  }

  host(at: number): string {
    return `10.77.0.${at + 11}`
  }

  /** Cuts these off from the relays and from all others; they go on hearing each other. */
  async cutOff(indices: readonly number[]): Promise<void> {
    for (const at of indices) await ip('link', 'set', `l-${at}`, 'master', there)
  }

  async heal(): Promise<void> {
    for (let at = 0; at < this.#count; at++) await ip('link', 'set', `l-${at}`, 'master', here)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (let at = 0; at < this.#count; at++)
      await ip('netns', 'delete', this.name(at)).catch(() => {})
    for (const bridge of [here, there]) await ip('link', 'delete', bridge).catch(() => {})
    await run('umount', ['/run/netns']).catch(() => {})
  }
}
