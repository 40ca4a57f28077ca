import type { NetworkId } from '../brand.ts'
import { concat, labelBytes, lp } from '../bytes.ts'
import { sodium } from './sodium.ts'

/** Ends the label. */
const zero = new Uint8Array(1)

/** Every label that is signed under. Disjoint by construction: one table, one owner. */
export const signingLabels = {
  envelope: 'sir/1 env',
  statement: 'sir/1 stmt',
  possession: 'sir/1 pop',
  challenge: 'sir/1 chal',
  auth: 'sir/1 auth',
  ack: 'sir/1 ack',
  admin: 'sir/1 admin',
  receipt: 'sir/1 rcpt',
} as const

/** What a signature is for. */
export type SigningPurpose = keyof typeof signingLabels

/** An Ed25519 key pair. `secretKey` is libsodium's 64-byte form (seed, then public key). */
export interface SigningKey {
  readonly publicKey: Uint8Array
  readonly secretKey: Uint8Array
}

/**
 * The bytes a signature covers: label || 0x00 || NET || signer's public key || lp(part1) || …
 * The public key inside stops a signature from being claimed for another key.
 */
export const signingInput = (
  purpose: SigningPurpose,
  net: NetworkId,
  publicKey: Uint8Array,
  parts: readonly Uint8Array[],
): Uint8Array => concat(labelBytes(signingLabels[purpose]), zero, net, publicKey, ...parts.map(lp))

/** Signs the parts for one purpose in one network. @returns 64 bytes. */
export const signParts = (
  key: SigningKey,
  purpose: SigningPurpose,
  net: NetworkId,
  ...parts: readonly Uint8Array[]
): Uint8Array => signDetached(signingInput(purpose, net, key.publicKey, parts), key.secretKey)

/** Signs bytes as they are. @param secretKey libsodium's 64-byte form. @returns 64 bytes. */
export const signDetached = (message: Uint8Array, secretKey: Uint8Array): Uint8Array =>
  sodium().crypto_sign_detached(message, secretKey)

/** Checks a signature over the parts as received. Malformed input is false, never an exception. */
export function verifyParts(
  signature: Uint8Array,
  publicKey: Uint8Array,
  purpose: SigningPurpose,
  net: NetworkId,
  ...parts: readonly Uint8Array[]
): boolean {
  return verifyDetached(signature, signingInput(purpose, net, publicKey, parts), publicKey)
}

/** The one Ed25519 verifier of the project (libsodium). */
export function verifyDetached(
  signature: Uint8Array,
  message: Uint8Array,
  publicKey: Uint8Array,
): boolean {
  if (signature.length !== 64 || publicKey.length !== 32) return false
  return sodium().crypto_sign_verify_detached(signature, message, publicKey)
}

/** Key pair from a 32-byte seed. */
export function signingKeyFromSeed(seed: Uint8Array): SigningKey {
  const pair = sodium().crypto_sign_seed_keypair(seed)
  return { publicKey: pair.publicKey, secretKey: pair.privateKey }
}

/**
 * Whether an identity key may be enrolled: canonical and in the prime-order group. Signature
 * verification alone admits mixed-order keys; the conversion to Curve25519 refuses them all.
 */
export function isEnrollableKey(publicKey: Uint8Array): boolean {
  if (publicKey.length !== 32) return false
  try {
    sodium().crypto_sign_ed25519_pk_to_curve25519(publicKey)
    return true
  } catch {
    return false
  }
}
