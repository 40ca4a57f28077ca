/** Sealing and opening. The relay does not have this package. */
export {
  type EpochKeyPair,
  epochKeyFromSeed,
  newEpochKey,
  xwingBytes,
} from './epoch-key.ts'
export { type OpenCode, type Opened, type OpenInput, openEnvelope, openWithKey } from './open.ts'
export { sealEnvelope } from './seal.ts'
export type { Sealed, SealInput, SealRecipient } from './seal-with-key.ts'
export { checkAllSlots, checkSlots, type SlotToCheck } from './slot-check.ts'
