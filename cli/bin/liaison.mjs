#!/usr/bin/env node
/**
 * Starts the command line: the build when there is one and it is current, else the sources.
 *
 * The sources need a condition for resolving packages and a load hook, and both must be there when
 * Node starts; so a second Node runs them, and this one hands on signals and the exit code.
 */
import { spawn } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const cli = fileURLToPath(new URL('..', import.meta.url))
const root = join(cli, '..')
const built = join(cli, 'dist', 'main.js')
/** What the compiler writes at every build of a package, also when only some files changed. */
const buildInfo = 'tsconfig.tsbuildinfo'
const source = join(cli, 'src', 'main.ts')
const hook = join(root, 'scripts', 'ts.mjs')

/** Folders of the sources that end up in the command. */
const packages = ['schemas', 'protocol', 'protocol/seal', 'client-sdk', 'server', 'cli']

/** Whether a package was built after its last change. */
function isCurrent(name) {
  const folder = join(root, name, 'src')
  const info = join(root, name, buildInfo)
  if (!existsSync(join(root, name, 'dist')) || !existsSync(info)) return false
  const since = statSync(info).mtimeMs
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .every((file) => statSync(join(folder, file)).mtimeMs <= since)
}

function isBuildCurrent() {
  if (!existsSync(built)) return false
  // An installed package has no sources beside it.
  if (!existsSync(source) || !existsSync(hook)) return true
  return packages.every(isCurrent)
}

function runSources() {
  const child = spawn(
    process.execPath,
    [
      '--conditions=@liaison/source',
      `--import=${pathToFileURL(hook)}`,
      source,
      ...process.argv.slice(2),
    ],
    { stdio: 'inherit' },
  )
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => child.kill(signal))
  }
  child.once('error', (error) => {
    process.stderr.write(`liaison: ${error.message}\n`)
    process.exit(1)
  })
  child.once('exit', (code, signal) => {
    process.exit(code ?? 128 + (constants.signals[signal] ?? 0))
  })
}

if (isBuildCurrent()) await import(pathToFileURL(built).href)
else if (existsSync(source) && existsSync(hook)) runSources()
else {
  process.stderr.write('liaison: neither a build nor sources were found; run `npm run build`.\n')
  process.exit(1)
}
