import {
  concat,
  err,
  indexBytes,
  kdf,
  limits,
  ok,
  type Result,
  sodium,
} from '@liaison/protocol/internal'
import { xwingBytes } from './epoch-key.ts'

/** The wrapping key is used once, so a fixed nonce is safe. */
const zeroNonce = new Uint8Array(24)

/** Where a slot stands and for whose key it is. */
export interface SlotPlace {
  readonly ctxHash: Uint8Array
  readonly index: number
  readonly kid: Uint8Array
}

/**
 * Wraps the message key for one epoch key. The KEM's randomness is derived from the message key, so
 * everyone who can open the message can make every slot again and compare (docs/adr/0004).
 *
 * @returns 1,168 bytes.
 * @throws Error when libsodium refuses the public key; callers check keys with `checkEpochPublicKey`.
 */
export function wrapSlot(
  messageKey: Uint8Array,
  place: SlotPlace,
  publicKey: Uint8Array,
): Uint8Array {
  const { ctxHash, index, kid } = place
  const seed = kdf(
    messageKey,
    'sir/1 eseed',
    xwingBytes.encapsulationSeed,
    ctxHash,
    indexBytes(index),
    kid,
  )
  const { ciphertext, sharedSecret } = sodium().crypto_kem_xwing_enc_deterministic(publicKey, seed)
  const kek = slotKey(sharedSecret, place)
  try {
    const wrapped = sodium().crypto_aead_xchacha20poly1305_ietf_encrypt(
      messageKey,
      null,
      null,
      zeroNonce,
      kek,
    )
    return concat(ciphertext, wrapped)
  } finally {
    for (const secret of [seed, sharedSecret, kek]) sodium().memzero(secret)
  }
}

/** Recovers the message key from a slot. @param secretKey 32 bytes. */
export function unwrapSlot(
  slot: Uint8Array,
  place: SlotPlace,
  secretKey: Uint8Array,
): Result<Uint8Array, 'slot_unopenable'> {
  if (slot.length !== limits.slotBytes) return err('slot_unopenable')
  const ciphertext = slot.subarray(0, xwingBytes.ciphertext)
  const wrapped = slot.subarray(xwingBytes.ciphertext)
  let sharedSecret: Uint8Array
  try {
    sharedSecret = sodium().crypto_kem_xwing_dec(ciphertext, secretKey)
  } catch {
    return err('slot_unopenable')
  }
  const kek = slotKey(sharedSecret, place)
  try {
    return ok(
      sodium().crypto_aead_xchacha20poly1305_ietf_decrypt(null, wrapped, null, zeroNonce, kek),
    )
  } catch {
    return err('slot_unopenable')
  } finally {
    sodium().memzero(sharedSecret)
    sodium().memzero(kek)
  }
}

const slotKey = (sharedSecret: Uint8Array, { ctxHash, index, kid }: SlotPlace): Uint8Array =>
  kdf(sharedSecret, 'sir/1 slot', 32, ctxHash, indexBytes(index), kid)
