import { ContentError } from '@liaison/client-sdk'
import { isRelayError } from '@liaison/protocol'
import { DemoDevice, deviceFolder, until } from './devices.ts'
import type { RelayProcess } from './relay-process.ts'
import type { PlannedReport } from './reports.ts'
import type { Sabotage } from './sabotage.ts'
import { Administration, networkOf, type Stage } from './stage.ts'
import type { Talk } from './talk.ts'
import { type AcceptedReport, acceptedOf, coresOf } from './tally.ts'
import { WatchedLink } from './watched-link.ts'

/** Longest wait for one step, ms. */
const stepMsMax = 30_000

/** Something that was offered and refused. */
export interface Refusal {
  readonly why: string
  readonly code: string
}

/** Everybody who plays: the relay, the administrators, the devices; and the record of what they did. */
export class Cast {
  readonly stage: Stage
  readonly relay: RelayProcess
  readonly talk: Talk
  readonly sabotage: Sabotage | null
  readonly devices = new Map<string, DemoDevice>()
  readonly accepted: AcceptedReport[] = []
  readonly refusals: Refusal[] = []
  submitted = 0
  #administration: Administration | null = null

  constructor(stage: Stage, relay: RelayProcess, talk: Talk, sabotage: Sabotage | null) {
    this.stage = stage
    this.relay = relay
    this.talk = talk
    this.sabotage = sabotage
  }

  get administration(): Administration {
    if (this.#administration === null) throw new Error('no administrator is connected')
    return this.#administration
  }

  /** The directory as the administrators see it. */
  get directory(): Administration['session']['directory'] {
    return this.administration.session.directory
  }

  /** All but the administrators' own devices. */
  get readers(): readonly DemoDevice[] {
    return [...this.devices.values()].filter((d) => d.example.role !== 'administrator')
  }

  readonly isFlu = (device: number): boolean =>
    this.directory.isFlu(this.directory.device(device)?.mem ?? -1)

  /** The device that plays a part in the story. */
  playing(part: 'offline' | 'revoke'): readonly DemoDevice[] {
    return this.readers.filter((d) => d.example.demo === part)
  }

  /** Connects an administrator, again after the relay was away. */
  async administer(): Promise<void> {
    this.#administration?.session.close()
    const { url } = this.relay
    this.#administration = await Administration.connect(
      this.stage.example,
      networkOf(this.stage, url),
      url,
    )
  }

  /** Brings the members, topics and rights into the directory, then every device. */
  async enrolAll(): Promise<void> {
    const { example, files } = this.stage
    await this.administer()
    const records = await this.administration.bootstrap()
    this.talk.line(
      `five administrators signed the genesis; ${records} statements name members, topics and rights`,
    )
    for (const device of example.devices) {
      const folder = deviceFolder(files.folder, device.id)
      const number = await this.administration.enrol(device, folder)
      const wire = new WatchedLink(this.directory.net)
      this.devices.set(device.id, new DemoDevice(device, number, folder, example, wire))
    }
    this.talk.line(
      `${this.directory.members().length} members; ${this.devices.size} devices enrolled, each by administrators of two organisations (three for the FLU)`,
    )
  }

  async connect(device: DemoDevice): Promise<void> {
    await device.online(this.relay.url, networkOf(this.stage, this.relay.url))
  }

  /** Connects all who are there from the beginning. */
  async connectAll(): Promise<void> {
    const away = this.playing('offline')
    const present = this.readers.filter((d) => !away.includes(d))
    await Promise.all(present.map((device) => this.connect(device)))
    const names = away.map((d) => d.name).join(', ')
    this.talk.line(`${present.length} devices online${away.length > 0 ? `; away: ${names}` : ''}`)
  }

  /** The device from which a member sends: an officer's that takes no other part, if there is one. */
  senderOf(member: string): DemoDevice | null {
    const own = this.readers.filter((d) => d.example.member === member && d.session !== null)
    return (
      own.find((d) => d.example.role === 'officer' && d.example.demo === undefined) ??
      own[0] ??
      null
    )
  }

  /** @returns The device whose outbox has the report now; null when it was refused before that. */
  async submit(one: PlannedReport): Promise<DemoDevice | null> {
    const device = this.senderOf(one.member)
    const { topic, to } = one
    if (device?.session == null) {
      this.refuse(`${one.file}: no device of ${one.member} is online`, 'device_unknown')
      return null
    }
    try {
      await device.session.submit(one.report, { topic, ...(to === undefined ? {} : { to }) })
    } catch (error) {
      if (!(error instanceof ContentError) && !isRelayError(error)) throw error
      const fields = error instanceof ContentError ? ` (${problemsOf(error)})` : ''
      this.refuse(`${one.file}${fields}`, error.code)
      return null
    }
    this.submitted++
    return device
  }

  /** Sends a report and waits for the relay's receipt. */
  async send(one: PlannedReport): Promise<void> {
    const device = await this.submit(one)
    if (device !== null) await this.accept(device, one)
  }

  /** Waits for the receipt of a report and notes who has to receive it. */
  async accept(device: DemoDevice, one: PlannedReport): Promise<void> {
    const submission = device.session?.submission(one.report.meta.id)
    await submission?.accepted(AbortSignal.timeout(stepMsMax))
    const accepted = acceptedOf(device, one, this.directory)
    this.accepted.push(accepted)
    const { type, meta } = one.report
    const urgency = meta.precedence === 'routine' ? '' : ` ${meta.precedence.toUpperCase()}`
    const to = one.to === undefined ? '' : ` to ${one.to.join(', ')}`
    this.talk.line(
      `${one.member.padEnd(6)} ${type}${urgency} [${meta.handling.tlp}] -> ${one.topic}${to}: sealed for ${accepted.readers.length + 1} devices`,
    )
  }

  refuse(why: string, code: string): void {
    this.refusals.push({ why, code })
    this.talk.line(`refused: ${why}: ${code}`)
  }

  /**
   * Waits until every device that was let in, and may come back by itself, shows what it has to show.
   * With a defect on purpose it only waits until nothing moves any more.
   */
  async settle(what: string): Promise<void> {
    if (this.sabotage !== null) return this.#quiet()
    await until(what, stepMsMax, () => this.#missing() === 0)
  }

  #missing(): number {
    return this.readers
      .filter((d) => d.session !== null && d.session.state !== 'closed')
      .reduce((sum, device) => {
        const names = new Set(coresOf(device.screen))
        const wanted = this.accepted.filter((a) => a.readers.includes(device.number))
        return sum + wanted.filter((a) => !names.has(a.core)).length
      }, 0)
  }

  async #quiet(): Promise<void> {
    for (let before = -1; this.#missing() !== before; ) {
      before = this.#missing()
      await new Promise((resolve) => setTimeout(resolve, 1500))
    }
  }

  /** Ends every session and waits for it. */
  async leave(): Promise<void> {
    for (const device of this.devices.values()) await device.offline().catch(() => undefined)
    this.#administration?.session.close()
  }
}

/** Fields at fault, in one line. */
export const problemsOf = (error: ContentError): string =>
  error.problems.map((p) => `${p.pointer} ${p.code}`).join(', ')
