import { readFile, stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import { RelayError, randomBytes, toHex } from '@liaison/protocol'
import type { LmdbStores } from './lmdb-stores.ts'

/** The process that opened a data folder last. */
export interface Owner {
  /** Chosen anew at each opening; whoever finds another one here has been replaced. */
  readonly name: string
  readonly host: string
  readonly pid: number
  /** The very file: a copy of it elsewhere is nobody's yet. */
  readonly file: string
  /** When that process was started, in ticks; numbers of processes are used again. */
  readonly started: string
}

/**
 * Takes a data folder over in one transaction. A folder that a running process of this machine has is
 * refused; one that we cannot see, in another container, is cut off from its next write on instead.
 *
 * @param path The one file of the store.
 * @returns the name under which this process may write
 * @throws RelayError `config_invalid` naming the process
 */
export async function takeOver({ root, meta }: LmdbStores, path: string): Promise<string> {
  const before = meta.get('owner') as Owner | undefined
  const { dev, ino } = await stat(path)
  const file = `${dev}:${ino}`
  if (before?.file === file && (await isRunning(before))) {
    throw new RelayError('config_invalid', {
      field: 'data',
      detail: `another relay uses the folder: process ${before.pid}`,
    })
  }
  const mine: Owner = {
    name: toHex(randomBytes(16)),
    host: hostname(),
    pid: process.pid,
    file,
    started: await startOf(process.pid),
  }
  const taken = await root.transaction(() => {
    const now = meta.get('owner') as Owner | undefined
    if (now?.name !== before?.name) return false
    void meta.put('owner', mine)
    return true
  })
  if (!taken) {
    throw new RelayError('config_invalid', {
      field: 'data',
      detail: 'another relay opened the folder at the same moment',
    })
  }
  await root.flushed
  return mine.name
}

/** Gives the folder back, so that the next one need not look for us. */
export async function giveBack({ root, meta }: LmdbStores, name: string): Promise<void> {
  await root.transaction(() => {
    if ((meta.get('owner') as Owner | undefined)?.name === name) void meta.remove('owner')
  })
  await root.flushed
}

/** Whether this process is still the one that may write. Inside a write transaction only. */
export const isOwner = ({ meta }: LmdbStores, name: string): boolean =>
  (meta.get('owner') as Owner | undefined)?.name === name

async function isRunning({ host, pid, started }: Owner): Promise<boolean> {
  if (host !== hostname()) return false
  try {
    process.kill(pid, 0)
  } catch (error) {
    // Somebody else's process: it runs, but we may not signal it.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  return (await startOf(pid)) === started
}

/** The tick at which a process was started, where the system tells it; else nothing. */
async function startOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  // The name in the second field may hold spaces and parentheses; what follows it does not.
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
}
