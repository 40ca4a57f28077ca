import { kidOf, randomBytes, sodium } from '@liaison/protocol/internal'

/** Sizes of X-Wing, bytes. @see draft-connolly-cfrg-xwing-kem */
export const xwingBytes = {
  publicKey: 1216,
  secretKey: 32,
  ciphertext: 1120,
  encapsulationSeed: 64,
} as const

/** One week's key of a device. */
export interface EpochKeyPair {
  /** 1,216 bytes. */
  readonly publicKey: Uint8Array
  /** 32 bytes, from which everything else follows. */
  readonly secretKey: Uint8Array
  /** Its name in audiences, 32 bytes. */
  readonly kid: Uint8Array
}

/** The key pair of a 32-byte seed; the seed is the secret key. */
export function epochKeyFromSeed(seed: Uint8Array): EpochKeyPair {
  const pair = sodium().crypto_kem_xwing_seed_keypair(seed)
  return { publicKey: pair.publicKey, secretKey: seed, kid: kidOf(pair.publicKey) }
}

/** A new random epoch key. */
export const newEpochKey = (): EpochKeyPair => epochKeyFromSeed(randomBytes(xwingBytes.secretKey))
