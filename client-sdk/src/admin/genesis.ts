import {
  Directory,
  type EpochMs,
  emptyRoot,
  encodeEntry,
  encodeStatement,
  networkIdOf,
  RelayError,
} from '@liaison/protocol'
import { type GenesisPlan, genesisBodyOf } from './genesis-plan.ts'
import {
  entryOf,
  newStatementFile,
  openStatementFile,
  type StatementFile,
} from './statement-file.ts'

/**
 * Writes the first statement of a network, for every founding administrator to sign. The network's
 * fingerprint follows from it: read it to each other before signing.
 *
 * @throws RelayError with the directory's code when the plan breaks its rules.
 */
export function draftGenesis(plan: GenesisPlan, now: EpochMs): StatementFile {
  const stmt = encodeStatement({
    op: 'genesis',
    body: genesisBodyOf(plan),
    base: [0, emptyRoot()],
    t: now,
  })
  // Number 0 is nobody's, so everything but the signatures is judged.
  const judged = Directory.fromGenesis(encodeEntry(stmt, [[0, new Uint8Array(64)]]))
  if (!judged.ok && judged.error !== 'signer_unknown') throw new RelayError(judged.error)
  return newStatementFile(networkIdOf(stmt), stmt, { summary: `Found the network ${plan.name}` })
}

/**
 * The genesis entry, once all have signed.
 *
 * @throws RelayError `quorum_missing` with the names of those who have not signed, or the
 * directory's code (`signature_invalid`, `signer_unknown`).
 */
export function finishGenesis(file: StatementFile): Uint8Array {
  const { operation, signatures } = openStatementFile(file)
  if (operation.op !== 'genesis') {
    throw new RelayError('statement_file_malformed', { field: '/stmt' })
  }
  const signed = new Set(signatures.map(([num]) => num))
  const missing = operation.body.admins.filter((admin) => !signed.has(admin.num))
  if (missing.length > 0) {
    const names = missing.map((admin) => `${admin.org}: ${admin.name}`)
    throw new RelayError('quorum_missing', { field: '/signatures', detail: names.join('; ') })
  }
  const entry = entryOf(file)
  const founded = Directory.fromGenesis(entry)
  if (!founded.ok) throw new RelayError(founded.error, { field: '/signatures' })
  return entry
}
