/**
 * Starts one of the repository's scripts on a machine that has only Node and npm.
 *
 *   node scripts/run.mjs scripts/demo.ts --json
 *
 * It installs the dependencies when they are missing or belong to another lock file, Node or
 * platform, and then runs the TypeScript file. Only built-in modules here: nothing is installed yet.
 * Everything it says goes to stderr, so that stdout carries the output of the script alone.
 */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, open, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { constants } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const lockFile = join(root, '.cache', 'install.lock')
const stampFile = join(root, 'node_modules', '.liaison-stamp')

/** The oldest Node that runs this: load hooks, `import.meta.dirname`, `require` of ES modules. */
const oldestNode = [20, 19]

/** How long one run waits for another that is installing. */
const lockWaitMs = 15 * 60_000

const say = (text) => process.stderr.write(`${text}\n`)

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const [oldMajor, oldMinor] = oldestNode
  if (major > oldMajor || (major === oldMajor && minor >= oldMinor)) return
  say(`Node ${oldMajor}.${oldMinor} or newer is needed; this is ${process.versions.node}.`)
  say('See https://nodejs.org/en/download for a current one.')
  process.exit(1)
}

/** What an installation depends on; a different stamp means that it must be made again. */
async function wantedStamp() {
  const hash = createHash('sha256').update(await readFile(join(root, 'package-lock.json')))
  return `${hash.digest('hex')} ${process.version} ${process.platform} ${process.arch}\n`
}

const isInstalled = async (stamp) =>
  existsSync(join(root, 'node_modules', 'esbuild')) &&
  (await readFile(stampFile, 'utf8').catch(() => '')) === stamp

/**
 * Whether node_modules already holds what the lock file asks for, because somebody ran `npm install`
 * by hand. npm keeps a list of what it installed; it writes it last, so half an installation has none.
 */
async function isInStep(stamp) {
  const before = await readFile(stampFile, 'utf8').catch(() => '')
  const machine = (text) => text.slice(text.indexOf(' '))
  // Also when the last run ended while it was building: then its stamp names no machine.
  if (before !== '' && machine(before) !== machine(stamp)) return false
  const read = async (...path) => JSON.parse(await readFile(join(root, ...path), 'utf8')).packages
  const installed = await read('node_modules', '.package-lock.json').catch(() => undefined)
  if (installed === undefined) return false
  return Object.entries(await read('package-lock.json'))
    .filter(([path]) => path.includes('node_modules/'))
    .every(([path, { version, integrity, link, optional }]) => {
      const found = installed[path]
      if (found === undefined) return optional === true
      return link === true || (found.version === version && found.integrity === integrity)
    })
}

function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

/** Whether the run that wrote the lock has ended without removing it. */
async function isStale() {
  const text = await readFile(lockFile, 'utf8').catch(() => undefined)
  if (text === undefined) return false
  const pid = Number.parseInt(text, 10)
  if (Number.isInteger(pid) && pid > 0) return !isAlive(pid)
  // Created, but its number not written yet: give its owner a moment.
  const age = await stat(lockFile).catch(() => undefined)
  return age !== undefined && Date.now() - age.mtimeMs > 10_000
}

/** Takes the lock; two installations at once would delete each other's files. */
async function lock() {
  await mkdir(join(root, '.cache'), { recursive: true })
  const deadline = Date.now() + lockWaitMs
  for (let told = false; ; ) {
    const handle = await open(lockFile, 'wx').catch((error) => {
      if (error.code === 'EEXIST') return undefined
      throw error
    })
    if (handle !== undefined) {
      await handle.writeFile(`${process.pid}\n`)
      await handle.close()
      return
    }
    if (await isStale()) {
      await rm(lockFile, { force: true })
      continue
    }
    if (Date.now() > deadline) throw new Error(`Another run holds ${lockFile}; it seems to hang.`)
    if (!told) say('Another run is installing; waiting for it.')
    told = true
    await delay(500)
  }
}

