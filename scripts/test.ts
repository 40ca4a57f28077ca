/**
 * Runs the tests and says in its last line `N passed, N failed`, counted in assertions.
 *
 *   npm test                        every test of ordinary length, with coverage thresholds
 *   npm test -- test/unit/protocol  one folder or file, without coverage
 *   npm test -- --long              also what takes long (sets LIAISON_LONG=1)
 *
 * A file that crashes, runs nothing or is never reported counts as failed. So does a run in which
 * nothing failed but a threshold of coverage was missed.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, rm, stat } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { ensureChromium } from './chromium.ts'
import { repositoryCoverage } from './coverage.ts'
import { ensureRedis } from './redis.ts'
import { type FileResult, TestTally } from './test-tally.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const tap = join(root, 'node_modules', 'tap', 'dist', 'esm', 'run.mjs')
const reportFile = join(root, '.tap', 'report', 'coverage-final.json')

/** Longest time for one file of a `--long` run, in seconds; .taprc has the ordinary limit. */
const longTimeoutSeconds = 1800

async function testFiles(path: string): Promise<string[]> {
  const found = await stat(path).catch(() => undefined)
  if (found === undefined) throw new Error(`there is no ${relative(root, path)}`)
  if (found.isFile()) return [path]
  const entries = await readdir(path, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.test.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !file.split(sep).includes('fixtures'))
    .sort()
}

async function selectedFiles(paths: readonly string[]): Promise<string[]> {
  const wanted = paths.length === 0 ? ['test'] : paths
  const lists = await Promise.all(wanted.map((path) => testFiles(join(root, path))))
  return [...new Set(lists.flat())].map((path) => relative(root, path))
}

async function anyUsesRedis(files: readonly string[]): Promise<boolean> {
  const texts = await Promise.all(files.map((file) => readFile(join(root, file), 'utf8')))
  return texts.some((text) => /redis/i.test(text))
}

function printFile({ file, ok, passed, skipped, ms, failures }: FileResult): void {
  const skips = skipped === 0 ? '' : `, ${skipped} skipped`
  const time = `${(ms / 1000).toFixed(1)} s`
  console.log(`${ok ? 'ok    ' : 'FAILED'} ${file} (${passed} passed${skips}, ${time})`)
  for (const failure of failures)
    console.log(`${failure}\n`.replaceAll(/^/gm, '         ').trimEnd())
}

/** Runs tap; its exit code, and 1 when it died from a signal. */
async function runTap(args: readonly string[], env: object, tally: TestTally): Promise<number> {
  const child = spawn(process.execPath, [tap, '--reporter=jsonstream', ...args], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const stop = (signal: NodeJS.Signals) => child.kill(signal)
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
  const ended = once(child, 'close')
  for await (const line of createInterface({ input: child.stdout })) {
    const finished = tally.line(line)
    if (finished !== undefined) printFile(finished)
  }
  const [code] = await ended
  return typeof code === 'number' ? code : 1
}

/** Prints coverage; the number of folders below their threshold. */
async function checkCoverage(): Promise<number> {
  const rows = await repositoryCoverage(root, reportFile)
  console.log('\nCovered lines:')
  let low = 0
  for (const { folder, lines, covered, percent, wanted, missing } of rows) {
    const isLow = percent < wanted
    if (isLow) low += 1
    const share = `${percent.toFixed(1)} %`.padStart(8)
    const verdict = isLow ? `BELOW ${wanted} %` : `at least ${wanted} %`
    console.log(`${share}  ${folder} (${covered} of ${lines}; ${verdict})`)
    for (const { file, lines: without } of isLow ? missing.slice(0, 8) : []) {
      console.log(`          ${file}: ${without.length} lines, the first is ${without[0]}`)
    }
  }
  return low
}

function printSlowest(files: readonly FileResult[]): void {
  const slow = files.filter(({ ms }) => ms > 5000).sort((a, b) => b.ms - a.ms)
  if (slow.length === 0) return
  console.log('\nSlowest files:')
  for (const { file, ms } of slow.slice(0, 5)) console.log(`  ${(ms / 1000).toFixed(1)} s  ${file}`)
}

async function main(): Promise<void> {
  const args = process.argv.slice(2)
  const isLong = args.includes('--long')
  const paths = args.filter((arg) => !arg.startsWith('-'))
  const unknown = args.find((arg) => arg.startsWith('-') && arg !== '--long')
  if (unknown !== undefined) throw new Error(`unknown option ${unknown}; known is --long`)
  const isFull = paths.length === 0

  const files = await selectedFiles(paths)
  if (files.length === 0) throw new Error('no test file was found')
  const options = [
    isFull ? '--coverage-report=json' : '--disable-coverage',
    ...(isLong ? [`--timeout=${longTimeoutSeconds}`] : []),
  ]
  if (files.some((file) => file.includes('browser'))) await ensureChromium()
  if (await anyUsesRedis(files)) await ensureRedis()
  await rm(reportFile, { force: true })
  const tally = new TestTally(files)
  const code = await runTap([...options, ...files], isLong ? { LIAISON_LONG: '1' } : {}, tally)

  for (const { file } of tally.unreported()) console.log(`FAILED ${file} (never reported)`)
  const lowFolders = isFull ? await checkCoverage() : 0
  printSlowest(tally.files())
  const { passed, failed: failedTests } = tally.totals()
  // tap can be unhappy about something that belongs to no test; that must not pass unseen.
  const unexplained = code !== 0 && failedTests === 0 ? 1 : 0
  if (unexplained > 0) console.log(`\ntap ended with exit code ${code}`)
  const failed = failedTests + lowFolders + unexplained
  if (failed > 0 || passed === 0) process.exitCode = 1
  console.log(`\n${passed} passed, ${failed} failed`)
}

try {
  await main()
} catch (error) {
  console.log(error instanceof Error ? error.message : String(error))
  console.log('0 passed, 1 failed')
  process.exitCode = 1
}
