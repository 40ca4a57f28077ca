import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { type Process, runs } from './context.ts'

/** Release of the command line, as its package says. */
export function releaseOf(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { readonly version: string }).version
}

/** Adds `liaison version`. */
export function addVersion(program: Command, from: Process): void {
  const version = program
    .command('version')
    .description('say the release, the protocol and the version of Node')
    .addHelpText('after', '\nExample:\n  $ liaison version --json\n')
  runs(version, from, async ({ out }) => {
    const liaison = releaseOf()
    out.data({ liaison, protocol: 'SIR/1', node: process.version }, () => [
      `liaison ${liaison}, protocol SIR/1, Node ${process.version}`,
    ])
  })
}
