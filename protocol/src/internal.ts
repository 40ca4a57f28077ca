/**
 * What the sibling packages of this project need beyond the public surface. Not for users: names
 * here change without notice.
 */
export { concat, lp, u32 } from './bytes.ts'
export { type CborMap, type CborValue, decodeCbor, encodeCbor } from './cbor.ts'
export { indexBytes, kdf, labelledHash } from './crypto/hash.ts'
export { signParts, verifyDetached, verifyParts } from './crypto/sign.ts'
export { type Sodium, sodium } from './crypto/sodium.ts'
export { checkAs, decodeAs, type WireCheck } from './decode.ts'
export * from './index.ts'
