import { fromBase64, toBase64 } from './base64.ts'
import { concat, equal, textOf, utf8 } from './bytes.ts'
import { sha256 } from './crypto/hash.ts'
import { type SigningKey, verifyDetached } from './crypto/sign.ts'
import { sodium } from './crypto/sodium.ts'
import { err, ok, type Result } from './result.ts'

/** Size and root of a log, as a signed note says it (C2SP signed-note and tlog-checkpoint). */
export interface Checkpoint {
  readonly origin: string
  readonly size: number
  readonly root: Uint8Array
}

/** One signature line of a note. */
interface NoteSignature {
  readonly name: string
  readonly keyId: Uint8Array
  readonly sig: Uint8Array
}

/** More lines than this would only be noise; a verifier must accept at least 16. */
const signatureLinesMax = 64

/** Ed25519 over the note's text. */
const noteEd25519 = 0x01

const keyIdOf = (name: string, publicKey: Uint8Array): Uint8Array =>
  sha256(utf8(name), new Uint8Array([0x0a, noteEd25519]), publicKey).slice(0, 4)

const noteText = (cp: Checkpoint): string => `${cp.origin}\n${cp.size}\n${toBase64(cp.root)}\n`

/** Signs a checkpoint with the log's key. The key's name is the origin. */
export function signCheckpoint(key: SigningKey, cp: Checkpoint): Uint8Array {
  const text = noteText(cp)
  const sig = sodium().crypto_sign_detached(utf8(text), key.secretKey)
  const line = toBase64(concat(keyIdOf(cp.origin, key.publicKey), sig))
  return utf8(`${text}\n\u2014 ${cp.origin} ${line}\n`)
}

/**
 * Verifies a checkpoint: exact origin, and a good signature by the log's key. Lines by unknown keys
 * are ignored; a bad line by the known key refuses the note.
 */
export function verifyCheckpoint(
  note: Uint8Array,
  origin: string,
  logKey: Uint8Array,
): Result<Checkpoint, 'checkpoint_invalid'> {
  const parsed = parseNote(note)
  if (parsed === null || parsed.checkpoint.origin !== origin) return err('checkpoint_invalid')
  const keyId = keyIdOf(origin, logKey)
  const own = parsed.signatures.filter((s) => s.name === origin && equal(s.keyId, keyId))
  const good = own.length > 0 && own.every((s) => verifyDetached(s.sig, utf8(parsed.text), logKey))
  return good ? ok(parsed.checkpoint) : err('checkpoint_invalid')
}

interface Note {
  readonly text: string
  readonly checkpoint: Checkpoint
  readonly signatures: readonly NoteSignature[]
}

function parseNote(note: Uint8Array): Note | null {
  let whole: string
  try {
    whole = textOf(note)
  } catch {
    return null
  }
  const cut = whole.indexOf('\n\n')
  if (cut < 0 || !whole.endsWith('\n')) return null
  const text = whole.slice(0, cut + 1)
  const checkpoint = parseText(text)
  const signatures = parseSignatures(whole.slice(cut + 2, -1).split('\n'))
  return checkpoint === null || signatures === null ? null : { text, checkpoint, signatures }
}

function parseText(text: string): Checkpoint | null {
  const lines = text.slice(0, -1).split('\n')
  const [origin, sizeText, rootText] = lines
  // No extension lines: nothing of ours writes them, so nothing of ours may be told by them.
  if (lines.length !== 3 || !origin || !sizeText || !rootText) return null
  if (!/^(0|[1-9][0-9]{0,15})$/.test(sizeText)) return null
  const size = Number(sizeText)
  const root = fromBase64(rootText)
  if (!Number.isSafeInteger(size) || root === null || root.length !== 32) return null
  return { origin, size, root }
}

function parseSignatures(lines: readonly string[]): NoteSignature[] | null {
  if (lines.length > signatureLinesMax) return null
  const out: NoteSignature[] = []
  for (const line of lines) {
    const match = /^\u2014 (\S+) (\S+)$/.exec(line)
    const [, name, blob] = match ?? []
    const bytes = blob === undefined ? null : fromBase64(blob)
    if (name === undefined || bytes === null || bytes.length < 5) return null
    out.push({ name, keyId: bytes.slice(0, 4), sig: bytes.slice(4) })
  }
  return out
}

/** Origins of the two logs of a network. */
export const logOrigins = (network: string): { readonly dir: string; readonly audit: string } => ({
  dir: `${network}/dir`,
  audit: `${network}/audit`,
})
