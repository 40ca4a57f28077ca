import type { Command } from 'commander'
import { addBootstrap } from './admin-bootstrap.ts'
import { addChanges } from './admin-changes.ts'
import { addGenesis } from './admin-genesis.ts'
import { addStanding } from './admin-standing.ts'
import { addStatements } from './admin-statements.ts'
import type { Process } from './context.ts'

/** Adds `liaison admin`. */
export function addAdmin(program: Command, from: Process): void {
  const admin = program
    .command('admin')
    .description('founding a network and changing its directory; every change is signed')
  addGenesis(admin, from)
  addBootstrap(admin, from)
  addStatements(admin, from)
  addStanding(admin, from)
  addChanges(admin, from)
}
