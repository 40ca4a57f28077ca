/** Finds the browser that the tests of pages need, and installs it where that is allowed. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']

/** How to get the browser, for whoever reads that it is missing. */
export const chromiumAdvice =
  'Chromium was not found: install it (Debian: apt-get install chromium), or name it in LIAISON_CHROMIUM'

const onPath = (wanted: readonly string[]): string | null => {
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  const paths = folders.flatMap((folder) => wanted.map((name) => join(folder, name)))
  return paths.find((path) => existsSync(path)) ?? null
}

/** Path of a Chromium on this machine, or null. */
export const findChromium = (): string | null => process.env['LIAISON_CHROMIUM'] ?? onPath(names)

/** Installs Chromium if it is missing, we are root and Debian's tools are here; else says how. */
export async function ensureChromium(): Promise<void> {
  if (findChromium() !== null) return
  if (process.getuid?.() !== 0 || onPath(['apt-get']) === null) {
    process.stderr.write(`${chromiumAdvice}\n`)
    return
  }
  process.stderr.write('Installing Chromium with apt-get (once) ...\n')
  for (const args of [
    ['update', '-qq'],
    ['install', '-y', '-qq', '--no-install-recommends', 'chromium'],
  ]) {
    const child = spawn('apt-get', args, {
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      stdio: ['ignore', 2, 2],
    })
    const [code] = (await once(child, 'close')) as [number | null]
    if (code !== 0) return void process.stderr.write(`${chromiumAdvice}\n`)
  }
}
