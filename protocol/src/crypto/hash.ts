import { sha256, sha512 } from '#sha256'
import type { NetworkId } from '../brand.ts'
import { concat, labelBytes, lp, u32, utf8 } from '../bytes.ts'
import { sodium } from './sodium.ts'

export { sha256, sha512 }

/**
 * `KDF(key, label, n, c1, c2, …)`: keyed BLAKE2b over lp(label) || lp(c1) || lp(c2) || …
 *
 * @param key 16..64 secret bytes.
 * @param length Output bytes, 16..64.
 */
export function kdf(
  key: Uint8Array,
  label: string,
  length: number,
  ...context: readonly Uint8Array[]
): Uint8Array {
  return sodium().crypto_generichash(length, concat(lp(utf8(label)), ...context.map(lp)), key)
}

/** `SHA-256(label || NET || lp(part1) || …)`: hashes of public things, bound to one network. */
export const labelledHash = (
  label: string,
  net: NetworkId,
  ...parts: readonly Uint8Array[]
): Uint8Array => sha256(labelBytes(label), net, ...parts.map(lp))

/** Name of an epoch public key: `SHA-256("sir/1 kid" || key)`. @param publicKey 1,216 bytes. */
export const kidOf = (publicKey: Uint8Array): Uint8Array => sha256(utf8('sir/1 kid'), publicKey)

/** Network id from the genesis statement's bytes (without signatures, which cover the id). */
export const networkIdOf = (genesisStatement: Uint8Array): NetworkId =>
  sha256(utf8('sir/1 net'), genesisStatement) as NetworkId

/**
 * Forty digits that two people can read to each other: 8 groups of 5, about 132 bits.
 *
 * @param hash 64 bytes, from {@link networkFingerprint} or {@link deviceFingerprint}.
 */
function digits(hash: Uint8Array): string {
  const groups: string[] = []
  for (let i = 0; i < 8; i++) {
    let n = 0n
    for (let j = 0; j < 5; j++) n = (n << 8n) | BigInt(hash[5 * i + j] as number)
    groups.push((n % 100_000n).toString().padStart(5, '0'))
  }
  return groups.join(' ')
}

/** Fingerprint of a network, to be read out before its genesis is trusted. */
export const networkFingerprint = (net: NetworkId): string => digits(sha512(utf8('sir/1 fp'), net))

/** Fingerprint of a device's identity key within a network. @param identityKey 32 bytes. */
export const deviceFingerprint = (net: NetworkId, identityKey: Uint8Array): string =>
  digits(sha512(utf8('sir/1 fpd'), net, identityKey))

/**
 * Safety number of a member: it changes whenever one of its devices comes or goes.
 *
 * @param member Number of the member.
 * @param identityKeys 32 bytes each, of its devices in force, by ascending number of the device.
 */
export const memberFingerprint = (
  net: NetworkId,
  member: number,
  identityKeys: readonly Uint8Array[],
): string => digits(sha512(utf8('sir/1 fpm'), net, u32(member), ...identityKeys))

/** Index as hashed into slots and audiences. */
export const indexBytes: (n: number) => Uint8Array = u32
