import type { Command } from 'commander'
import { type Process, runs } from './context.ts'

/** Adds `liaison doctor`. */
export function addDoctor(program: Command, from: Process): void {
  const doctor = program
    .command('doctor')
    .description('say what is right and wrong on this machine')
  runs(doctor, from, async () => undefined)
}