/** npm settings about how to reach a registry; they may arrive through the environment. */
const registrySettings =
  /^npm_config_(registry|.*proxy|ca|cafile|cache|userconfig|globalconfig|strict_ssl|fetch_.*|prefer_offline|offline|_.*|@.*|\/\/.*)$/i

/**
 * The environment for a program that we start. An outer `npm run` leaves its own options behind
 * (`--json`, `--omit`, `--workspace` ...), which would change what the inner npm does.
 */
function cleanEnvironment() {
  const entries = Object.entries(process.env).filter(
    ([name]) =>
      name !== 'NODE_ENV' &&
      (!name.toLowerCase().startsWith('npm_') || registrySettings.test(name)),
  )
  return Object.fromEntries(entries)
}

/** Hands on to a child what asks this process to end, so that no half-finished child is left. */
function passSignals(child, hasGroup) {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
  const pass = (signal) => {
    // A child with a group of its own takes its children along.
    if (hasGroup && child.pid !== undefined) process.kill(-child.pid, signal)
    else child.kill(signal)
  }
  for (const signal of signals) process.on(signal, pass)
  child.once('exit', () => {
    for (const signal of signals) process.off(signal, pass)
  })
}

/** Runs a program to its end with its output on stderr; a failure is an error. */
function runQuietly(what, command, args) {
  const hasGroup = process.platform !== 'win32'
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      detached: hasGroup,
      cwd: root,
      env: cleanEnvironment(),
      stdio: ['ignore', 2, 2],
      shell: process.platform === 'win32' && !command.endsWith('.exe'),
    })
    passSignals(child, hasGroup)
    child.once('error', (error) => reject(new Error(`${what}: ${error.message}`)))
    child.once('exit', (code, signal) => {
      if (code === 0) resolve()
      else reject(new Error(`${what} failed (${signal ?? `exit code ${code}`}).`))
    })
  })
}

/** npm as it was started, because `npm` on the path can be another one. */
function npmCommand() {
  const path = process.env.npm_execpath
  return path !== undefined && /\.c?js$/.test(path) && existsSync(path)
    ? [process.execPath, path]
    : ['npm']
}

async function install(stamp) {
  await lock()
  try {
    if (await isInstalled(stamp)) return
    if (!(await isInStep(stamp))) {
      say('Installing the dependencies of the repository (once; nothing outside this folder) ...')
      const [command, ...first] = npmCommand()
      await runQuietly('npm ci', command, [...first, 'ci', '--include=dev', '--ignore-scripts'])
    }
    // A build that was cut short cannot be repeated; this stamp makes the next run install anew.
    await writeFile(stampFile, 'building\n')
    const tap = join(root, 'node_modules', 'tap', 'dist', 'esm', 'run.mjs')
    await runQuietly('tap build', process.execPath, [tap, 'build'])
    await writeFile(stampFile, stamp)
  } finally {
    await rm(lockFile, { force: true })
  }
}

/** Runs the script in a Node of its own, passes signals on, and ends as it ends. */
function start(script, args) {
  const child = spawn(
    process.execPath,
    ['--conditions=@liaison/source', '--import=./scripts/ts.mjs', script, ...args],
    { cwd: root, stdio: 'inherit' },
  )
  passSignals(child, false)
  child.once('error', (error) => {
    say(error.message)
    process.exit(1)
  })
  child.once('exit', (code, signal) => {
    process.exit(code ?? 128 + (constants.signals[signal] ?? 0))
  })
}

const [script, ...args] = process.argv.slice(2)
checkNode()
if (script === undefined) {
  say('usage: node scripts/run.mjs scripts/NAME.ts [arguments]')
  process.exit(2)
}
try {
  const stamp = await wantedStamp()
  if (!(await isInstalled(stamp))) await install(stamp)
} catch (error) {
  say(error.message)
  process.exit(1)
}
start(script, args)
