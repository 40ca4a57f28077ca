/**
 * Runs that must fail: relays with one defect, and stores that do not keep what they promise. A harness
 * that finds nothing there would find nothing anywhere.
 */
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { check, type Verdict } from './checker/check.ts'
import { failoverFaults } from './faults/failover-faults.ts'
import type { FaultKind } from './faults/kind.ts'
import { storeFaults } from './faults/store-faults.ts'
import { suspensionFaults } from './faults/suspension-faults.ts'
import { joinHistory } from './history.ts'
import { runWorld } from './run-world.ts'
import { haStore, type Machine, prepare, singleStore, worldOptions } from './setting.ts'
import type { Mutant } from './world/mutants.ts'
import type { World } from './world/world.ts'

/** One run that must go red. */
export interface SelfTestCase {
  readonly name: string
  readonly mutant: Mutant | null
  readonly store: 'single' | 'ha without waiting'
  readonly kinds: readonly FaultKind[]
  readonly seconds: number
  /** At least one of these must be broken. */
  readonly expected: readonly string[]
}

/** What became of one of them. */
export interface SelfTestResult {
  readonly name: string
  readonly isRed: boolean
  readonly expected: readonly string[]
  readonly broken: readonly string[]
  readonly acknowledged: number
  readonly lost: number
}

const named = (kinds: readonly FaultKind[], name: string): FaultKind[] =>
  kinds.filter((kind) => kind.name === name)

/** A power cut after somebody has told the server not to sync, which the relays do not know. */
const unsyncedPowerCut: FaultKind = {
  name: 'power-cut-unsynced',
  what: 'the server has been told not to sync, and loses its power',
  lane: 'servers',
  needs: 'compiler',
  draw: () => ({}),
  async run(world: World) {
    const { node } = world.store
    await node.tryRun('CONFIG', 'SET', 'appendfsync', 'no')
    await world.calm(1_500)
    await node.kill()
    await node.dropUnsynced()
    await node.start()
    for (const relay of world.relays) await relay.kill()
    for (const relay of world.relays) await relay.start()
  },
}

const nothing: readonly FaultKind[] = []
const defect = (
  mutant: Mutant,
  kinds: readonly FaultKind[],
  expected: readonly string[],
  seconds = 4,
): SelfTestCase => ({ name: mutant, mutant, store: 'single', kinds, seconds, expected })

/** All of them. */
export const selfTestCases: readonly SelfTestCase[] = [
  defect('drop-one', nothing, ['I1']),
  defect('duplicate-one', nothing, ['I3']),
  defect('swap-two', nothing, ['I4']),
  defect('forget-leaf', nothing, ['I7']),
  defect('ack-before-append', nothing, ['I1', 'I7']),
  defect('deliver-after-suspension', named(suspensionFaults, 'suspension'), ['I5'], 6),
  defect('ignore-fence', named(suspensionFaults, 'suspension'), ['I6'], 9),
  defect('swallow-error', named(storeFaults, 'redis-kill'), ['I1', 'I7']),
  {
    name: 'power cut without syncing',
    mutant: null,
    store: 'single',
    kinds: [unsyncedPowerCut],
    seconds: 1,
    expected: ['I1'],
  },
  {
    name: 'failover without waiting for replicas',
    mutant: null,
    store: 'ha without waiting',
    kinds: named(failoverFaults, 'failover-partition'),
    seconds: 1,
    expected: ['I1'],
  },
]

/** Runs the cases with these names, all when there are none. */
export async function runSelfTest(o: {
  readonly names: readonly string[]
  readonly hasNamespaces: boolean
  readonly talk: (text: string) => void
}): Promise<SelfTestResult[]> {
  const wanted = selfTestCases.filter(({ name }) => o.names.length === 0 || o.names.includes(name))
  const results: SelfTestResult[] = []
  for (const one of wanted) {
    const folder = await mkdtemp(join(tmpdir(), 'liaison-chaos-'))
    try {
      const machine = await prepare(folder, o.hasNamespaces)
      if (!one.kinds.every(({ needs }) => machine.has(needs))) continue
      results.push(await runCase(machine, one, o.talk))
    } finally {
      await rm(folder, { recursive: true, force: true }).catch(() => undefined)
    }
  }
  return results
}

async function runCase(
  machine: Machine,
  { name, mutant, store: kind, kinds, seconds, expected }: SelfTestCase,
  talk: (text: string) => void,
): Promise<SelfTestResult> {
  const world = name.replaceAll(' ', '-')
  const store =
    kind === 'single' ? await singleStore(machine, world) : await haStore(machine, world, 'unsafe')
  const options = worldOptions(machine, world, world, store, { mutant })
  await runWorld({ options, seed: 1, seconds, kinds, roundsMin: 1, talk }).catch((error: unknown) =>
    talk(`${name}: ${String(error)}`),
  )
  const verdict = await judged(machine)
  const broken = verdict.broken.map(({ invariant }) => invariant)
  for (const { invariant, examples } of verdict.broken) talk(`${name}: ${invariant} ${examples[0]}`)
  const { acknowledged, lost } = verdict
  const isRed = broken.some((invariant) => expected.includes(invariant))
  return { name, isRed, expected, broken, acknowledged, lost }
}

async function judged({ folder, history }: Machine): Promise<Verdict> {
  if ((await readdir(history)).length === 0) throw new Error('nothing was written down')
  const events = await joinHistory(history, join(folder, 'history.ndjson'))
  return check(events, { faultsMin: 0, kinds: {}, acksAfterFaultsMin: 0 })
}
