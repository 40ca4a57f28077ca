import type { SigningKey } from '@liaison/protocol'

/** An unlocked identity: what a device, or an administrator, signs with. */
export interface Identity {
  readonly kind: 'device' | 'administrator'
  readonly signingKey: SigningKey
  /** Encrypts the rows of the device's own store, 32 bytes. */
  readonly storageKey: Uint8Array
}
