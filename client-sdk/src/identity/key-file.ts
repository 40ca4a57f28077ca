import {
  type EpochMs,
  epochMs,
  equal,
  RelayError,
  randomBytes,
  signingKeyFromSeed,
  sodiumReady,
  systemClock,
  toBase64url,
} from '@liaison/protocol'
import { decodeCbor, encodeCbor, kdf, sodium } from '@liaison/protocol/internal'
import type { Identity } from './identity.ts'
import { JsonFields, parseJson } from './json-fields.ts'
import {
  checkCost,
  type DerivedKey,
  defaultCost,
  deriveFromPassphrase,
  halvesOf,
  type KeyFileCost,
  normalisePassphrase,
  passphraseLengthMin,
  saltBytes,
} from './key-derivation.ts'

const nonceBytes = 24
/** Key files are about 700 bytes; anything much longer is something else. */
const keyFileLengthMax = 16_384

/** How the passphrase protects a key file. */
type Protection =
  | ({ readonly alg: 'argon2id13'; readonly salt: Uint8Array } & KeyFileCost)
  | { readonly alg: 'none' }

/** Everything in a key file but the ciphertext; all of it is authenticated. */
interface KeyFileHeader {
  readonly kind: Identity['kind']
  readonly created: number
  readonly publicKey: Uint8Array
  readonly kdf: Protection
  readonly nonce: Uint8Array
  readonly kc: Uint8Array
}

/** What a key file says without its passphrase. Not authenticated before the file is opened. */
export interface KeyFileInfo {
  readonly kind: Identity['kind']
  /** Ed25519 public key, 32 bytes. */
  readonly publicKey: Uint8Array
  readonly created: EpochMs
  /** Whether a passphrase is needed. */
  readonly protected: boolean
  /** Work factors of the passphrase; null without one. */
  readonly cost: KeyFileCost | null
}

/** Work factors and time of a new key file. */
export interface KeyFileOptions extends Partial<KeyFileCost> {
  /** Time that the file names as its making; the machine's clock unless given. */
  readonly now?: EpochMs
}

/** Makes a new identity. Call `sodiumReady()` before. */
export const newIdentity = (kind: Identity['kind']): Identity => ({
  kind,
  signingKey: signingKeyFromSeed(randomBytes(32)),
  storageKey: randomBytes(32),
})

/**
 * Encrypts an identity into the text of a key file.
 *
 * @param passphrase null leaves it unprotected, which only example networks accept.
 * @throws RelayError `key_file_weak` (passphrase too short, or work factors below the floor),
 * `key_file_costly`.
 */
export async function encryptKeyFile(
  identity: Identity,
  passphrase: string | null,
  options: KeyFileOptions = {},
): Promise<string> {
  await sodiumReady()
  const { mem = defaultCost.mem, ops = defaultCost.ops, now = systemClock() } = options
  if (passphrase !== null) {
    if ([...normalisePassphrase(passphrase)].length < passphraseLengthMin) {
      throw new RelayError('key_file_weak', { field: '/passphrase' })
    }
    checkCost({ mem, ops })
  }
  const protection: Protection =
    passphrase === null
      ? { alg: 'none' }
      : { alg: 'argon2id13', ops, mem, salt: randomBytes(saltBytes) }
  const nonce = randomBytes(nonceBytes)
  const derived = await derive(protection, nonce, passphrase)
  const header: KeyFileHeader = {
    kind: identity.kind,
    created: now,
    publicKey: identity.signingKey.publicKey,
    kdf: protection,
    nonce,
    kc: derived.commitment.slice(),
  }
  const plain = encodeCbor({
    seed: identity.signingKey.secretKey.subarray(0, 32),
    sk: identity.storageKey,
  })
  try {
    const aad = headerBytes(header)
    const ct = sodium().crypto_aead_xchacha20poly1305_ietf_encrypt(
      plain,
      aad,
      null,
      nonce,
      derived.key,
    )
    return formatKeyFile(header, ct)
  } finally {
    derived.wipe()
    sodium().memzero(plain)
  }
}

/**
 * Opens a key file.
 *
 * @throws RelayError `key_file_malformed`, `key_file_weak`, `key_file_costly`, `passphrase_wrong`.
 */
export async function openKeyFile(
  text: string,
  passphrase: string | null,
  options: { readonly allowUnprotected: boolean },
): Promise<Identity> {
  await sodiumReady()
  const { header, ct } = parseKeyFile(text)
  if (header.kdf.alg === 'none') {
    if (!options.allowUnprotected) throw new RelayError('key_file_weak', { field: '/kdf/alg' })
  } else {
    checkCost(header.kdf)
    if (passphrase === null) throw new RelayError('passphrase_wrong')
  }
  const derived = await derive(header.kdf, header.nonce, passphrase)
  try {
    // Before anything is decrypted: a ciphertext that many keys open cannot be used to halve guesses.
    if (!equal(derived.commitment, header.kc)) throw new RelayError('passphrase_wrong')
    return readIdentity(header, decrypt(header, ct, derived.key))
  } finally {
    derived.wipe()
  }
}

