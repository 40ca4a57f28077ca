/** What all networks of a run have in common, and their stores. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Need } from './faults/kind.ts'
import { type HaSafety, HaStore } from './world/ha-store.ts'
import type { Mutant } from './world/mutants.ts'
import { Networks } from './world/networks.ts'
import { bundlePrograms } from './world/processes.ts'
import { syncedLibrary } from './world/redis-node.ts'
import { SingleStore, type Store } from './world/store.ts'
import type { WorldOptions } from './world/world.ts'

/** Size of the disk that gets full, MiB. */
const diskMiB = 512

/** What a run found on this machine, and made ready. */
export interface Machine {
  readonly folder: string
  readonly history: string
  readonly programs: { readonly relay: string; readonly device: string }
  readonly library: string | null
  readonly hasNamespaces: boolean
  has(need: Need | undefined): boolean
}

/** Makes the programs of a run ready. */
export async function prepare(folder: string, hasNamespaces: boolean): Promise<Machine> {
  const history = join(folder, 'history')
  await mkdir(history)
  const library = await syncedLibrary(folder)
  const [relay = '', device = ''] = await bundlePrograms(folder, [
    new URL('./world/relay-child.ts', import.meta.url),
    new URL('./workload/device-child.ts', import.meta.url),
  ])
  return {
    folder,
    history,
    programs: { relay, device },
    library,
    hasNamespaces,
    has: (need) => need === undefined || (need === 'compiler' ? library !== null : hasNamespaces),
  }
}

/** A store of the profile `single`, on a disk of its own where that is possible. */
export const singleStore = (machine: Machine, name: string): Promise<Store> =>
  SingleStore.start(
    join(machine.folder, name),
    machine.library,
    machine.hasNamespaces ? diskMiB : null,
  )

/** A store of the profile `ha`, on networks of its own where that is possible. */
export async function haStore(machine: Machine, name: string, safety: HaSafety): Promise<Store> {
  const networks = machine.hasNamespaces ? await Networks.make(3) : null
  return HaStore.start(join(machine.folder, name), machine.library, networks, safety)
}

/** A network by its name, with all its clients, or few of them and one defect. */
export const worldOptions = (
  { folder, history, programs }: Machine,
  name: string,
  runName: string,
  store: Store,
  defect: { readonly mutant: Mutant | null } | null = null,
): WorldOptions => ({
  name,
  folder: join(folder, name),
  history,
  runName,
  store,
  programs,
  mutant: defect?.mutant ?? null,
  isSmall: defect !== null,
})
