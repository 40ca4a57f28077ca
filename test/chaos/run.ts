import { copyFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { check, type Demands, type Verdict } from './checker/check.ts'
import { clientFaults } from './faults/client-faults.ts'
import { failoverFaults } from './faults/failover-faults.ts'
import type { FaultKind } from './faults/kind.ts'
import { relayFaults } from './faults/relay-faults.ts'
import { storeFaults } from './faults/store-faults.ts'
import { suspensionFaults } from './faults/suspension-faults.ts'
import { wireFaults } from './faults/wire-faults.ts'
import { joinHistory } from './history.ts'
import { runWorld } from './run-world.ts'
import { haStore, prepare, singleStore, worldOptions } from './setting.ts'

/** What a run is asked for. */
export interface RunOptions {
  readonly seconds: number
  readonly seed: number
  /** Whether the run may mount disks and make networks: it has namespaces of its own. */
  readonly hasNamespaces: boolean
  /** Whether a kind of fault that is not possible here makes the run invalid. */
  readonly isStrict: boolean
  /** Where the joined history is left; null keeps it only when something is wrong. */
  readonly historyFile: string | null
  /** Only these kinds, all when empty. */
  readonly only: readonly string[]
  readonly talk: (text: string) => void
}

/** What a run gives. */
export interface RunResult extends Verdict {
  readonly ok: boolean
  readonly seed: number
  readonly seconds: number
  /** Kinds that are not possible on this machine. */
  readonly unavailable: readonly string[]
  /** Where the history lies, if it was kept. */
  readonly history: string | null
  readonly ms: number
}

/** Part of the time for the profile `single`. */
const singleShare = 0.55
/** Runs of these lengths, s, must have seen every kind once, and twice. */
const everyKindSeconds = [120, 200] as const
const roundsOf = (seconds: number): number =>
  everyKindSeconds.filter((least) => seconds >= least).length

/** All kinds of the profile `single`. */
export const singleKinds: readonly FaultKind[] = [
  ...relayFaults,
  ...storeFaults,
  ...wireFaults,
  ...clientFaults,
  ...suspensionFaults,
]

/** All kinds of the profile `ha`. */
export const haKinds: readonly FaultKind[] = [
  ...failoverFaults,
  ...clientFaults.filter(({ name }) => name === 'client-kill'),
  ...wireFaults.filter(({ name }) => name === 'reset-after'),
]

/** Runs the networks of one chaos run, one after the other, and judges what happened. */
export async function runChaos(options: RunOptions): Promise<RunResult> {
  const began = performance.now()
  const { seed, seconds, hasNamespaces, talk, only } = options
  const folder = await mkdtemp(join(tmpdir(), 'liaison-chaos-'))
  try {
    const machine = await prepare(folder, hasNamespaces)
    const wanted = (kinds: readonly FaultKind[]): FaultKind[] =>
      kinds.filter(({ name }) => only.length === 0 || only.includes(name))
    const possible = (kinds: readonly FaultKind[]): FaultKind[] =>
      wanted(kinds).filter(({ needs }) => machine.has(needs))
    const single = possible(singleKinds)
    const ha = possible(haKinds)
    const all = [...new Set([...wanted(singleKinds), ...wanted(haKinds)])]
    const unavailable = all.filter(({ needs }) => !machine.has(needs)).map(({ name }) => name)
    const roundsMin = roundsOf(seconds)
    const common = { seed, roundsMin, talk }
    const inSingle = ha.length === 0 ? 1 : single.length === 0 ? 0 : singleShare
    if (inSingle > 0) {
      const options = worldOptions(
        machine,
        'single',
        `${seed}`,
        await singleStore(machine, 'single'),
      )
      await runWorld({ ...common, options, seconds: seconds * inSingle, kinds: single })
    }
    if (inSingle < 1) {
      const options = worldOptions(machine, 'ha', `${seed}`, await haStore(machine, 'ha', 'safe'))
      await runWorld({ ...common, options, seconds: seconds * (1 - inSingle), kinds: ha })
    }
    const file = join(folder, 'history.ndjson')
    const events = await joinHistory(machine.history, file)
    const verdict = check(events, demandsOf([...new Set([...single, ...ha])], seconds))
    const missing = options.isStrict
      ? unavailable.map((name) => `${name} is not possible here`)
      : []
    const invalid = [...verdict.invalid, ...missing]
    const isGood = verdict.broken.length === 0 && invalid.length === 0
    const kept =
      options.historyFile ?? (isGood ? null : join(tmpdir(), `liaison-chaos-${seed}.ndjson`))
    if (kept !== null) await copyFile(file, kept)
    const ms = Math.round(performance.now() - began)
    return { ok: isGood, seed, seconds, ...verdict, invalid, unavailable, history: kept, ms }
  } finally {
    await rm(folder, { recursive: true, force: true }).catch(() => undefined)
  }
}

/** A long run must have seen every kind; a short one at least so many faults. */
export function demandsOf(kinds: readonly FaultKind[], seconds: number): Demands {
  const times = roundsOf(seconds)
  return {
    faultsMin: Math.floor(seconds / 10),
    kinds: Object.fromEntries(kinds.map(({ name }) => [name, times])),
    acksAfterFaultsMin: seconds * 4,
  }
}
