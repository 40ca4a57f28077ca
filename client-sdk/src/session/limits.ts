/** Limits of one client: unit in the name, reason beside it. Those of the protocol are elsewhere. */
export const clientLimits = {
  /** From opening a socket to a usable session: three bad satellite round trips. Code: timeout. */
  connectMsMax: 45_000,
  /** First pause before connecting again; doubled each time, and drawn between 0 and that. */
  backoffMsMin: 500,
  /** Longest pause: a link that comes back is noticed within a minute. */
  backoffMsMax: 60_000,
  /** Silence after which the client asks whether the relay is still there. */
  pingMs: 30_000,
  /** Time for the answer before the link is given up: half-open satellite links are common. */
  pongMsMax: 30_000,
  /** For the last acknowledgements, and again for the socket to close: a dead link must not hold a program. */
  closeMsMax: 2_000,
  /** Answers in a row, on a link without TLS, after which "never" is believed: one may be forged. */
  toldEndsMin: 3,
  /** Time for an answer to a request; afterwards its outcome is unknown. Code: timeout. */
  answerMsMax: 120_000,

  /** Reports in one publish frame. */
  publishBatchMax: 16,
  /** Bytes in one publish frame: half a minute at 64 kbit/s, so that a flash report is not stuck behind. */
  publishBatchBytes: 245_760,
  /** Pause before a refused or failed publish is tried again, without other advice. */
  publishRetryMs: 2_000,
  /** Re-seals of one report in a row before it is left for later: the directory should settle. */
  resealsMax: 8,

  /** Acknowledgements wait this long for company: they share one signature. */
  ackDelayMs: 250,
  /** Core hashes in one acknowledgement. */
  ackBatchMax: 128,
  /** One report in so many is checked slot by slot by ordinary readers. */
  slotCheckOneIn: 8,

  /** Warnings before the last published key week, or the enrolment, ends: days. */
  expiryWarningDays: [21, 7],
} as const
