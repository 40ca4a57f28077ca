import { execFile } from 'node:child_process'
import { arch, cpus, platform, release, totalmem } from 'node:os'
import { promisify } from 'node:util'

/** Where figures were measured. */
export interface Machine {
  readonly node: string
  readonly cpus: string
  readonly cores: number
  /** Bytes. */
  readonly memory: number
  readonly platform: string
}

/** This machine. */
export function machineOf(): Machine {
  const cores = cpus()
  return {
    node: process.version,
    cpus: cores[0]?.model.trim() ?? 'unknown',
    cores: cores.length,
    memory: totalmem(),
    platform: `${platform()} ${release()} ${arch()}`,
  }
}

/** The commit that is measured, marked when the work tree differs from it. */
export async function commitOf(): Promise<string> {
  const git = async (...args: string[]): Promise<string> =>
    (await promisify(execFile)('git', args)).stdout.trim()
  try {
    const commit = await git('rev-parse', '--short=12', 'HEAD')
    const changed = await git('status', '--porcelain', '--untracked-files=no')
    return changed === '' ? commit : `${commit}+changes`
  } catch {
    return 'unknown'
  }
}
