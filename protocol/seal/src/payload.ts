import { err, kdf, ok, type Result, sodium } from '@liaison/protocol/internal'

/** The payload key is used once: `ctxHash` holds the random id. */
const zeroNonce = new Uint8Array(24)

/** Length of the authentication tag, bytes. */
export const tagBytes = 16

const payloadKey = (messageKey: Uint8Array, ctxHash: Uint8Array): Uint8Array =>
  kdf(messageKey, 'sir/1 payload', 32, ctxHash)

/** Commitment to the message key, checked before anything is decrypted with it. */
export const commitmentOf = (messageKey: Uint8Array, ctxHash: Uint8Array): Uint8Array =>
  kdf(messageKey, 'sir/1 commit', 32, ctxHash)

/** Encrypts a padded content under the message key and the header. */
export function encryptPayload(
  messageKey: Uint8Array,
  ctxHash: Uint8Array,
  padded: Uint8Array,
): Uint8Array {
  const key = payloadKey(messageKey, ctxHash)
  try {
    return sodium().crypto_aead_xchacha20poly1305_ietf_encrypt(
      padded,
      ctxHash,
      null,
      zeroNonce,
      key,
    )
  } finally {
    sodium().memzero(key)
  }
}

/** Decrypts a payload. */
export function decryptPayload(
  messageKey: Uint8Array,
  ctxHash: Uint8Array,
  payload: Uint8Array,
): Result<Uint8Array, 'payload_unopenable'> {
  const key = payloadKey(messageKey, ctxHash)
  try {
    return ok(
      sodium().crypto_aead_xchacha20poly1305_ietf_decrypt(null, payload, ctxHash, zeroNonce, key),
    )
  } catch {
    return err('payload_unopenable')
  } finally {
    sodium().memzero(key)
  }
}
