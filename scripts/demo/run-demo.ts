import { cp, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ContentError } from '@liaison/client-sdk'
import { draftRevoke, draftSuspend } from '@liaison/client-sdk/admin'
import { epochMs, isRelayError, systemClock } from '@liaison/protocol'
import { canariesOf, filesIn, scan } from './canaries.ts'
import { DemoDevice, deviceFolder, until } from './devices.ts'
import { RelayProcess } from './relay-process.ts'
import { type PlannedReport, readReports } from './reports.ts'
import { Administration, foundNetwork, networkOf, type Stage } from './stage.ts'
import type { Talk } from './talk.ts'
import { type AcceptedReport, acceptedOf, coresOf, tally } from './tally.ts'
import { publishTampered } from './tamper.ts'

/** Longest wait for one step, ms. */
const stepMsMax = 30_000

/** Reports that must follow the suspension, so that its silence means something. */
const afterSuspension = 12

/** Reports that are under way together when the relay is killed. */
const inFlightWanted = 4

/** What the demonstration is told. */
export interface DemoOptions {
  readonly folder: string
  readonly reports: string
  readonly evidence: string | null
  readonly talk: Talk
  readonly keep: boolean
}

/** What it found; every figure is counted. */
export interface DemoResult {
  readonly ok: boolean
  readonly [figure: string]: unknown
}

/** Runs the whole demonstration. */
export async function runDemo(options: DemoOptions): Promise<DemoResult> {
  const demo = new Demo(options)
  try {
    return await demo.run()
  } finally {
    await demo.end()
  }
}

class Demo {
  readonly #options: DemoOptions
  readonly #talk: Talk
  readonly #accepted: AcceptedReport[] = []
  readonly #rejected: { why: string; code: string }[] = []
  readonly #devices = new Map<string, DemoDevice>()
  #stage: Stage | null = null
  #relay: RelayProcess | null = null
  #administration: Administration | null = null
  #submitted = 0

  constructor(options: DemoOptions) {
    this.#options = options
    this.#talk = options.talk
  }

  async run(): Promise<DemoResult> {
    const talk = this.#talk
    talk.chapter('The network is founded')
    const stage = await foundNetwork(this.#options.folder)
    this.#stage = stage
    const { files } = stage
    this.#relay = new RelayProcess(
      { data: files.data, network: files.network, keys: files.keys, logLevel: 'info' },
      files.log,
    )
    await this.#relay.start()
    talk.line(`relay listens on ${this.#relay.url}, its data are in ${files.data}`)
    await this.#enrolAll(stage)
    const planned = await this.#plan()
    await this.#connectAll(stage, (d) => d.example.demo !== 'offline')

    talk.chapter('Reports are sent')
    const half = Math.max(1, Math.floor((planned.length - afterSuspension) / 2))
    const before = Math.max(half + 1, planned.length - afterSuspension)
    for (const one of planned.slice(0, half)) await this.#send(one)
    const restart = await this.#killInFlight(
      planned.slice(half, Math.min(half + inFlightWanted, before)),
    )
    for (const one of planned.slice(Math.min(half + inFlightWanted, before), before))
      await this.#send(one)
    await this.#refusals(stage, planned)

