import { randomBytes } from '../bytes.ts'
import { err, ok, type Result } from '../result.ts'
import { sodium } from './sodium.ts'

/** Length of an X-Wing public key, bytes: ML-KEM-768 then X25519. */
export const epochPublicKeyBytes = 1216

/** Randomness of one encapsulation, bytes. */
const encapsulationSeedBytes = 64

/**
 * Whether an epoch public key may be used: right length and one trial encapsulation, which libsodium
 * refuses for unreduced ML-KEM coefficients and for an X25519 part of low order. Needs no secret, so
 * the relay can do it too and a device cannot publish a key that nobody can seal for.
 */
export function checkEpochPublicKey(publicKey: Uint8Array): Result<true, 'key_rejected'> {
  if (publicKey.length !== epochPublicKeyBytes) return err('key_rejected')
  try {
    sodium().crypto_kem_xwing_enc_deterministic(publicKey, randomBytes(encapsulationSeedBytes))
    return ok(true)
  } catch {
    return err('key_rejected')
  }
}
