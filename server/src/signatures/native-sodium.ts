/// <reference path="./sodium-native.d.ts" />
/** The part of sodium-native that makes and checks signatures. */
export interface NativeSodium {
  crypto_sign_detached(sig: Uint8Array, message: Uint8Array, secretKey: Uint8Array): void
  crypto_sign_verify_detached(sig: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean
}

/**
 * libsodium compiled for this machine, or null where the optional package is absent. It is the same
 * verifier as the WebAssembly one, in about half the time.
 */
export async function loadNativeSodium(): Promise<NativeSodium | null> {
  try {
    // Absent on platforms for which it is not built; then its import fails.
    const module = (await import('sodium-native')) as { readonly default: NativeSodium }
    return module.default
  } catch {
    return null
  }
}
