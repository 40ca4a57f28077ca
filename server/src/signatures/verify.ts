import { sodiumReady, verifyDetached } from '@liaison/protocol'
import { loadNativeSodium } from './native-sodium.ts'

/** Checks one Ed25519 signature; malformed input is false, never an exception. */
export type Verify = (signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array) => boolean

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
