/** Programs of the system that tests need: finds them, and installs them where that is allowed. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A program that is no package of npm. */
export interface SystemPart {
  /** As a person calls it. */
  readonly title: string
  /** Names of the program, the first one found is taken. */
  readonly programs: readonly string[]
  /** Variable of the environment that may hold its path. */
  readonly variable: string
  /** Debian's package. */
  readonly package: string
  /**
   * Whether the files of the packages work from a folder of one's own, without being installed. Then
   * nobody needs to be root.
   */
  readonly unpacks: boolean
}

/** What the outside offers; replaced in tests. */
export interface System {
  readonly env: NodeJS.ProcessEnv
  readonly isRoot: boolean
  /** Folder for unpacked packages. */
  readonly cache: string
  /** Runs a program; its exit code (null for a signal or none such) and what it printed. */
  run(program: string, args: readonly string[], cwd?: string): Promise<Ran>
  say(text: string): void
}

/** How a program ended. */
export interface Ran {
  readonly code: number | null
  readonly out: string
}

/** This machine. */
export const thisSystem: System = {
  env: process.env,
  isRoot: process.getuid?.() === 0,
  cache: fileURLToPath(new URL('../.cache/system', import.meta.url)),
  async run(program, args, cwd) {
    const child = spawn(program, args, {
      ...(cwd === undefined ? {} : { cwd }),
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' },
      stdio: ['ignore', 'pipe', 2],
    })
    let out = ''
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      out += text
    })
    const ended = once(child, 'close').catch(() => [null])
    const [code] = (await ended) as [number | null]
    return { code, out }
  },
  say: (text) => void process.stderr.write(`${text}\n`),
}

const onPath = (wanted: readonly string[], { env }: System): string | null => {
  const folders = (env['PATH'] ?? '').split(delimiter)
  const paths = folders.flatMap((folder) => wanted.map((name) => join(folder, name)))
  return paths.find((path) => existsSync(path)) ?? null
}

/** Folder whose programs are put on the path when they were unpacked. */
const binFolder = (part: SystemPart, { cache }: System): string => join(cache, part.package, 'bin')

/** Path of the program on this machine, or null. */
export function findPart(part: SystemPart, system: System = thisSystem): string | null {
  const unpacked = part.programs.map((name) => join(binFolder(part, system), name))
  return (
    system.env[part.variable] ??
    onPath(part.programs, system) ??
    unpacked.find((path) => existsSync(path)) ??
    null
  )
}

/** How to get the program, for whoever reads that it is missing. */
export const adviceOf = (part: SystemPart): string =>
  `${part.title} was not found: install it (Debian: apt-get install ${part.package}), or name it in ${part.variable}`

/**
 * Installs the program if it is missing: as root with Debian's tools, else unpacked into a folder of
 * the repository; else says how. A service that the package starts is neither used nor stopped.
 *
 * @returns Its path, or null.
 * @throws Error when it is missing and the environment says that this is continuous integration, where
 *   nobody reads advice.
 */
export async function ensurePart(
  part: SystemPart,
  system: System = thisSystem,
): Promise<string | null> {
  if (findPart(part, system) === null && onPath(['apt-get'], system) !== null) {
    if (system.isRoot) await install(part, system)
    else if (part.unpacks) await unpack(part, system)
  }
  const found = findPart(part, system)
  if (found !== null) return found
  if ((system.env['CI'] ?? '') !== '') throw new Error(adviceOf(part))
  system.say(adviceOf(part))
  return null
}

async function install(part: SystemPart, { run, say }: System): Promise<void> {
  say(`Installing ${part.title} with apt-get (once) ...`)
  await run('apt-get', ['update', '-qq'])
  await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', part.package])
}

/** Fetches the package and whatever it needs that is not here, and unpacks all of it. */
async function unpack(part: SystemPart, system: System): Promise<void> {
  const { run, say, cache } = system
  const wanted = ['install', '--simulate', '--no-install-recommends', part.package]
  const { code, out } = await run('apt-get', ['-o', 'Debug::NoLocking=1', ...wanted])
  const names = [...out.matchAll(/^Inst (\S+)/gm)].map(([, name = '']) => name)
  if (code !== 0 || names.length === 0) return
  say(`Unpacking ${part.title} into ${join(cache, part.package)} (once) ...`)
  await mkdir(cache, { recursive: true })
  // Complete when it appears: a run that was cut short leaves nothing that looks like the program.
  const folder = await mkdtemp(join(cache, 'partial-'))
  try {
    if ((await run('apt-get', ['download', '-qq', ...names], folder)).code !== 0) return
    for (const name of await readdir(folder)) {
      if (!name.endsWith('.deb')) continue
      if ((await run('dpkg-deb', ['-x', name, '.'], folder)).code !== 0) return
      await rm(join(folder, name))
    }
    await mkdir(join(folder, 'bin'))
    for (const name of part.programs) {
      if (!existsSync(join(folder, 'usr', 'bin', name))) continue
      await writeFile(join(folder, 'bin', name), starter(name))
      await chmod(join(folder, 'bin', name), 0o755)
    }
    await rename(folder, join(cache, part.package))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** A program finds the libraries that were unpacked beside it. */
const starter = (name: string): string => `#!/bin/sh
here=$(cd "$(dirname "$0")/.." && pwd)
for folder in "$here"/usr/lib/*-linux-gnu "$here"/lib/*-linux-gnu; do
  LD_LIBRARY_PATH="$folder\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
done
export LD_LIBRARY_PATH
exec "$here/usr/bin/${name}" "$@"
`
