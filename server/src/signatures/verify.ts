import { signDetached, sodiumReady, verifyDetached } from '@liaison/protocol'
import { loadNativeSodium } from './native-sodium.ts'

/** Checks one Ed25519 signature; malformed input is false, never an exception. */
export type Verify = (signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array) => boolean

/** Signs with an Ed25519 key in libsodium's 64-byte form. @returns 64 bytes */
export type Sign = (message: Uint8Array, secretKey: Uint8Array) => Uint8Array

/** The fastest form of libsodium's signing that this machine has; all forms give the same bytes. */
export async function loadSign(): Promise<Sign> {
  await sodiumReady()
  const native = await loadNativeSodium()
  if (native === null) return signDetached
  return (message, secretKey) => {
    const signature = new Uint8Array(64)
    native.crypto_sign_detached(signature, message, secretKey)
    return signature
  }
}

/** The fastest form of the one verifier that this machine has. */
export async function loadVerify(): Promise<Verify> {
  await sodiumReady()
  const native = await loadNativeSodium()
  if (native === null) return verifyDetached
  return (signature, message, publicKey) =>
    signature.length === 64 &&
    publicKey.length === 32 &&
    native.crypto_sign_verify_detached(signature, message, publicKey)
}
