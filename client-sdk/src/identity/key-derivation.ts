import { limits, RelayError, utf8 } from '@liaison/protocol'
import { sodium } from '@liaison/protocol/internal'

/** Work factors of a key file. */
export interface KeyFileCost {
  /** Memory, bytes. */
  readonly mem: number
  /** Passes over the memory. */
  readonly ops: number
}

/** 256 MiB and three passes: about a second on a desktop of today. */
export const defaultCost: KeyFileCost = { mem: 268_435_456, ops: 3 }

/** Shortest passphrase for a new key file, in characters after normalisation. */
export const passphraseLengthMin = 12

/** Length of the salt of Argon2id, bytes. */
export const saltBytes = 16

/**
 * Judges work factors before any work is done: a file that asks for too little was made weaker on
 * the way, one that asks for too much is made to stop the machine.
 *
 * @throws RelayError `key_file_weak`, `key_file_costly`.
 */
export function checkCost({ mem, ops }: KeyFileCost): void {
  // Written so that NaN, which compares with nothing, counts as too little.
  if (!(mem >= limits.keyFileMemBytesMin)) throw new RelayError('key_file_weak', { field: '/mem' })
  if (!(ops >= limits.keyFileOpsMin)) throw new RelayError('key_file_weak', { field: '/ops' })
  if (mem > limits.keyFileMemBytesMax) throw new RelayError('key_file_costly', { field: '/mem' })
  if (ops > limits.keyFileOpsMax) throw new RelayError('key_file_costly', { field: '/ops' })
  if (!Number.isInteger(mem)) throw new RelayError('key_file_malformed', { field: '/mem' })
  if (!Number.isInteger(ops)) throw new RelayError('key_file_malformed', { field: '/ops' })
}

/** The form of a passphrase that is used: keyboards write the same letter in different ways. */
export const normalisePassphrase = (passphrase: string): string => passphrase.normalize('NFKC')

/** Two halves of what a passphrase gives: the key, and what tells early that it is the wrong one. */
export interface DerivedKey {
  readonly key: Uint8Array
  readonly commitment: Uint8Array
  /** Overwrites both. */
  wipe(): void
}

/** Cuts 64 derived bytes into their two halves. */
export const halvesOf = (derived: Uint8Array): DerivedKey => ({
  key: derived.subarray(0, 32),
  commitment: derived.subarray(32),
  wipe: () => sodium().memzero(derived),
})

/** Argon2id over the normalised passphrase. The only user of the large build of libsodium. */
export async function deriveFromPassphrase(
  passphrase: string,
  salt: Uint8Array,
  cost: KeyFileCost,
): Promise<DerivedKey> {
  checkCost(cost)
  const { default: sumo } = await import('libsodium-wrappers-sumo')
  await sumo.ready
  const bytes = utf8(normalisePassphrase(passphrase))
  try {
    return halvesOf(
      sumo.crypto_pwhash(64, bytes, salt, cost.ops, cost.mem, sumo.crypto_pwhash_ALG_ARGON2ID13),
    )
  } finally {
    sodium().memzero(bytes)
  }
}
