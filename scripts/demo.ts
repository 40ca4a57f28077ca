/**
 * The whole life of a network, on this machine, in under a minute: the participants of Nouakchott
 * 2013 found it, enrol their devices, send real reports, lose a relay and a device, and everything is
 * counted. Nothing here is pretended: the relay is a process of its own on a real disk.
 *
 *   npm run demo
 *   npm run --silent demo -- --json
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { sodiumReady } from '@liaison/protocol'
import { runDemo } from './demo/run-demo.ts'
import { Talk } from './demo/talk.ts'

const usage = `npm run demo -- [--json] [--reports DIR] [--evidence DIR] [--keep]

  --json          one JSON object on standard output, no talk
  --reports DIR   send the reports of this folder instead of examples/reports
  --evidence DIR  leave the relay's data, its log and every device's list behind
  --keep          leave the relay running and print its address; stop it with Ctrl-C
`

const options = {
  json: { type: 'boolean', default: false },
  reports: { type: 'string' },
  evidence: { type: 'string' },
  keep: { type: 'boolean', default: false },
  redis: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const

function readArguments(): ReturnType<typeof parseArgs<{ options: typeof options }>>['values'] {
  try {
    const { values } = parseArgs({ options })
    if (values.redis !== undefined)
      throw new Error('--redis: this release has the embedded store only')
    return values
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`)
    process.exit(2)
  }
}

const evidenceNote = `What the demonstration left behind, so that somebody else can count again:
result.json    the figures
relay-data/    the relay's whole store
relay.log      everything the relay printed
devices/*.json each device's list of what it shows, by core hash
`

const args = readArguments()
if (args.help === true) {
  process.stdout.write(usage)
  process.exit(0)
}
await sodiumReady()
const talk = new Talk(args.json === true)
const evidence = args.evidence === undefined ? null : resolve(args.evidence)
const folder = await mkdtemp(join(tmpdir(), 'liaison-demo-'))
const reports = resolve(
  args.reports ?? fileURLToPath(new URL('../examples/reports', import.meta.url)),
)
try {
  const result = await runDemo({ folder, reports, evidence, talk, keep: args.keep === true })
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
  if (evidence !== null)
    await writeFile(join(evidence, 'README.txt'), evidenceNote).catch(() => undefined)
  await rm(folder, { recursive: true, force: true })
}
