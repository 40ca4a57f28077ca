import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openRedisLog } from '@liaison/server'
import { seededRandom } from '../support/seeded-random.ts'
import type { FaultKind } from './faults/kind.ts'
import { eventsIn } from './history.ts'
import { type Planned, scheduleOf } from './schedule.ts'
import { connectRaw } from './workload/connection.ts'
import { coresFrom } from './workload/read-again.ts'
import { disguises, type Owed, recordLog, scanFiles, scanMemory } from './world/inspect.ts'
import { measured, pause, until } from './world/processes.ts'
import { World, type WorldOptions } from './world/world.ts'

/** How a world is treated. */
export interface WorldRun {
  readonly options: WorldOptions
  readonly seed: number
  readonly seconds: number
  readonly kinds: readonly FaultKind[]
  /** Goes on somewhat longer until every kind has happened so often. */
  readonly roundsMin: number
  /** Tells a person what happens. */
  readonly talk: (text: string) => void
}

/** Time to come to rest, ms: for what is under way, and for readers. */
const finishMsMax = { usual: 45_000, small: 6_000 }
const catchUpMsMax = { usual: 30_000, small: 3_000 }
/** How much longer than asked a run may make faults to reach its rounds. */
const overtime = 0.5
/** Pause between two faults, ms: something must be acknowledged in between. */
const betweenMs = 250
const sampleMs = 1_500

/** Runs one network through its faults, lets it come to rest, and looks at what is left. */
export async function runWorld(run: WorldRun): Promise<void> {
  const { talk, options } = run
  const over = new AbortController()
  const world = await World.start(options)
  try {
    talk(`${options.name}: ${world.readers.length} readers, ${world.network.devices.size} devices`)
    await world.calm(1_000)
    const sampling = sample(world, over.signal)
    await Promise.all([lane(world, run, 'servers'), lane(world, run, 'clients')])
    await rest(world, run.seed, talk)
    over.abort()
    await sampling
  } finally {
    over.abort()
    await world[Symbol.asyncDispose]()
  }
}

/** Makes the faults of one lane, one after the other. */
async function lane(
  world: World,
  { kinds, seed, seconds, roundsMin, talk, options }: WorldRun,
  name: FaultKind['lane'],
): Promise<void> {
  const end = performance.now() + seconds * 1000
  const lastEnd = end + overtime * seconds * 1000
  const wanted = kinds.filter((kind) => kind.lane === name).length * roundsMin
  let serial = 0
  for (const planned of scheduleOf(seed, name, kinds)) {
    const now = performance.now()
    if (now > lastEnd || (now > end && serial >= wanted)) return
    const id = `${name} ${++serial}`
    const began = performance.now()
    const isOver = await makeFault(world, id, planned)
    const ms = Math.round(performance.now() - began)
    talk(`${options.name}: ${id} ${planned.kind.name} ${JSON.stringify(planned.draw)} ${ms} ms`)
    if (!isOver) return
    await pause(betweenMs)
  }
}

/** @returns false when the world did not come to itself: what follows would show nothing more */
async function makeFault(world: World, id: string, { kind, draw }: Planned): Promise<boolean> {
  const event = { op: 'fault', id, kind: kind.name } as const
  world.writer.add({ ...event, type: 'invoke', detail: JSON.stringify(draw) })
  try {
    const detail = await kind.run(world, draw)
    world.writer.add({ ...event, type: 'ok', ...(typeof detail === 'string' ? { detail } : {}) })
  } catch (error) {
    world.writer.add({ ...event, type: 'fail', detail: String(error) })
    return false
  }
  if (kind.lane === 'clients') return true
  return world.recover(kind.name).then(
    () => true,
    () => false,
  )
}

async function sample(world: World, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    sampleOnce(world)
    if (world.store.nodes.length === 1) await recordSizes(world)
    await pause(sampleMs, signal)
  }
}

function sampleOnce(world: World): void {
  for (const { name, pid } of [...world.relays, ...world.hosts, ...world.store.nodes]) {
    const usage = measured(pid)
    if (usage !== null) world.writer.add({ type: 'ok', op: 'sample', id: name, ...usage })
  }
}

async function recordSizes(world: World): Promise<void> {
  const numbers = await world.store.node.tryRun('HMGET', world.numbersKey, 'leaves', 'dir')
  if (!Array.isArray(numbers) || numbers.some((one) => one === null)) return
  const [leaves, dir] = numbers.map(Number) as [number, number]
  world.writer.add({ type: 'ok', op: 'sizes', id: 'sample', leaves, dir })
}

