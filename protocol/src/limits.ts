/**
 * Every limit of the protocol: unit in the name, reason beside it, error code when it is reached.
 * Limits of one process (queues, sockets) are in the relay's and the SDK's own `limits.ts`.
 */
export const limits = {
  /** CBOR nesting. Our deepest structure has five levels. Code: cbor_malformed. */
  cborDepthMax: 8,
  /** CBOR items in one value; bounds the work of decoding. Code: cbor_malformed. */
  cborItemsMax: 4096,

  /** Devices in one audience: 256 slots are 299,008 B, about 37 s at 64 kbit/s. Code: audience_too_large. */
  recipientsMax: 256,
  /** Sealed payload, bytes: the largest that one delivery of 256 KiB can carry. Code: payload_too_large. */
  payloadBytesMax: 229_376,
  /** Inflated report, bytes; also the bound while inflating. Code: content_too_large. */
  contentBytesMax: 1_048_576,
  /** Smallest padded payload, so that all short reports look alike. */
  padFloorBytes: 256,
  /** One slot: X-Wing ciphertext (1,120) and wrapped key (48). */
  slotBytes: 1168,
  /** Encoded cleartext header; leaves room for a full `to` list. Code: frame_malformed. */
  ctxBytesMax: 2048,

  /** One publish frame, bytes: a full audience with a full payload. Code: frame_too_large. */
  publishFrameBytesMax: 655_360,
  /** One deliver frame, bytes: what a reader at 64 kbit/s takes in half a minute. Code: frame_too_large. */
  deliverFrameBytesMax: 262_144,
  /** Any frame before authentication, bytes: hello and auth are below 1 KiB. Code: frame_too_large. */
  preAuthFrameBytesMax: 4_096,
  /** Envelopes in one publish frame: one signature answers them all. Code: frame_malformed. */
  publishEnvelopesMax: 16,
  /** Items in one deliver frame. */
  deliverItemsMax: 64,
  /** Keys or schemas in one blob frame: 64 epoch keys are 78 KiB. Code: frame_malformed. */
  blobsPerFrameMax: 64,
  /** One blob, bytes: an epoch key is 1,216, a published schema below 64 KiB. Code: blob_refused. */
  blobBytesMax: 65_536,
  /** Envelopes asked for in one gap fill. Code: frame_malformed. */
  fetchItemsMax: 64,
  /** Core hashes in one acknowledgement. Code: frame_malformed. */
  ackHashesMax: 512,
  /** Credit that every subscription starts with, frames and bytes (protocol.md, "Credit"). */
  creditFramesStart: 8,
  creditBytesStart: 65_536,
  /** Credit one subscription may accumulate: bounds what is in flight to one reader. */
  creditFramesMax: 256,
  creditBytesMax: 1_048_576,

  /** A report may be this old when it arrives (store and forward). Code: too_old. */
  envelopeAgeMsMax: 604_800_000,
  /** A sender's clock may be this far ahead of the relay's. Code: clock_skew. */
  clockAheadMsMax: 300_000,

  /** One directory entry, bytes (the bound of tlog-tiles). Code: entry_malformed. */
  entryBytesMax: 65_535,
  /** A statement may collect signatures this long. Code: statement_expired. */
  statementLifeMsMax: 1_209_600_000,
  /** Administrators of one network; a quorum of more could not be gathered. Code: entry_malformed. */
  administratorsMax: 32,
  /** Weeks of epoch keys a device publishes ahead, the current one included. Code: entry_malformed. */
  epochWeeksMax: 16,
  /** Weeks an enrolment carries. */
  enrolWeeks: 9,
  /** Suspensions one administrator may order alone in 24 hours. Code: suspend_limit. */
  soloSuspensionsPerDayMax: 5,
  /** Window of the rule above. */
  soloSuspensionWindowMs: 86_400_000,

  /** Private epoch halves are destroyed this long after their week ended (caught up). */
  epochKeepMs: 1_209_600_000,
  /** ... and at the latest this long after, caught up or not. */
  epochKeepLateMs: 4_838_400_000,

  /** Argon2id of a key file: memory floor and cap, bytes. Codes: key_file_weak, key_file_costly. */
  keyFileMemBytesMin: 67_108_864,
  keyFileMemBytesMax: 1_073_741_824,
  /** Argon2id passes: floor and cap. */
  keyFileOpsMin: 3,
  keyFileOpsMax: 16,
} as const
