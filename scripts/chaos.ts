/**
 * Breaks relays, stores, wires and clients for a while, in an order that a seed repeats, and judges the
 * history of what happened: docs/chaos.md.
 *
 *   npm run chaos -- --seconds 240 --seed 1
 *   npm run --silent chaos -- --seconds 240 --seed 1 --json
 *
 * Exit code 0: every invariant holds; 1: one is broken; 2: the run shows nothing, or could not be made.
 */
import { spawn, spawnSync } from 'node:child_process'
import { parseArgs } from 'node:util'
import { type RunResult, runChaos } from '../test/chaos/run.ts'
import { runSelfTest } from '../test/chaos/self-test.ts'

const usage = `npm run chaos -- [--seconds N] [--seed S] [--json] [--only KINDS] [--history FILE] [--strict]

  --seconds N     how long faults are made, 10 or more (default 120)
  --seed S        repeats the order and the measures of the faults of another run (default by chance)
  --json          one JSON object on standard output
  --only KINDS    only these kinds of faults, with commas in between
  --history FILE  leave the joined history here, one JSON object a line
  --selftest      run relays with defects and stores that lose things instead: all must be noticed;
                  --only takes names of these
  --strict        a kind of fault that is not possible on this machine makes the run invalid
`

/** Set in the environment of the process that has namespaces of its own. */
const inside = 'LIAISON_CHAOS_INSIDE'

type Arguments = ReturnType<typeof readArguments>

function readArguments() {
  try {
    const { values } = parseArgs({
      options: {
        seconds: { type: 'string', default: '120' },
        seed: { type: 'string' },
        json: { type: 'boolean', default: false },
        only: { type: 'string', default: '' },
        history: { type: 'string' },
        strict: { type: 'boolean', default: false },
        selftest: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    })
    const seconds = Number(values.seconds)
    const chance = crypto.getRandomValues(new Uint16Array(1))[0] ?? 0
    const seed = values.seed === undefined ? chance + 1 : Number(values.seed)
    if (!Number.isInteger(seconds) || seconds < 10) throw new Error('--seconds: 10 or more')
    if (!Number.isSafeInteger(seed) || seed < 1) throw new Error('--seed: a whole number from 1 on')
    return { ...values, seconds, seed }
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`)
    process.exit(2)
  }
}

/** Beside the faults: starting two networks, coming to rest twice, looking at everything. */
const settlingSecondsMax = 300
const selfTestSecondsMax = 900

/**
 * Namespaces of the run's own: its networks and disks are nobody else's, and whatever it started ends
 * with it. Needs root; without it the faults that need them are left out.
 */
const ownNamespaces = ['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc']

function mayHaveNamespaces(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false
  return spawnSync('unshare', [...ownNamespaces, 'true']).status === 0
}

/** Runs this very script again in namespaces of its own, and ends as it ends. */
async function again(seed: number): Promise<number> {
  const [, script = '', ...args] = process.argv
  const command = [...ownNamespaces, process.execPath, ...process.execArgv, script, ...args]
  const seeded = args.includes('--seed') ? [] : ['--seed', `${seed}`]
  const env = { ...process.env, [inside]: '1' }
  const child = spawn('unshare', [...command, ...seeded], { stdio: 'inherit', env })
  // Inside, the first process of its namespace takes no signals; with `unshare` everything ends.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => child.kill('SIGKILL'))
  }
  return new Promise((resolve) => {
    child.once('error', () => resolve(2))
    child.once('exit', (code) => resolve(code ?? 2))
  })
}

function print(result: RunResult): void {
  const { broken, invalid, faults, unavailable } = result
  const total = Object.values(faults).reduce((sum, n) => sum + n, 0)
  const line = (name: string, value: string | number): void =>
    console.log(`${name.padEnd(30)}${value}`)
  line('seed', result.seed)
  line('acknowledged', result.acknowledged)
  line('lost', result.lost)
  line('shown', result.shown)
  line('shown twice', result.duplicatesShown)
  line('suspensions', result.suspensions)
  line('sent after one', result.sentAfterSuspension)
  line('acknowledged after faults', result.acksAfterFaults)
  line('faults', total)
  for (const [kind, n] of Object.entries(faults).sort()) line(`  ${kind}`, n)
  for (const kind of unavailable) line(`  ${kind}`, 'not possible here')
  for (const { invariant, offences, examples } of broken) {
    console.log(`${invariant} is broken, ${offences} times:`)
    for (const example of examples) console.log(`  ${example}`)
  }
  for (const why of invalid) console.log(`invalid: ${why}`)
  if (result.history !== null) console.log(`history: ${result.history}`)
  console.log(result.ok ? 'chaos: ok' : 'chaos: failed')
}

/** Runs what must go red. @returns 1 when one of them does not, 2 when nothing could be run */
async function selfTest(args: Arguments, hasNamespaces: boolean): Promise<number> {
  const names = namesIn(args.only)
  const results = await runSelfTest({ names, hasNamespaces, talk })
  if (args.json) process.stdout.write(`${JSON.stringify({ cases: results })}\n`)
  for (const { name, isRed, broken } of args.json ? [] : results) {
    console.log(
      `${isRed ? 'red, as it must be' : 'NOT NOTICED'.padEnd(18)}  ${name}: ${broken.join(' ')}`,
    )
  }
  if (results.length === 0) return 2
  return results.every(({ isRed }) => isRed) ? 0 : 1
}

const namesIn = (list: string): string[] => list.split(',').filter((name) => name !== '')
const talk = (text: string): void => void process.stderr.write(`${text}\n`)

async function main(): Promise<number> {
  const args = readArguments()
  if (args.help) {
    process.stdout.write(usage)
    return 0
  }
  const isInside = process.env[inside] === '1'
  if (!isInside && mayHaveNamespaces()) return again(args.seed)
  if (isInside) spawnSync('ip', ['link', 'set', 'lo', 'up'])
  const secondsMax = args.selftest ? selfTestSecondsMax : args.seconds * 1.5 + settlingSecondsMax
  setTimeout(() => {
    talk(`chaos: not over within ${secondsMax} s`)
    process.exit(2)
  }, secondsMax * 1000).unref()
  if (args.selftest) return selfTest(args, isInside)
  const result = await runChaos({
    seconds: args.seconds,
    seed: args.seed,
    hasNamespaces: isInside,
    isStrict: args.strict,
    historyFile: args.history ?? null,
    only: namesIn(args.only),
    talk,
  })
  if (args.json) process.stdout.write(`${JSON.stringify(result)}\n`)
  else print(result)
  if (result.broken.length > 0) return 1
  return result.ok ? 0 : 2
}

try {
  // Whatever may still be open: everything was started by this run and is over.
  process.exit(await main())
} catch (error) {
  process.stderr.write(
    `chaos: ${error instanceof Error ? (error.stack ?? error.message) : error}\n`,
  )
  process.exit(2)
}