/** No more faults: everything is settled, delivered, and looked at. */
async function rest(world: World, seed: number, talk: (text: string) => void): Promise<void> {
  const { writer } = world
  const name = world.options.name
  await world.recover('the last fault').catch((error: unknown) => talk(`${name}: ${String(error)}`))
  if (!world.options.isSmall) await everyRelayServes(world, talk)
  const size = world.options.isSmall ? 'small' : 'usual'
  const all = [...world.publishers, ...(world.poisoner === null ? [] : [world.poisoner])]
  const [unknown, open] = await Promise.all([
    Promise.all(all.map((one) => one.finish(finishMsMax[size]))),
    Promise.all(world.hosts.map((host) => host.finish(finishMsMax[size]))),
  ])
  talk(`${name}: unknown for good: ${unknown.join(' ')} ${open.flat().length}`)
  await world.store.settle()
  const redis = world.store.node.client()
  const { net } = world.network.directory
  try {
    const readAll = async (to: Pick<typeof writer, 'add'>): Promise<Owed[]> => {
      await using log = await openRedisLog({ redis: world.store.primary(), net })
      // Before the log is closed.
      return await recordLog({ redis, log }, world.network, world.topic, to)
    }
    const owed = await readAll({ add: () => undefined })
    talk(`${name}: ${owed.length} reports in the log`)
    await caughtUp(world, owed).catch(async (error: unknown) => {
      talk(`${name}: ${String(error)}`)
      for (const host of world.hosts) talk(`${host.name}: ${await host.lastWords()}`)
    })
    const entries = await readAll(writer)
    await readAgain(world, entries, seed).catch((error: unknown) =>
      talk(`${name}: ${String(error)}`),
    )
  } finally {
    redis.disconnect()
  }
  await scan(world)
  sampleOnce(world)
  const inside = world.victims.filter((one) => !world.out.has(one)).map((one) => one.device.num)
  writer.add({ type: 'ok', op: 'quiesce', id: 'end', devs: [...world.readers, ...inside] })
}

/** Every relay must serve again, not only one that the clients have found. */
async function everyRelayServes(world: World, talk: (text: string) => void): Promise<void> {
  for (const relay of world.relays) {
    try {
      await until(`${relay.name} serves`, () => relay.ready(), 15_000)
    } catch (error) {
      // Stands in the history like a fault that is never over.
      const event = { op: 'fault', id: `${relay.name} at the end`, kind: 'at-rest' } as const
      world.writer.add({ ...event, type: 'invoke' })
      world.writer.add({ ...event, type: 'fail', detail: String(error) })
      talk(`${relay.name}: ${(await readFile(relay.logFile, 'utf8')).slice(-3_000)}`)
    }
  }
}

/** Waits until every reader has shown what is for it. */
async function caughtUp(world: World, owed: readonly Owed[]): Promise<void> {
  const end = performance.now() + catchUpMsMax[world.options.isSmall ? 'small' : 'usual']
  const last = owed.at(-1)?.cursor ?? 0
  for (const one of [...world.watchers, ...world.victims]) {
    if (world.out.has(one)) continue
    await until(`${one.device.label} caught up`, () => one.cursor >= last, end - performance.now())
  }
  for (const dev of world.readers) {
    const label = world.network.devices.get(dev)?.label ?? ''
    const file = join(world.options.history, `${world.options.name}-${label}.ndjson`)
    if (world.watchers.some((one) => one.device.num === dev)) continue
    const mine = owed.filter(({ devs, from }) => devs.includes(dev) && from !== dev)
    await until(
      `${label} has shown everything`,
      async () => {
        const have = new Set(eventsIn(file).flatMap((e) => (e.op === 'show' ? [e.core] : [])))
        await pause(200)
        return mine.every(({ core }) => have.has(core))
      },
      end - performance.now(),
    )
  }
}

/** Reads anew from cursors by chance, as the devices that have seen everything. */
async function readAgain(world: World, owed: readonly Owed[], seed: number): Promise<void> {
  const random = seededRandom(seed)
  const last = owed.at(-1)?.cursor ?? 0
  for (const { device } of [...world.watchers, ...world.victims].slice(0, 3)) {
    const from = random.integer(Math.max(1, last))
    const client = await connectRaw(world.url, world.network, device)
    const cores = await coresFrom(client, world.topic, from, last)
    client.socket.terminate()
    world.writer.add({
      type: 'ok',
      op: 'again',
      id: device.label,
      dev: device.num,
      cur: from,
      cores,
    })
  }
}

/** Looks for the text of reports wherever it must not be, and where it must be found. */
async function scan(world: World): Promise<void> {
  const needles = disguises(world.canary)
  const { folder } = world.options
  const add = (id: string, result: { bytes: number; found: number }, control = false): void =>
    world.writer.add({ type: 'ok', op: 'scan', id, ...result, ...(control ? { control } : {}) })
  for (const node of world.store.nodes)
    add(`disk of ${node.name}`, await scanFiles(node.folder, needles))
  for (const relay of world.relays) {
    const home = join(folder, relay.name)
    await copyFile(relay.logFile, join(home, 'log'))
    add(`files of ${relay.name}`, await scanFiles(home, needles))
  }
  for (const [id, pid] of [
    ...world.relays.map(({ name, pid: p }) => [name, p] as const),
    ...world.store.nodes.map(({ name, pid: p }) => [name, p] as const),
  ]) {
    const found = await scanMemory(pid, needles)
    if (found !== null) add(`memory of ${id}`, found)
  }
  const control = join(folder, 'control')
  await mkdir(control, { recursive: true })
  await writeFile(join(control, 'text'), `x${Buffer.from(world.canary).toString('base64')}`)
  add('a file with the text', await scanFiles(control, needles), true)
  const device = await scanMemory(world.hosts[0]?.pid ?? 0, needles)
  if (device !== null) add('memory of a device', device, true)
}
