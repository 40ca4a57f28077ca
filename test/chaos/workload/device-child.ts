/**
 * Devices with the SDK in a process of their own, which can be paused and killed at any moment. Each
 * submits and shows without end, and carries on in its next life from what it has written down.
 */

import type { ClientStore, Delivery, Session } from '@liaison/client-sdk'
import { nodeWebSocket } from '@liaison/client-sdk/node'
import {
  decodeClientFrame,
  isErrorCode,
  RelayError,
  sodiumReady,
  systemClock,
  toHex,
} from '@liaison/protocol'
import type { OpenWebSocket } from '../../../client-sdk/src/session/transport.ts'
import { openDevice } from '../../support/sdk.ts'
import { seededRandom } from '../../support/seeded-random.ts'
import { eventsOfEarlierLives, HistoryWriter } from '../history.ts'
import { chaosNetwork, type NetworkSpec, ReportMaker, topicName } from '../world/network.ts'
import { pause, serveParent } from '../world/processes.ts'

/** For pauses only: what is done does not depend on it. */
const chance = seededRandom()

/** One device of the process. */
export interface DeviceSpec {
  readonly member: string
  readonly nth: number
  /** Pause between two reports, ms; null for a device that only reads. */
  readonly everyMs: number | null
}

/** When the process ends itself. */
export const moments = [
  'before it stores what came',
  'after it stored what came',
  'after it showed',
  'after it sealed',
  'after it sent',
] as const
export type Moment = (typeof moments)[number]

/** What the parent asks for. */
export type DeviceOrder =
  | {
      readonly start: {
        readonly network: NetworkSpec
        readonly url: string
        readonly folder: string
        readonly devices: readonly DeviceSpec[]
        readonly history: string
        readonly world: string
        readonly canary: string
      }
    }
  /** The process kills itself the next time that it comes to this moment. */
  | { readonly dieAt: Moment }
  /** Nothing new is submitted; resolves when everything is out, with what is still unknown. */
  | { readonly finish: true; readonly msMax: number }

type Start = Extract<DeviceOrder, { start: unknown }>['start']

/** Reports that may wait in an outbox before no more are submitted. */
const waitingMax = 32

let deadly: Moment | null = null
const devices: ChaosDevice[] = []

function reached(moment: Moment): void {
  if (deadly === moment) process.kill(process.pid, 'SIGKILL')
}