/** Reads what a key file says openly. @throws RelayError `key_file_malformed`. */
export function readKeyFileInfo(text: string): KeyFileInfo {
  const { kind, publicKey, created, kdf: protection } = parseKeyFile(text).header
  const cost = protection.alg === 'none' ? null : { mem: protection.mem, ops: protection.ops }
  return { kind, publicKey, created: epochMs(created), protected: cost !== null, cost }
}

async function derive(
  protection: Protection,
  nonce: Uint8Array,
  passphrase: string | null,
): Promise<DerivedKey> {
  // Without a passphrase the same layout still finds damage; it hides nothing.
  if (protection.alg === 'none') {
    return halvesOf(kdf(new Uint8Array(32), 'sir/1 open key file', 64, nonce))
  }
  return deriveFromPassphrase(passphrase ?? '', protection.salt, protection)
}

function decrypt(header: KeyFileHeader, ct: Uint8Array, key: Uint8Array): Uint8Array {
  try {
    const aad = headerBytes(header)
    return sodium().crypto_aead_xchacha20poly1305_ietf_decrypt(null, ct, aad, header.nonce, key)
  } catch {
    // The passphrase was right, so the file is damaged.
    throw new RelayError('key_file_malformed', { field: '/ct' })
  }
}

function readIdentity(header: KeyFileHeader, plain: Uint8Array): Identity {
  const malformed = new RelayError('key_file_malformed', { field: '/ct' })
  try {
    const decoded = decodeCbor(plain)
    if (!decoded.ok) throw malformed
    const { seed, sk } = decoded.value as { readonly seed?: unknown; readonly sk?: unknown }
    if (!(seed instanceof Uint8Array && seed.length === 32)) throw malformed
    if (!(sk instanceof Uint8Array && sk.length === 32)) throw malformed
    const signingKey = signingKeyFromSeed(seed)
    sodium().memzero(seed)
    if (!equal(signingKey.publicKey, header.publicKey)) throw malformed
    const storageKey = sk.slice()
    sodium().memzero(sk)
    return { kind: header.kind, signingKey, storageKey }
  } finally {
    sodium().memzero(plain)
  }
}

/** The bytes that authenticate a header: its one CBOR encoding, whatever the JSON looked like. */
const headerBytes = (header: KeyFileHeader): Uint8Array =>
  encodeCbor({
    v: 1,
    kind: header.kind,
    created: header.created,
    publicKey: header.publicKey,
    kdf:
      header.kdf.alg === 'none'
        ? { alg: 'none' }
        : {
            alg: header.kdf.alg,
            ops: header.kdf.ops,
            mem: header.kdf.mem,
            p: 1,
            salt: header.kdf.salt,
          },
    nonce: header.nonce,
    kc: header.kc,
  })

function formatKeyFile(header: KeyFileHeader, ct: Uint8Array): string {
  const { kdf: protection } = header
  const file = {
    v: 1,
    kind: header.kind,
    created: header.created,
    publicKey: toBase64url(header.publicKey),
    kdf:
      protection.alg === 'none'
        ? protection
        : {
            alg: protection.alg,
            ops: protection.ops,
            mem: protection.mem,
            p: 1,
            salt: toBase64url(protection.salt),
          },
    nonce: toBase64url(header.nonce),
    kc: toBase64url(header.kc),
    ct: toBase64url(ct),
  }
  return `${JSON.stringify(file, null, 2)}\n`
}

const keyFileFields = ['v', 'kind', 'created', 'publicKey', 'kdf', 'nonce', 'kc', 'ct']

function parseKeyFile(text: string): { readonly header: KeyFileHeader; readonly ct: Uint8Array } {
  const bad = (field: string): never => {
    throw new RelayError('key_file_malformed', { field })
  }
  if (text.length > keyFileLengthMax) bad('/')
  const file = new JsonFields(parseJson(text, bad), '', keyFileFields, bad)
  file.uint('v', { min: 1, max: 1 })
  return {
    header: {
      kind: file.word('kind', ['device', 'administrator']),
      created: file.uint('created'),
      publicKey: file.bytes('publicKey', 32),
      kdf: parseProtection(file, bad),
      nonce: file.bytes('nonce', nonceBytes),
      kc: file.bytes('kc', 32),
    },
    ct: file.bytes('ct'),
  }
}

function parseProtection(file: JsonFields, bad: (field: string) => never): Protection {
  const fields = file.object('kdf', ['alg', 'ops', 'mem', 'p', 'salt'])
  const alg = fields.word('alg', ['argon2id13', 'none'])
  if (alg === 'none') {
    for (const key of ['ops', 'mem', 'p', 'salt']) if (fields.has(key)) bad(`/kdf/${key}`)
    return { alg }
  }
  fields.uint('p', { min: 1, max: 1 })
  // Any number is read here, even an absurd one; `checkCost` judges it by name.
  const [ops, mem] = [fields.raw('ops'), fields.raw('mem')]
  if (typeof ops !== 'number') return bad('/kdf/ops')
  if (typeof mem !== 'number') return bad('/kdf/mem')
  return { alg, ops, mem, salt: fields.bytes('salt', saltBytes) }
}
