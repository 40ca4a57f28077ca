/** Administrators with keys, and what they do together, for the tests of this folder. */
import {
  Directory,
  type EpochMs,
  epochMs,
  type SigningKey,
  signingKeyFromSeed,
  toBase64url,
} from '@liaison/protocol'
import { draftGenesis, finishGenesis } from '../../../../client-sdk/src/admin/genesis.ts'
import {
  type GenesisPlan,
  parseGenesisPlan,
} from '../../../../client-sdk/src/admin/genesis-plan.ts'
import { statementProgress } from '../../../../client-sdk/src/admin/review.ts'
import {
  entryOf,
  type StatementFile,
  signStatementFile,
} from '../../../../client-sdk/src/admin/statement-file.ts'

const seed = (n: number): Uint8Array => new Uint8Array(32).fill(n)

/** Key of an administrator by number; of anybody else by a number of their own. */
export const keyOf = (num: number): SigningKey => signingKeyFromSeed(seed(num))

export const organisations = ['ACSRT', 'AUC', 'FLU', 'MR', 'ML'] as const

/** Start of the tests' networks. */
export const start: EpochMs = epochMs(Date.UTC(2026, 10, 2))

/** A plan with nothing wrong, as it stands in a file. */
export const planJson = (changes: Record<string, unknown> = {}): Record<string, unknown> => ({
  name: 'test.example',
  administrators: organisations.map((org, i) => ({
    num: i + 1,
    org,
    name: `${org}, administrator`,
    key: toBase64url(keyOf(i + 1).publicKey),
  })),
  m: 2,
  r: 3,
  relays: [{ num: 1, origin: '127.0.0.1', key: toBase64url(keyOf(101).publicKey) }],
  logs: { dir: toBase64url(keyOf(102).publicKey), audit: toBase64url(keyOf(103).publicKey) },
  flu: ['FLU'],
  freshness: { maxAge: 86_400_000, need: { flu: 0, admin: 0, witness: 0 } },
  recallHold: 259_200_000,
  example: true,
  ...changes,
})

/** @throws Error when the plan is not a good one. */
export function planOf(changes: Record<string, unknown> = {}): GenesisPlan {
  const plan = parseGenesisPlan(JSON.stringify(planJson(changes)))
  if (!plan.ok) throw new Error(JSON.stringify(plan.error))
  return plan.value
}

/** A network that five administrators have founded. */
export function foundedNetwork(now: EpochMs = start): {
  genesis: Uint8Array
  directory: Directory
} {
  const draft = draftGenesis(planOf(), now)
  const signed = organisations.reduce(
    (file, _org, i) => signStatementFile(file, null, i + 1, keyOf(i + 1)),
    draft,
  )
  const genesis = finishGenesis(signed)
  const founded = Directory.fromGenesis(genesis)
  if (!founded.ok) throw new Error(founded.error)
  return { genesis, directory: founded.value }
}

/** Signs by one administrator after the other until it is enough. */
export function signedByEnough(file: StatementFile, directory: Directory): StatementFile {
  let signed = file
  for (let num = 1; !statementProgress(signed, directory).complete; num++) {
    signed = signStatementFile(signed, directory, num, keyOf(num))
  }
  return signed
}

/** Appends a signed file. @throws Error with the directory's code. */
export function append(directory: Directory, file: StatementFile, now: EpochMs): number {
  const applied = directory.append(entryOf(file), now)
  if (!applied.ok) throw new Error(`refused: ${applied.error}`)
  return applied.value.index
}
