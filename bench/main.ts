/**
 * Measures the relay, the sealing and the wire, each beside what limits it on this machine.
 *
 *   npm run bench                          a table
 *   npm run --silent bench -- --json       one JSON object on standard output
 *   npm run bench -- --only seal           rows whose name begins with a prefix
 *   npm run bench -- --quick               smaller counts; figures are rougher
 *
 * Every server is a child process on loopback and ends with its measurement.
 */
import { parseArgs } from 'node:util'
import { sodiumReady } from '@liaison/protocol'
import { admissionRows, validateRows } from './admission.ts'
import { appendRows } from './append.ts'
import { bytesRows } from './bytes.ts'
import { catchupRows, fanoutRows } from './delivery.ts'
import { sealRows } from './seal.ts'
import { connectRows, suspendRows } from './sessions.ts'
import { commitOf, machineOf } from './support/machine.ts'
import type { BenchOptions, Row } from './support/row.ts'

type Part = readonly [prefix: string, run: (options: BenchOptions) => Row[] | Promise<Row[]>]

const parts: readonly Part[] = [
  ['seal', sealRows],
  ['bytes', bytesRows],
  ['admission', admissionRows],
  ['validate', validateRows],
  ['append', appendRows],
  ['fanout', fanoutRows],
  ['catchup', catchupRows],
  ['connect', connectRows],
  ['suspend', suspendRows],
]

/** Rows that a part may give beside those that begin with its own name. */
const alsoOf: Readonly<Record<string, readonly string[]>> = {
  seal: ['open', 'slotcheck.30'],
  append: ['part.'],
}

function overlaps(prefix: string, only: string): boolean {
  const names = [prefix, ...(alsoOf[prefix] ?? [])]
  return names.some((name) => name.startsWith(only) || only.startsWith(name))
}

function printTable(rows: readonly Row[]): void {
  const cells = rows.map(({ name, unit, value, min, max, runs, limit, ratio }) => [
    name,
    `${value} ${unit}`,
    runs > 1 ? `${min} .. ${max} (${runs})` : '',
    limit === undefined ? '' : `${limit.value} (${limit.name})`,
    ratio === undefined ? '' : `${ratio}`,
  ])
  const table = [['name', 'median', 'min .. max (runs)', 'limit', 'ratio'], ...cells]
  const widths = table[0]?.map((_, i) => Math.max(...table.map((row) => row[i]?.length ?? 0))) ?? []
  for (const row of table) {
    console.log(
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      only: { type: 'string', default: '' },
    },
  })
  const { json, quick, only } = values
  const options: BenchOptions = { quick, wants: (name) => name.startsWith(only) }
  await sodiumReady()
  const machine = machineOf()
  const commit = await commitOf()
  const rows: Row[] = []
  const begin = performance.now()
  for (const [prefix, run] of parts) {
    if (!overlaps(prefix, only)) continue
    process.stderr.write(`measuring ${prefix} ...\n`)
    rows.push(...(await run(options)))
  }
  if (rows.length === 0) {
    process.stderr.write(`no row begins with "${only}"\n`)
    process.exitCode = 2
    return
  }
  const seconds = ((performance.now() - begin) / 1000).toFixed(0)
  process.stderr.write(`done in ${seconds} s\n`)
  if (json) console.log(JSON.stringify({ machine, commit, rows }, null, 2))
  else {
    console.log(
      `${machine.cpus}, ${machine.cores} cores, ${machine.platform}, Node ${machine.node}`,
    )
    console.log(`commit ${commit}\n`)
    printTable(rows)
  }
}

await main()
