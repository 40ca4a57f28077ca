import {
  type Administrator,
  adminsInForce,
  type Directory,
  decodeStatement,
  describeStatement,
  encodeEntry,
  epochPublicKeyBytes,
  equal,
  fromBase64url,
  kidOf,
  type NetworkId,
  networkFingerprint,
  networkIdOf,
  type Operation,
  operationOf,
  RelayError,
  type SigningKey,
  type StatementSignature,
  signStatement,
  toBase64url,
  verifyStatement,
} from '@liaison/protocol'
import { JsonFields, parseJson } from '../identity/json-fields.ts'

/**
 * A statement on its way from administrator to administrator. All of them sign the same `stmt`; the
 * summary and the fingerprint are for people and prove nothing.
 */
export interface StatementFile {
  readonly v: 1
  /** Fingerprint of the network: 40 digits in 8 groups. */
  readonly net: string
  /** The statement, base64url. */
  readonly stmt: string
  /** Number of the administrator and signature (base64url), one each, ascending. */
  readonly signatures: readonly (readonly [number: number, sig: string])[]
  /** What the author wrote for the others. Not signed. */
  readonly summary?: string
  /** Public keys to be stored at the relay before the entry, base64url; for `enrol`. */
  readonly blobs?: readonly string[]
}

/** A statement file taken apart. */
export interface OpenedStatement {
  readonly stmt: Uint8Array
  readonly operation: Operation
  readonly signatures: readonly StatementSignature[]
  readonly blobs: readonly Uint8Array[]
  /** Time of writing and end of validity, ms. */
  readonly written: number
  readonly expires: number
}

const fileFields = ['v', 'net', 'stmt', 'signatures', 'summary', 'blobs']
const signaturesMax = 64
/** Statements have at most 64 KiB and keys about 15 KiB, in base64url. */
const fileLengthMax = 262_144

/**
 * Reads a statement file. Its signatures are not verified here: see `statementProgress`.
 *
 * @throws RelayError `statement_file_malformed` with the field.
 */
export function parseStatementFile(text: string): StatementFile {
  if (text.length > fileLengthMax) bad('/')
  const fields = new JsonFields(parseJson(text, bad), '', fileFields, bad)
  fields.uint('v', { min: 1, max: 1 })
  const file: StatementFile = {
    v: 1,
    net: fields.text('net', { pattern: /^\d{5}( \d{5}){7}$/ }),
    stmt: toBase64url(fields.bytes('stmt')),
    signatures: fields.list('signatures', readSignature, { max: signaturesMax }),
    ...(fields.has('summary') ? { summary: fields.text('summary', { max: 2000 }) } : {}),
    ...(fields.has('blobs')
      ? { blobs: fields.bytesList('blobs', epochPublicKeyBytes, { max: 16 }).map(toBase64url) }
      : {}),
  }
  openStatementFile(file)
  return file
}

/** Writes a statement file. */
export const formatStatementFile = (file: StatementFile): string =>
  `${JSON.stringify(file, null, 2)}\n`

function readSignature(item: unknown, at: string): readonly [number, string] {
  if (!Array.isArray(item) || item.length !== 2) return bad(at)
  const [num, text] = item as readonly unknown[]
  if (!(typeof num === 'number' && Number.isSafeInteger(num) && num >= 0)) return bad(at)
  const sig = typeof text === 'string' ? fromBase64url(text) : null
  return sig?.length === 64 ? [num, toBase64url(sig)] : bad(at)
}

/** Takes a file apart and checks that its parts fit. @throws RelayError `statement_file_malformed`. */
export function openStatementFile(file: StatementFile): OpenedStatement {
  const stmt = fromBase64url(file.stmt) ?? bad('/stmt')
  const statement = decodeStatement(stmt)
  if (!statement.ok) return bad('/stmt')
  const operation = operationOf(statement.value)
  if (typeof operation === 'string') throw new RelayError(operation, { field: '/stmt' })
  if (operation.op === 'genesis' && file.net !== networkFingerprint(networkIdOf(stmt))) bad('/net')
  const signatures = file.signatures.map(([num, text], i): StatementSignature => {
    const before = file.signatures[i - 1]
    if (before !== undefined && before[0] >= num) bad(`/signatures/${i}`)
    return [num, fromBase64url(text) ?? bad(`/signatures/${i}`)]
  })
  const blobs = (file.blobs ?? []).map((text, i) => fromBase64url(text) ?? bad(`/blobs/${i}`))
  checkBlobs(operation, blobs)
  const { t, exp } = statement.value
  return { stmt, operation, signatures, blobs, written: t, expires: exp }
}

