import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { check, type Demands, type Verdict } from './checker/check.ts'
import { clientFaults } from './faults/client-faults.ts'
import type { FaultKind, Need } from './faults/kind.ts'
import { relayFaults } from './faults/relay-faults.ts'
import { storeFaults } from './faults/store-faults.ts'
import { suspensionFaults } from './faults/suspension-faults.ts'
import { wireFaults } from './faults/wire-faults.ts'
import { joinHistory } from './history.ts'
import { runWorld } from './run-world.ts'
import { bundlePrograms } from './world/processes.ts'
import { syncedLibrary } from './world/redis-node.ts'
import { SingleStore } from './world/store.ts'

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

/** Size of the disk that gets full, MiB. */
const diskMiB = 512

/** All kinds of the profile `single`. */
export const singleKinds: readonly FaultKind[] = [
  ...relayFaults,
  ...storeFaults,
  ...wireFaults,
  ...clientFaults,
  ...suspensionFaults,
]

/** Runs the networks of one chaos run, one after the other, and judges what happened. */
export async function runChaos(options: RunOptions): Promise<RunResult> {
  const began = performance.now()
  const { seed, seconds, hasNamespaces, talk, only } = options
  const folder = await mkdtemp(join(tmpdir(), 'liaison-chaos-'))
  const history = join(folder, 'history')
  await mkdir(history)
  try {
    const library = await syncedLibrary(folder)
    const has = (need: Need | undefined): boolean =>
      need === undefined || (need === 'compiler' ? library !== null : hasNamespaces)
    const wanted = singleKinds.filter(({ name }) => only.length === 0 || only.includes(name))
    const kinds = wanted.filter(({ needs }) => has(needs))
    const unavailable = wanted.filter(({ needs }) => !has(needs)).map(({ name }) => name)
    const [relay = '', device = ''] = await bundlePrograms(folder, [
      new URL('./world/relay-child.ts', import.meta.url),
      new URL('./workload/device-child.ts', import.meta.url),
    ])
    const home = join(folder, 'single')
    const store = await SingleStore.start(home, library, hasNamespaces ? diskMiB : null)
    await runWorld({
      options: {
        name: 'single',
        folder: home,
        history,
        runName: `${seed}`,
        store,
        programs: { relay, device },
        mutant: null,
        isSmall: false,
      },
      seed,
      seconds,
      kinds,
      talk,
    })
    const file = join(folder, 'history.ndjson')
    const events = await joinHistory(history, file)
    const verdict = check(events, demandsOf(kinds, seconds))
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

/** A long run must have seen every kind twice; a short one at least so many faults. */
export function demandsOf(kinds: readonly FaultKind[], seconds: number): Demands {
  const times = seconds >= 200 ? 2 : 0
  return {
    faultsMin: Math.floor(seconds / 10),
    kinds: Object.fromEntries(kinds.map(({ name }) => [name, times])),
    acksAfterFaultsMin: seconds * 4,
  }
}
