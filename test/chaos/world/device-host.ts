import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { DeviceOrder, DeviceSpec, Moment } from '../workload/device-child.ts'
import type { NetworkSpec } from './network.ts'
import { ChaosProcess } from './processes.ts'

/** What the devices of a world are started with. */
export interface DeviceSetting {
  readonly program: string
  readonly network: NetworkSpec
  readonly url: string
  readonly folder: string
  readonly history: string
  readonly world: string
  readonly canary: string
}

/** A process of SDK devices, which lives several times on the same stores. */
export class DeviceHost implements AsyncDisposable {
  readonly name: string
  readonly devices: readonly DeviceSpec[]
  readonly #setting: DeviceSetting
  #process: ChaosProcess | null = null

  constructor(setting: DeviceSetting, name: string, devices: readonly DeviceSpec[]) {
    this.#setting = setting
    this.name = name
    this.devices = devices
  }

  /** What its processes said last, for a run that needs an explanation. */
  async lastWords(): Promise<string> {
    const text = await readFile(join(this.#setting.folder, `${this.name}.log`), 'utf8')
    return text.slice(-3_000)
  }

  get pid(): number {
    return this.#process?.pid ?? 0
  }

  /** @returns numbers of its devices in the directory */
  async start(): Promise<number[]> {
    const { program, folder, ...common } = this.#setting
    const child = new ChaosProcess(program, join(folder, `${this.name}.log`))
    this.#process = child
    const order: DeviceOrder = { start: { ...common, folder, devices: this.devices } }
    return child.ask<number[]>(order)
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#process?.signal(signal)
  }

  async kill(): Promise<void> {
    await this.#process?.kill()
  }

  /** The process kills itself at this moment; it is killed when the moment does not come in time. */
  async dieAt(moment: Moment, msMax: number): Promise<void> {
    const child = this.#process
    if (child === null) return
    await child.ask({ dieAt: moment } satisfies DeviceOrder).catch(() => undefined)
    const timer = setTimeout(() => void child.kill(), msMax)
    await child.ended
    clearTimeout(timer)
  }

  /** Lets everything out. @returns names of reports whose outcome is still unknown */
  async finish(msMax: number): Promise<string[]> {
    const order: DeviceOrder = { finish: true, msMax }
    // Its reports stay without an answer when it gives none; the checker says so.
    const left = await this.#process?.ask<string[]>(order, msMax + 10_000).catch(() => null)
    return left ?? []
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
  }
}
