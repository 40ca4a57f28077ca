/**
 * Everything that must hold before a change is taken in: `npm run verify`. The last line is
 * `N passed, N failed`, in which every step counts as one and every assertion of the tests as one.
 */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

/** What `npm run generate` writes. */
const generated = [
  'schemas/src/generated',
  'schemas/published',
  'docs/errors.md',
  'docs/relay-options.md',
  'client-sdk/api.txt',
  'docs/reports.md',
  'server/relay-config.schema.json',
  'biome.json',
  'package-lock.json',
]

const bin = (...path: string[]): string => join(root, 'node_modules', ...path)
const biome = bin('@biomejs', 'biome', 'bin', 'biome')
const tsc = bin('typescript', 'bin', 'tsc')
const sources = ['--conditions=@liaison/source', '--import=./scripts/ts.mjs']

interface Outcome {
  readonly passed: number
  readonly failed: number
}

const good: Outcome = { passed: 1, failed: 0 }
const bad: Outcome = { passed: 0, failed: 1 }

/** Runs Node with these arguments; its exit code (1 for a signal) and its last line. */
async function node(args: readonly string[]): Promise<{ code: number; lastLine: string }> {
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'close')
  let lastLine = ''
  for await (const line of createInterface({ input: child.stdout })) {
    console.log(line)
    if (line.trim() !== '') lastLine = line
  }
  const [code] = await ended
  return { code: typeof code === 'number' ? code : 1, lastLine }
}

async function succeeds(...args: string[]): Promise<Outcome> {
  return (await node(args)).code === 0 ? good : bad
}

async function hashes(): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  const add = async (path: string) => {
    const bytes = await readFile(path)
    found.set(relative(root, path), createHash('sha256').update(bytes).digest('hex'))
  }
  for (const entry of generated) {
    const path = join(root, entry)
    const files = await readdir(path, { recursive: true, withFileTypes: true }).catch(
      () => undefined,
    )
    if (files === undefined) await add(path).catch(() => found.set(entry, 'missing'))
    for (const file of files ?? []) if (file.isFile()) await add(join(file.parentPath, file.name))
  }
  return found
}

/** Generating again must change nothing. Works in a copy without git as well. */
async function generatedIsCurrent(): Promise<Outcome> {
  const before = await hashes()
  const { code } = await node([...sources, 'scripts/generate.ts'])
  const after = await hashes()
  const changed = [...new Set([...before.keys(), ...after.keys()])].filter(
    (path) => before.get(path) !== after.get(path),
  )
  for (const path of changed) console.log(`${path} was out of date; commit the new one`)
  return code === 0 && changed.length === 0 ? good : bad
}

async function tests(): Promise<Outcome> {
  const { code, lastLine } = await node([...sources, 'scripts/test.ts'])
  const counts = /^(\d+) passed, (\d+) failed$/.exec(lastLine)
  if (counts === null) return bad
  const passed = Number(counts[1])
  const failed = Number(counts[2])
  return { passed, failed: code !== 0 && failed === 0 ? 1 : failed }
}

/** Where everything a fault may need is expected, one that cannot be made is no excuse. */
const strict = process.env['CI'] !== undefined && process.getuid?.() === 0 ? ['--strict'] : []

/** Exit code of a run in which too little happened to judge anything: the machine was too busy. */
const invalidRun = 2

/** A short run of faults; docs/chaos.md. One that proved nothing is made once more. */
async function chaos(): Promise<Outcome> {
  const args = [...sources, 'scripts/chaos.ts', '--seconds', '160', '--seed', '1', ...strict]
  const { code } = await node(args)
  return code === invalidRun ? succeeds(...args) : code === 0 ? good : bad
}

const steps: readonly (readonly [string, () => Promise<Outcome>])[] = [
  ['format, lint and layers', () => succeeds(biome, 'ci', '.')],
  ['types of the packages', () => succeeds(tsc, '--build')],
  ['types of tests, scripts and examples', () => succeeds(tsc, '-p', 'tsconfig.tools.json')],
  ['generated files', generatedIsCurrent],
  ['tests', tests],
  ['faults', chaos],
]

let passed = 0
let failed = 0
const summary: string[] = []
for (const [name, run] of steps) {
  console.log(`\n== ${name}`)
  const start = performance.now()
  const outcome = await run()
  const seconds = ((performance.now() - start) / 1000).toFixed(1)
  summary.push(`${outcome.failed === 0 ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)`)
  passed += outcome.passed
  failed += outcome.failed
}
console.log(`\n${summary.join('\n')}`)
if (failed > 0) process.exitCode = 1
console.log(`\n${passed} passed, ${failed} failed`)
