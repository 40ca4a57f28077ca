/**
 * SIR/1 without sealing: what a relay, a client and an independent verifier share.
 *
 * Call {@link sodiumReady} once before anything that signs, verifies or hashes with a key.
 */
export { type Ack, decodeAck, encodeAck, signAck, verifyAck } from './ack.ts'
export {
  type AdminRequest,
  decodeAdminRequest,
  encodeAdminRequest,
  signAdminRequest,
  verifyAdminRequest,
} from './admin-request.ts'
export { assert, unreachable } from './assert.ts'
export {
  decodeLeaf,
  encodeLeaf,
  encodeLeafAround,
  joinLeafAround,
  type Leaf,
  type LeafEvent,
} from './audit/leaf.ts'
export { fromBase64url, toBase64url } from './base64url.ts'
export type { Brand, EpochMs, NetworkId } from './brand.ts'
export { compareBytes, equal, fromHex, randomBytes, textOf, toHex, utf8 } from './bytes.ts'
export { type Checkpoint, logOrigins, signCheckpoint, verifyCheckpoint } from './checkpoint.ts'
export { checkEpochPublicKey, epochPublicKeyBytes } from './crypto/epoch-public-key.ts'
export {
  deviceFingerprint,
  kidOf,
  memberFingerprint,
  networkFingerprint,
  networkIdOf,
  sha256,
} from './crypto/hash.ts'
export {
  isEnrollableKey,
  type SigningKey,
  type SigningPurpose,
  signDetached,
  signingKeyFromSeed,
  verifyDetached,
} from './crypto/sign.ts'
export { sodiumReady } from './crypto/sodium.ts'
export type { DecodeCode } from './decode.ts'
export type { Change as DirectoryChange } from './directory/apply.ts'
export {
  type Audience,
  type AudienceQuery,
  audienceHash,
  type Recipient,
} from './directory/audience.ts'
export { type AppliedEntry, Directory, type ReplayFault } from './directory/directory.ts'
export { type CheckedEntry, type OpenedEntry, openEntry } from './directory/judge.ts'
export {
  type Administrator,
  type Cosigner,
  type Freshness,
  type LogKeys,
  type Names,
  type Operation,
  type OperationName,
  type Operations,
  operationOf,
  type RelayIdentity,
  type Standing,
  type Statement,
} from './directory/operations.ts'
export {
  describeStatement,
  missingSignatures,
  type SignatureProgress,
  type StatementView,
  type Threshold,
  thresholdFor,
} from './directory/plan.ts'
export {
  type AdminSet,
  adminsInForce,
  type Grant,
  type Policy,
  type StandingState,
} from './directory/records.ts'
export {
  type DeviceRole,
  decodeEntry,
  decodeStatement,
  type Entry,
  encodeEntry,
  encodeStatement,
  enrolmentNonce,
  type Possession,
  type StatementDraft,
  type StatementSignature,
  signPossession,
  signStatement,
  verifyPossession,
  verifyStatement,
} from './directory/statement.ts'
export type { Device, Member, Schema, Topic } from './directory/views.ts'
export { type ChainKey, type ChainPosition, chainIdOf, kindClass } from './envelope/chain.ts'
export {
  audienceModes,
  type Ctx,
  coreHashOf,
  ctxHashOf,
  decodeCtx,
  decodeSeal,
  encodeCtx,
  encodeSeal,
  envelopeKinds,
  handlingCodes,
  precedences,
  type Seal,
} from './envelope/ctx.ts'
export {
  decodeCore,
  type Envelope,
  type EnvelopeCore,
  envelopeSigningInput,
  type PrunedEnvelope,
  payloadMatches,
  slotInRoot,
  slotLeaves,
  slotsMatch,
  slotsOf,
  verifyEnvelopeSignature,
} from './envelope/envelope.ts'
export {
  codeOfNumber,
  type ErrorCode,
  type ErrorRow,
  type ExitCode,
  errorCodes,
  errorRow,
  isErrorCode,
  isRelayError,
  RelayError,
  type RelayErrorDetails,
  type Retry,
} from './errors.ts'
export { decodeClientFrame, encodeClientFrame } from './frames/client-frames.ts'
export { creditBytes } from './frames/deliver-item.ts'
export {
  type CommonPart,
  encodeCommon,
  encodeDeliverFrame,
  type WrittenItem,
} from './frames/deliver-writer.ts'
export {
  type Challenge,
  decodeChallenge,
  decodeHello,
  encodeChallenge,
  encodeHello,
  type Hello,
  signAuth,
  signChallenge,
  verifyAuth,
  verifyChallenge,
} from './frames/handshake.ts'
export { decodeRelayFrame, encodeRelayFrame } from './frames/relay-frames.ts'
export {
  type AckItem,
  type BlobKind,
  type ClientFrame,
  type DeliverItem,
  type DirectoryPage,
  frameTypes,
  type RelayFrame,
  type RelayStatus,
  stubReasons,
} from './frames/types.ts'
export { type JsonView, jsonView } from './json-view.ts'
export { limits } from './limits.ts'
export {
  consistencyProof,
  emptyRoot,
  GrowingTree,
  hashesOf,
  inclusionPath,
  inclusionPaths,
  joinHashes,
  leafHash,
  merkleRoot,
  rootFromInclusion,
  verifyConsistency,
} from './merkle.ts'
export {
  decodeReceipt,
  encodeReceipt,
  type Receipt,
  receiptHash,
  receiptsSigningInput,
  signReceipts,
  verifyReceipts,
} from './receipt.ts'
export { err, ok, type Result } from './result.ts'
export { type Clock, epochMs, systemClock, weekMs, weekOf } from './time.ts'
