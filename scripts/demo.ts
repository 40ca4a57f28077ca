/**
 * The whole life of a network, on this machine, in under a minute: the participants of Nouakchott
 * 2013 found it, enrol their devices, send real reports, lose a relay and a device, and everything is
 * counted. Nothing here is pretended: the relay is a process of its own on a real disk.
 *
 *   npm run demo
 *   npm run --silent demo -- --json
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { sodiumReady } from '@liaison/protocol'
import { type KeptRelay, runDemo } from './demo/run-demo.ts'
import { isSabotage, sabotages } from './demo/sabotage.ts'
import { redisStore } from './demo/store.ts'
import { Talk } from './demo/talk.ts'

const usage = `npm run demo -- [--json] [--reports DIR] [--evidence DIR] [--keep]
                   [--redis URL] [--sabotage NAME]

  --json           one JSON object on standard output, no talk
  --reports DIR    send the reports of this folder instead of examples/reports
  --evidence DIR   leave the relay's data, its logs and every device's screen behind
  --keep           leave the relay running at the end and print its address; Ctrl-C stops it
  --redis URL      keep everything in this Redis server, such as redis://127.0.0.1:6379, which has to
                   run already and to sync every write; the network is removed from it at the end
  --sabotage NAME  play a defect; the count must notice it and the exit code must be 1:
${Object.entries(sabotages)
  .map(([name, what]) => `                   ${name.padEnd(14)} ${what}`)
  .join('\n')}
`

const options = {
  json: { type: 'boolean', default: false },
  reports: { type: 'string' },
  evidence: { type: 'string' },
  keep: { type: 'boolean', default: false },
  redis: { type: 'string' },
  sabotage: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const

function readArguments(): ReturnType<typeof parseArgs<{ options: typeof options }>>['values'] {
  try {
    const { values } = parseArgs({ options })
    if (values.redis !== undefined) redisStore(values.redis)
    if (values.sabotage !== undefined && !isSabotage(values.sabotage))
      throw new Error(`--sabotage ${values.sabotage}: no such defect`)
    return values
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`)
    process.exit(2)
  }
}

/** Waits with the relay running until the person has seen enough. */
async function keepRunning({ url, operatorUrl, networkFile }: KeptRelay): Promise<void> {
  process.stderr.write(
    `\nThe relay runs: ${url}\nIts state:      ${operatorUrl}/readyz\nNetwork file:   ${networkFile}\nCtrl-C stops it.\n`,
  )
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
  })
}

const args = readArguments()
if (args.help === true) {
  process.stdout.write(usage)
  process.exit(0)
}
await sodiumReady()
const talk = new Talk(args.json === true)
const evidence = args.evidence === undefined ? null : resolve(args.evidence)
const folder = await mkdtemp(join(tmpdir(), 'liaison-demo-'))
const bundled = fileURLToPath(new URL('../examples/reports', import.meta.url))
const { sabotage } = args
try {
  const result = await runDemo({
    folder,
    redis: args.redis === undefined ? null : redisStore(args.redis),
    reports: resolve(args.reports ?? bundled),
    bundled,
    evidence,
    talk,
    keep: args.keep === true ? keepRunning : null,
    sabotage: sabotage !== undefined && isSabotage(sabotage) ? sabotage : null,
  })
  if (args.json === true) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`)
  else process.stdout.write(result.ok ? 'demo: ok\n' : 'demo: failed\n')
  process.exitCode = result.ok ? 0 : 1
} catch (error) {
  process.stderr.write(
    `demo: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  )
  if (args.json !== true) process.stdout.write('demo: failed\n')
  process.exitCode = 1
} finally {
  await rm(folder, { recursive: true, force: true })
}