    const revocation = await this.#revoke(stage, planned.slice(before))
    const caughtUp = await this.#comeBack(stage)
    return this.#count(stage, planned, { restart, revocation, caughtUp })
  }

  async #enrolAll(stage: Stage): Promise<void> {
    const { example, files } = stage
    const url = this.#url()
    const network = networkOf(stage, url)
    this.#administration = await Administration.connect(example, network, url)
    const records = await this.#administration.bootstrap()
    this.#talk.line(
      `five administrators signed the genesis; ${records} statements name members, topics and rights`,
    )
    for (const device of example.devices) {
      const storeFolder = deviceFolder(files.folder, device.id)
      const number = await this.#administration.enrol(device, storeFolder)
      this.#devices.set(device.id, new DemoDevice(device, number, storeFolder, example))
    }
    const { directory } = this.#administration.session
    this.#talk.line(
      `${directory.members().length} members; ${this.#devices.size} devices enrolled, each by administrators of two organisations (three for the FLU)`,
    )
  }

  async #plan(): Promise<PlannedReport[]> {
    const directory = this.#admin().session.directory
    const topicFor = (type: string): string =>
      directory
        .topics()
        .find((topic) => topic.schemas.some((n) => directory.schema(n)?.name === type))?.name ?? ''
    return readReports(this.#options.reports, topicFor)
  }

  async #connectAll(stage: Stage, which: (device: DemoDevice) => boolean): Promise<void> {
    const chosen = [...this.#devices.values()]
      .filter(which)
      .filter((d) => d.example.role !== 'administrator')
    const url = this.#url()
    await Promise.all(chosen.map((device) => device.online(url, networkOf(stage, url))))
    const away = [...this.#devices.values()].filter(
      (d) => d.session === null && d.example.role !== 'administrator',
    )
    this.#talk.line(
      `${chosen.length} devices online${away.length > 0 ? `; away: ${away.map((d) => d.name).join(', ')}` : ''}`,
    )
  }

  /** The device from which a member sends: the first officer's that is online. */
  #senderOf(member: string): DemoDevice {
    const own = [...this.#devices.values()].filter(
      (d) => d.example.member === member && d.session !== null,
    )
    const device =
      own.find((d) => d.example.role === 'officer' && d.example.demo === undefined) ?? own[0]
    if (device === undefined) throw new Error(`nobody of ${member} is online`)
    return device
  }

  async #submit(one: PlannedReport): Promise<DemoDevice> {
    const device = this.#senderOf(one.member)
    const { topic, to } = one
    this.#submitted++
    await device.session?.submit(one.report, { topic, ...(to === undefined ? {} : { to }) })
    return device
  }

  async #send(one: PlannedReport): Promise<void> {
    const device = await this.#submit(one)
    await this.#accept(device, one)
  }

  async #accept(device: DemoDevice, one: PlannedReport): Promise<void> {
    const submission = device.session?.submission(one.report.meta.id)
    await submission?.accepted(AbortSignal.timeout(stepMsMax))
    const accepted = acceptedOf(device, one, this.#admin().session.directory)
    this.#accepted.push(accepted)
    const { type, meta } = one.report
    const urgency = meta.precedence === 'routine' ? '' : ` ${meta.precedence.toUpperCase()}`
    this.#talk.line(
      `${one.member.padEnd(6)} ${type}${urgency} [${meta.handling.tlp}] -> ${one.topic}${one.to === undefined ? '' : ` to ${one.to.join(', ')}`}: sealed for ${accepted.readers.length + 1} devices`,
    )
  }

  /** Kills the relay while reports are on their way and starts it again. */
  async #killInFlight(
    batch: readonly PlannedReport[],
  ): Promise<{ signal: string; inFlight: number }> {
    const relay = this.#process()
    this.#talk.chapter('The relay is killed in the middle (SIGKILL)')
    const devices = await Promise.all(batch.map((one) => this.#submit(one)))
    const unknown = (): number =>
      batch.filter((one, i) => {
        const state = devices[i]?.session?.outbox.get(one.report.meta.id)?.state
        return state === 'queued' || state === 'sealed'
      }).length
    const inFlight = unknown()
    await relay.kill()
    this.#talk.line(
      `relay killed with ${inFlight} reports under way; nobody knows what it has kept`,
    )
    await relay.start()
    this.#talk.line('relay started again on the same data')
    for (const [i, one] of batch.entries()) {
      const device = devices[i]
      if (device !== undefined) await this.#accept(device, one)
    }
    await this.#reconnectAdministration()
    return { signal: 'SIGKILL', inFlight }
  }

  async #reconnectAdministration(): Promise<void> {
    this.#administration?.session.close()
    const stage = this.#founded()
    const url = this.#url()
    this.#administration = await Administration.connect(stage.example, networkOf(stage, url), url)
  }

  /** What must be refused is offered, and the codes are noted. */
  async #refusals(stage: Stage, planned: readonly PlannedReport[]): Promise<void> {
    this.#talk.chapter('What must be refused')
    const [first] = planned
    if (first === undefined) throw new Error('there are no reports')
    const officer = this.#senderOf(first.member)
    const broken = { ...first.report, title: '', unknownField: true }
    try {
      await officer.session?.submit(broken, { topic: first.topic })
    } catch (error) {
      if (!(error instanceof ContentError)) throw error
      const fields = error.problems.map((p) => `${p.pointer} ${p.code}`).join(', ')
      this.#refused(`a report that breaks its schema (${fields})`, error.code)
    }
    const one =
      planned.find((p) => p.report.meta.handling.tlp !== 'RED' && p.to === undefined) ?? first
    const device = this.#senderOf(one.member)
    const { directory } = this.#admin().session
    const url = this.#url()
    const network = networkOf(stage, url)
    const code = await publishTampered(
      { device, example: stage.example, network, directory, url },
      one,
    )
    this.#refused('an envelope of which one bit was changed on the way', code)
  }

  #refused(why: string, code: string): void {
    this.#rejected.push({ why, code })
    this.#talk.line(`refused: ${why}: ${code}`)
  }

  /** One administrator suspends a device; the others go on; then two revoke it. */
  async #revoke(stage: Stage, rest: readonly PlannedReport[]): Promise<Record<string, unknown>> {
    const lost = [...this.#devices.values()].find((d) => d.example.demo === 'revoke')
    if (lost === undefined) throw new Error('no device plays the lost one')
    this.#talk.chapter(`The device ${lost.name} is reported stolen`)
    await this.#settle(`all reports reach their readers`)
    const administration = this.#admin()
    const why = 'reported stolen (demonstration)'
    const draft = draftSuspend(
      administration.session.directory,
      { dev: lost.number, why },
      epochMs(systemClock()),
    )
    const began = performance.now()
    await administration.append(draft, [4])
    const ackMs = Math.round(performance.now() - began)
    const before = coresOf(await lost.received())
    this.#talk.line(`one administrator suspended it: in force on the relay after ${ackMs} ms`)
    for (const one of rest) await this.#send(one)
    await this.#settle('the reports after the suspension reach their readers')
    const after = coresOf(await lost.received())
    const closed = await lost.session?.closed
    const refusedAfterAck = await this.#tryAgain(stage, lost)
    const revoke = draftRevoke(
      administration.session.directory,
      { dev: lost.number, why },
      epochMs(systemClock()),
    )
    await administration.append(revoke, [1, 4])
    const deliveredAfterAck = after.length - before.length
    this.#talk.line(
      `${rest.length} reports later it has received ${deliveredAfterAck} of them; the relay tells it ${closed?.code ?? 'nothing'}; two administrators revoked it for good`,
    )
    return {
      device: lost.example.id,
      ackMs,
      publishedAfterAck: rest.length,
      deliveredAfterAck,
      refusedAfterAck,
    }
  }

  /** Whether the relay refuses the lost device when it comes back. */
  async #tryAgain(stage: Stage, lost: DemoDevice): Promise<boolean> {
    await lost.offline()
    const url = this.#url()
    try {
      await lost.online(url, networkOf(stage, url))
      return false
    } catch (error) {
      if (!isRelayError(error)) throw error
      this.#refused('the stolen device, when it connects again', error.code)
      return error.code === 'device_inactive'
    }
  }

  /** Devices that were away come back and catch up. */
  async #comeBack(stage: Stage): Promise<number> {
    this.#talk.chapter('Those who were away come back')
    const away = [...this.#devices.values()].filter((d) => d.example.demo === 'offline')
    const url = this.#url()
    for (const device of away) await device.online(url, networkOf(stage, url))
    await this.#settle('the devices that were away have caught up')
    for (const device of away) {
      this.#talk.line(
        `${device.name} has caught up: ${coresOf(await device.received()).length} reports`,
      )
    }
    return away.length
  }

  /** Waits until every device that is online shows what it has to show. */
  async #settle(what: string): Promise<void> {
    await until(what, stepMsMax, async () => {
      for (const device of this.#devices.values()) {
        if (device.session?.state !== 'online') continue
        const names = new Set(coresOf(await device.received()))
        const wanted = this.#accepted.filter((a) => a.readers.includes(device.number))
        if (wanted.some((a) => !names.has(a.core))) return false
      }
      return true
    })
  }

  async #count(
    stage: Stage,
    planned: readonly PlannedReport[],
    parts: { restart: object; revocation: Record<string, unknown>; caughtUp: number },
  ): Promise<DemoResult> {
    this.#talk.chapter('Everything is counted')
    const { directory } = this.#admin().session
    const isFlu = (num: number): boolean => directory.isFlu(directory.device(num)?.mem ?? -1)
    const all = [...this.#devices.values()]
    const lost = all.find((d) => d.example.demo === 'revoke')
    if (lost !== undefined) await lost.reopen()
    const { expected, shown, duplicatesShown, undecryptable, gaps, flu } = await tally(
      all,
      this.#accepted,
      isFlu,
    )
    const bytes = all.reduce(
      (sum, d) => ({
        published: sum.published + (d.session?.link.sent ?? 0),
        delivered: sum.delivered + (d.session?.link.received ?? 0),
      }),
      { published: 0, delivered: 0 },
    )
    await this.#endDevices()
    await this.#process().stop()
    const plaintext = await this.#scanRelay(stage, planned)
    const { revocation } = parts
    const byType: Record<string, number> = {}
    for (const { planned: one } of this.#accepted) {
      byType[one.report.type] = (byType[one.report.type] ?? 0) + 1
    }
    const reports = { submitted: this.#submitted, accepted: this.#accepted.length, byType }
    const ok =
      reports.accepted === reports.submitted &&
      expected > 0 &&
      shown === expected &&
      duplicatesShown === 0 &&
      undecryptable === 0 &&
      gaps === 0 &&
      flu.shown === flu.expected &&
      revocation['deliveredAfterAck'] === 0 &&
      revocation['refusedAfterAck'] === true &&
      plaintext.hits === 0 &&
      plaintext.positiveControl &&
      this.#rejected.length === 3
    const result: DemoResult = {
      ok,
      store: 'lmdb',
      members: directory.members().length,
      devices: this.#devices.size,
      reports,
      deliveries: { expected, shown, duplicatesShown, undecryptable, gaps },
      flu,
      caughtUp: parts.caughtUp,
      restarts: parts.restart,
      revocation,
      rejected: this.#rejected,
      plaintextOnRelay: plaintext.hits,
      plaintext: {
        canaries: plaintext.canaries,
        bytesScanned: plaintext.bytesScanned,
        positiveControl: plaintext.positiveControl,
      },
      bytes,
      ms: this.#talk.ms,
    }
    this.#talk.line(
      `${shown} of ${expected} deliveries shown, ${duplicatesShown} twice, ${undecryptable} closed, ${gaps} gaps`,
    )
    this.#talk.line(`the FLU shows ${flu.shown} of ${flu.expected}`)
    this.#talk.line(
      `${plaintext.canaries} sentences of the reports looked for in ${plaintext.bytesScanned} bytes of the relay: found ${plaintext.hits}`,
    )
    await this.#leaveEvidence(stage, result)
    return result
  }

  /** Looks for the reports' own sentences in everything the relay wrote, and proves that it would find one. */
  async #scanRelay(
    { files }: Stage,
    planned: readonly PlannedReport[],
  ): Promise<{ hits: number; canaries: number; bytesScanned: number; positiveControl: boolean }> {
    const canaries = canariesOf(planned.map((one) => one.report))
    const paths = [...(await filesIn(files.data)), files.log]
    const found = await scan(paths, canaries)
    const control = join(files.folder, 'control.bin')
    await writeFile(
      control,
      Buffer.from(JSON.stringify(planned[0]?.report ?? {})).toString('base64'),
    )
    const positive = await scan([control], canaries)
    return { ...found, canaries: canaries.length, positiveControl: positive.hits > 0 }
  }

  async #leaveEvidence({ files }: Stage, result: DemoResult): Promise<void> {
    const { evidence } = this.#options
    if (evidence === null) return
    await mkdir(join(evidence, 'devices'), { recursive: true })
    await cp(files.data, join(evidence, 'relay-data'), { recursive: true })
    await cp(files.log, join(evidence, 'relay.log'))
    await cp(files.network, join(evidence, 'network.json'))
    await writeFile(join(evidence, 'result.json'), `${JSON.stringify(result, null, 2)}\n`)
    for (const [id, cores] of this.#lists) {
      await writeFile(
        join(evidence, 'devices', `${id}.json`),
        `${JSON.stringify(cores, null, 2)}\n`,
      )
    }
  }

  readonly #lists = new Map<string, string[]>()

  async #endDevices(): Promise<void> {
    for (const device of this.#devices.values()) {
      this.#lists.set(device.example.id, coresOf(await device.received()))
      await device.offline()
    }
    this.#administration?.session.close()
  }

  /** Ends whatever still runs. */
  async end(): Promise<void> {
    for (const device of this.#devices.values()) await device.offline().catch(() => undefined)
    this.#administration?.session.close()
    await this.#relay?.kill()
  }

  #admin(): Administration {
    if (this.#administration === null) throw new Error('no administrator is connected')
    return this.#administration
  }

  #process(): RelayProcess {
    if (this.#relay === null) throw new Error('no relay runs')
    return this.#relay
  }

  #founded(): Stage {
    if (this.#stage === null) throw new Error('the network is not founded')
    return this.#stage
  }

  #url(): string {
    return this.#process().url
  }
}