const mortalStore = (store: ClientStore): ClientStore => ({
  get: (table, key) => store.get(table, key),
  list: (table, query) => store.list(table, query),
  async commit(changes) {
    const stores = changes.some(({ table }) => table === 'inbox')
    if (stores) reached('before it stores what came')
    await store.commit(changes)
    if (stores) reached('after it stored what came')
  },
  [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
})

const mortalSocket: OpenWebSocket = (url, subprotocol) => {
  const socket = nodeWebSocket(url, subprotocol)
  const send = socket.send.bind(socket)
  socket.send = (data) => {
    if (deadly === null) return send(data)
    const frame = decodeClientFrame(data)
    const publishes = frame.ok && frame.value.kind === 'publish'
    if (publishes) reached('after it sealed')
    send(data)
    if (publishes) reached('after it sent')
  }
  return socket
}

class ChaosDevice {
  readonly #session: Session
  readonly #writer: HistoryWriter
  readonly #maker: ReportMaker
  readonly #everyMs: number | null
  readonly #open = new Set<string>()
  #finishing = false

  constructor(session: Session, writer: HistoryWriter, maker: ReportMaker, everyMs: number | null) {
    this.#session = session
    this.#writer = writer
    this.#maker = maker
    this.#everyMs = everyMs
  }

  /** Carries on where the last life ended. */
  begin(): void {
    const events = eventsOfEarlierLives(this.#writer.file)
    const open = new Set<string>()
    let cursor = 'all'
    for (const { op, type, id, detail } of events) {
      if (op === 'show' || op === 'gap') cursor = detail ?? cursor
      if (op !== 'publish') continue
      if (type === 'invoke') open.add(id)
      else if (type !== 'info') open.delete(id)
    }
    for (const id of open) void this.#watch(id)
    void this.#show(cursor)
    if (this.#everyMs !== null) void this.#submit(this.#everyMs)
  }

  get #dev(): number {
    return this.#session.me.num
  }

  async #submit(everyMs: number): Promise<void> {
    while (!this.#finishing) {
      await pause(everyMs * (0.5 + chance.next()))
      if (this.#open.size >= waitingMax || this.#finishing) continue
      const report = this.#maker.make()
      const { id } = report.meta
      this.#writer.add({ type: 'invoke', op: 'publish', id, dev: this.#dev })
      try {
        await this.#session.submit(report, { topic: topicName })
        void this.#watch(id)
      } catch (error) {
        this.#failed(id, error)
      }
    }
  }

  /** Waits for the relay's answer, however long it takes. */
  async #watch(id: string): Promise<void> {
    this.#open.add(id)
    try {
      const { cid, ix, cur } = await this.#session.submission(id).accepted()
      const place = { ...(ix === undefined ? {} : { ix }), ...(cur === undefined ? {} : { cur }) }
      this.#writer.add({
        type: 'ok',
        op: 'publish',
        id,
        dev: this.#dev,
        core: toHex(cid),
        ...place,
      })
    } catch (error) {
      this.#failed(id, error)
    }
    this.#open.delete(id)
  }

  #failed(id: string, error: unknown): void {
    const code = error instanceof RelayError ? error.code : String(error)
    const type = code === 'session_closed' ? 'info' : 'fail'
    const event = { type, op: 'publish', id, dev: this.#dev, code } as const
    this.#writer.add(isErrorCode(code) ? event : { ...event, detail: code })
  }

  async #show(from: string): Promise<void> {
    for await (const delivery of this.#session.subscribe({}, { from })) {
      this.#write(delivery)
      reached('after it showed')
      if (delivery.kind === 'report') await delivery.ack({ read: true })
    }
  }

  #write(delivery: Delivery): void {
    const base = { type: 'ok', op: 'show', dev: this.#dev, detail: delivery.cursor } as const
    if (delivery.kind === 'gap') {
      this.#writer.add({ ...base, op: 'gap', id: `${delivery.device}`, to: delivery.to })
    } else if (delivery.kind === 'undecryptable') {
      const core = delivery.core === null ? '' : toHex(delivery.core)
      this.#writer.add({ ...base, id: core, core, kind: 'closed', code: delivery.reason })
    } else {
      const core = toHex(delivery.core)
      // A notice has no name of its own.
      const isNotice = delivery.schema === 'violation'
      const name = isNotice ? 'notice' : 'report'
      const kind = delivery.verified === true ? name : `${name} ${delivery.verified}`
      const id = isNotice ? core : delivery.report.meta.id
      this.#writer.add({ ...base, id, core, kind })
    }
  }

  /** @returns Names of the reports that are still unknown. */
  async finish(msMax: number): Promise<string[]> {
    this.#finishing = true
    const end = performance.now() + msMax
    this.#session.connectNow()
    while (this.#open.size > 0 && performance.now() < end) await pause(50)
    return [...this.#open]
  }
}

async function start(order: Start): Promise<number[]> {
  await sodiumReady()
  const network = chaosNetwork(order.network)
  const door = { network, url: order.url, folder: { path: order.folder } }
  const numbers: number[] = []
  for (const { member, nth, everyMs } of order.devices) {
    const device = network.deviceOf(member, nth)
    const session = await openDevice(door, device, {
      wrapStore: mortalStore,
      webSocket: mortalSocket,
      clock: systemClock,
      random: () => chance.next(),
      waitFor: 'store',
      onLog: (line) => console.log(Date.now(), device.label, JSON.stringify(line)),
    })
    const writer = new HistoryWriter(order.history, order.world, device.label)
    const maker = new ReportMaker(member, order.canary)
    const one = new ChaosDevice(session, writer, maker, everyMs)
    one.begin()
    devices.push(one)
    numbers.push(device.num)
  }
  return numbers
}

serveParent(async (order: DeviceOrder) => {
  if ('start' in order) return start(order.start)
  if ('dieAt' in order) {
    deadly = order.dieAt
    return true
  }
  return (await Promise.all(devices.map((one) => one.finish(order.msMax)))).flat()
})
