import type { Command } from 'commander'
import { type Context, type Options, type Process, runs } from './context.ts'
import { examine, type Finding } from './doctor-checks.ts'
import { SilentExit } from './failure.ts'
import { clean, wrapped } from './output.ts'

/** Adds `liaison doctor`. */
export function addDoctor(program: Command, from: Process): void {
  const doctor = program
    .command('doctor')
    .description('say what is right and wrong on this machine, and what to do about it')
    .option('--timeout <seconds>', 'longest wait for the relay', '10')
    .option('--offline', 'do not connect')
    .option('--relay <url>', 'another relay than that of the network file')
    .addHelpText('after', '\nExample:\n  $ liaison doctor\n')
  runs(doctor, from, diagnose)
}

/** Columns before the words of a check. */
const indent = 17

const colours = { ok: 'green', warn: 'yellow', fail: 'red' } as const

async function diagnose(
  context: Context,
  _args: readonly string[],
  options: Options,
): Promise<void> {
  const { out } = context
  const findings: Finding[] = []
  for await (const finding of examine(context, {
    relay: options.text('relay'),
    seconds: options.flag('offline') ? 0 : (options.whole('timeout', { min: 1, max: 600 }) ?? 10),
  })) {
    findings.push(finding)
    if (out.json) continue
    const { check, state, text, remedy } = finding
    const lines = [text, ...(remedy === undefined ? [] : [remedy])].flatMap((part) =>
      wrapped(clean(part), 80 - indent),
    )
    const heads = [`${out.paint(colours[state], state.padEnd(4))}  ${check.padEnd(9)}  `]
    out.data({}, () => lines.map((line, i) => `${heads[i] ?? ' '.repeat(indent)}${line}`))
  }
  const failed = findings.filter(({ state }) => state === 'fail')
  // The numbers of exit codes grow with the weight of what went wrong.
  const exit = failed.reduce((worst, finding) => Math.max(worst, finding.exit ?? 1), 0)
  if (out.json) out.data({ ok: failed.length === 0, exit, checks: findings }, () => [])
  const warnings = findings.filter(({ state }) => state === 'warn').length
  out.say(
    failed.length > 0
      ? `${failed.length} wrong, ${warnings} to look at (exit ${exit}).`
      : warnings > 0
        ? `Nothing is wrong, ${warnings} to look at.`
        : 'All is well.',
  )
  if (exit !== 0) throw new SilentExit(exit)
}