/** The keys in the file must be the ones that the statement lists, all of them, in order. */
function checkBlobs(operation: Operation, blobs: readonly Uint8Array[]): void {
  const kids = operation.op === 'enrol' ? operation.body.kids : []
  if (blobs.length !== kids.length) bad('/blobs')
  for (const [i, blob] of blobs.entries()) {
    if (!equal(kidOf(blob), kids[i] ?? new Uint8Array())) bad(`/blobs/${i}`)
  }
}

/**
 * The network that a file is for.
 *
 * @param directory null only for a genesis, which founds its own network.
 * @throws RelayError `network_mismatch` when the file is for another network.
 */
export function networkOf(
  file: StatementFile,
  opened: OpenedStatement,
  directory: Directory | null,
): NetworkId {
  if (opened.operation.op === 'genesis') return networkIdOf(opened.stmt)
  if (directory === null) throw new RelayError('network_mismatch', { field: '/net' })
  if (file.net !== networkFingerprint(directory.net)) {
    throw new RelayError('network_mismatch', { field: '/net' })
  }
  return directory.net
}

/** Everybody whose signature the directory takes: those in force, and those whom it would install. */
export function signersOf(operation: Operation, directory: Directory | null): Administrator[] {
  const inForce = directory === null ? [] : adminsInForce(directory.admins())
  if (operation.op === 'genesis') return [...operation.body.admins]
  return operation.op === 'quorum' ? [...inForce, ...operation.body.admins] : inForce
}

/**
 * Adds the signature of one administrator. Signing twice changes nothing.
 *
 * @param directory null for a genesis.
 * @throws RelayError `network_mismatch`, `signer_unknown` (not an administrator with this key),
 * `statement_file_malformed`.
 */
export function signStatementFile(
  file: StatementFile,
  directory: Directory | null,
  adminNumber: number,
  key: SigningKey,
): StatementFile {
  const opened = openStatementFile(file)
  const net = networkOf(file, opened, directory)
  const known = signersOf(opened.operation, directory).some(
    (admin) => admin.num === adminNumber && equal(admin.key, key.publicKey),
  )
  if (!known) throw new RelayError('signer_unknown', { field: `${adminNumber}` })
  const mine = signStatement(net, adminNumber, key, opened.stmt)
  return withSignatures(file, [...opened.signatures.filter(([n]) => n !== adminNumber), mine])
}

/**
 * Puts the signatures of several copies of one file together.
 *
 * @param directory null for a genesis.
 * @throws RelayError `statement_file_malformed` when they are not copies of one statement,
 * `signature_invalid` when a signature does not verify, `signer_unknown`, `network_mismatch`; the
 * field names the copy: `/<index>/signatures/<administrator>`.
 */
export function mergeStatementFiles(
  files: readonly StatementFile[],
  directory: Directory | null,
): StatementFile {
  const [first] = files
  if (first === undefined) return bad('/')
  const merged = new Map<number, StatementSignature>()
  for (const [i, file] of files.entries()) {
    if (file.stmt !== first.stmt || file.net !== first.net) bad(`/${i}`)
    const opened = openStatementFile(file)
    const net = networkOf(file, opened, directory)
    const admins = signersOf(opened.operation, directory)
    for (const [num, sig] of opened.signatures) {
      const field = `/${i}/signatures/${num}`
      const keys = admins.filter((admin) => admin.num === num).map((admin) => admin.key)
      if (keys.length === 0) throw new RelayError('signer_unknown', { field })
      if (!keys.some((key) => verifyStatement(net, key, opened.stmt, sig))) {
        throw new RelayError('signature_invalid', { field })
      }
      if (!merged.has(num)) merged.set(num, [num, sig])
    }
  }
  return withSignatures(first, [...merged.values()])
}

/** The directory entry: the statement with its signatures. */
export function entryOf(file: StatementFile): Uint8Array {
  const { stmt, signatures } = openStatementFile(file)
  return encodeEntry(stmt, signatures)
}

function withSignatures(
  file: StatementFile,
  signatures: readonly StatementSignature[],
): StatementFile {
  const sorted = [...signatures].sort((a, b) => a[0] - b[0])
  return { ...file, signatures: sorted.map(([num, sig]) => [num, toBase64url(sig)] as const) }
}

/** A file for a new statement, with no signature yet. */
export function newStatementFile(
  net: NetworkId,
  stmt: Uint8Array,
  extra: { readonly summary?: string; readonly blobs?: readonly Uint8Array[] } = {},
): StatementFile {
  const described = describeStatement(stmt, net)
  if (!described.ok) throw new RelayError(described.error)
  return {
    v: 1,
    net: networkFingerprint(net),
    stmt: toBase64url(stmt),
    signatures: [],
    ...(extra.summary === undefined ? {} : { summary: extra.summary }),
    ...(extra.blobs === undefined ? {} : { blobs: extra.blobs.map(toBase64url) }),
  }
}

function bad(field: string): never {
  throw new RelayError('statement_file_malformed', { field })
}
