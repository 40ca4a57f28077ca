/**
 * Every limit of one relay process: unit in the name, reason beside it, error code when it is
 * reached. Limits of the protocol itself are in `@liaison/protocol`.
 */
export const relayLimits = {
  /** From the upgrade to a good signature. Generous: a satellite round trip is 0.6 s, a bad one 5 s. Code: auth_timeout. */
  authMsMax: 20_000,
  /** Open sockets of one relay: about 40 KiB each. Code: too_many_connections. */
  connectionsMax: 4096,
  /** Open sockets of one address; a ministry may stand behind one. Code: too_many_connections. */
  connectionsPerAddressMax: 64,
  /** TCP sockets of one address, upgraded or not: those that say nothing end after `headersMsMax`. */
  socketsPerAddressMax: 128,
  /** TCP sockets of one relay, upgraded or not. */
  socketsMax: 4608,
  /** From the TCP connection to the end of the TLS handshake, and from there to the end of the headers. */
  headersMsMax: 10_000,
  /** Sessions of one device: an old half-open one and its successor. The oldest is closed. */
  sessionsPerDeviceMax: 2,

  /** Any frame after authentication, bytes: the publish frame is the largest. Code: frame_too_large. */
  frameBytesMax: 655_360,
  /** Fragments of one message: nothing of ours fragments, browsers send a few. */
  fragmentsMax: 16,
  /** Frames waiting to be handled in one session. Code: rate_limited. */
  inboxFramesMax: 256,
  /** ... and their bytes: a member that sends faster than the disk takes must not fill the memory. */
  inboxBytesMax: 16_777_216,

  /** Frames of one session: burst, then refill per second. Code: rate_limited. */
  framesBurst: 512,
  framesPerSecond: 128,
  /** Frames that a delivery adds to that: credit and acknowledgement. */
  answersPerDelivery: 2,
  /** Bytes one device may publish: burst, then refill per second (900 MB an hour). Code: quota_exceeded. */
  publishBytesBurst: 67_108_864,
  publishBytesPerSecond: 262_144,

  /**
   * Directory entries one device may append: burst, then refill per hour. It needs one a week,
   * and every entry is kept for ever by everybody. Code: rate_limited.
   */
  deviceEntriesBurst: 8,
  deviceEntriesPerHour: 1,

  /** Signatures that are checked in the thread that asks; the way to another thread costs about two checks. */
  signaturesHereMax: 2,
  /** Signatures in one batch for a worker thread: long enough to pay for the way, short enough to wait for. */
  signatureBatchMax: 32,
  /** Threads that check signatures unless the configuration says otherwise: beyond that, the event loop is the bound. */
  signatureThreadsMax: 4,

  /** Topics one session may follow. Code: subscription_limit. */
  subscriptionsMax: 64,
  /** Envelopes read from the log at a time: bounds memory per subscription. */
  readBatchMax: 64,
  /** Places looked through for one skip before others get their turn. */
  skipScanMax: 4096,
  /** Unsent bytes of a socket at which its subscriptions pause. */
  sendBufferSoftBytes: 1_048_576,
  /** ... and at which it is closed. Code: slow_consumer. */
  sendBufferHardBytes: 4_194_304,

  /** Rejection leaves of one device in an hour; then one counted leaf. */
  rejectLeavesPerHourMax: 100,
  /** Directory entries in one frame. */
  directoryPageEntriesMax: 512,
  /** Bytes of directory entries in one frame. */
  directoryPageBytesMax: 204_800,
  /** Audit leaves in one answer to an administrator. */
  leafPageMax: 2048,
  /** Envelopes kept in memory for readers at the head of a topic, bytes with their slots and paths. */
  slotCacheBytesMax: 67_108_864,

  /**
   * How long a relay may act on its view of the directory without asking again, where several share a
   * log: the longest that a suspension waits for a relay that was cut off. Code: log_unavailable.
   */
  leaseMs: 3_000,
  /** Added to that by whoever waits for it: differences between clocks that count the same seconds. */
  leaseMarginMs: 500,
  /** Two renewals may get lost before a lease runs out. */
  leaseRenewMs: 1_000,
  /** How often a relay looks whether its lease ran out, beside every time that it sends. */
  leaseWatchMs: 100,
  /** How often whoever waits looks who has confirmed. */
  leasePollMs: 15,
  /** Renewals in a row for a directory that grows all the time. */
  leaseTriesMax: 8,

  /** Lateness of the event loop (p99 of one look) at which new work is sent away. Code: overloaded. */
  loopDelayMsMax: 500,
  /** Percent of the permitted heap at which new work is sent away. Code: overloaded. */
  heapUsedPercentMax: 85,
  /** How often the relay looks at its load. */
  loadWatchMs: 1_000,
  /** When to come back after that: long enough for the load to change. */
  overloadedRetryMs: 3_000,

  /** Silence after which the relay asks whether the client is still there. */
  pingMs: 45_000,
  /** Unanswered asks before the session is closed. */
  missedPongsMax: 2,
  /** Time to finish what was begun when the relay is stopped. Code: shutting_down. */
  drainMsMax: 10_000,
  /** Spread of the advice to come back after a planned stop, so that not all come at once. */
  restartSpreadMs: 5_000,
} as const
