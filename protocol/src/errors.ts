/**
 * What a client does about an error.
 * `never`: the input must change. `sync`: fetch the directory, then do it again.
 * `later`: wait (the advice or a back-off), then the same bytes again. `unknown`: the outcome is not
 * known, so the same bytes must be repeated until an answer comes.
 */
export type Retry = 'never' | 'sync' | 'later' | 'unknown'

/** Exit code of the command line for an error (docs/cli.md). */
export type ExitCode = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10

/** One row of the table of codes. */
export interface ErrorRow {
  /** Number on the wire, in receipts and error frames. Never reused. */
  readonly n: number
  readonly retry: Retry
  readonly exit: ExitCode
  /** What happened, in plain words. */
  readonly text: string
  /** What to do about it. */
  readonly remedy: string
}

/**
 * All codes, each as [number, retry, exit code, text, remedy]. A code is never renamed and a number never reused; docs/errors.md is made from here.
 * Numbers: 1-99 frames and session, 100-199 admission, 200-299 directory, 300-399 opening,
 * 400-499 the client's own machine, 500-599 the relay's own troubles.
 */
// biome-ignore format: a table is read by its rows, one code a line
export const errorCodes = {
  // Frames and session.
  frame_too_large: [1, 'never', 1, 'The frame is larger than the limit for its type.', 'Send fewer envelopes in one frame, or shorten the report.'],
  frame_malformed: [2, 'never', 1, 'The frame does not have the form of its type.', 'Update the client; if it is up to date, report a bug.'],
  cbor_malformed: [3, 'never', 1, 'The bytes are not the one permitted encoding of their value.', 'Update the client; if it is up to date, report a bug.'],
  frame_unexpected: [4, 'never', 1, 'A frame of this type is not expected now.', 'Reconnect; if it happens again, report a bug.'],
  version_unsupported: [5, 'never', 1, 'No common protocol version.', 'Update the older side.'],
  auth_failed: [6, 'never', 4, 'The relay did not accept the signature of this device.', 'Check that the identity is the one that was enrolled in this network.'],
  auth_timeout: [7, 'later', 7, 'The session was not authenticated in time.', 'The link may be too slow; the client tries again by itself.'],
  already_authenticated: [8, 'never', 1, 'The session is authenticated already.', 'Report a bug.'],
  origin_refused: [9, 'never', 5, 'This web origin may not open a session.', 'Ask the operator to add the origin to the relay configuration.'],
  not_authenticated: [10, 'never', 4, 'The session is not authenticated yet.', 'Report a bug: frames were sent before the handshake ended.'],
  rate_limited: [11, 'later', 7, 'Too many requests in a short time.', 'Wait; the client tries again by itself.'],
  too_many_connections: [12, 'later', 7, 'The relay or this address has too many connections.', 'Close other sessions or wait.'],
  directory_fork: [13, 'never', 9, 'The relay and this device know different directories of the same size.', 'Stop, keep both copies and tell the administrators: somebody is shown a false directory.'],
  slow_consumer: [14, 'later', 7, 'This client reads more slowly than its limit allows.', 'Reconnect; reading goes on from the last cursor.'],
  cursor_ahead: [15, 'never', 9, 'The cursor lies after the end of the topic.', 'The relay may have been restored from a backup; tell the operator, then read from the beginning.'],
  subscription_refused: [16, 'never', 5, 'This device may not read the topic.', 'Ask an administrator for the read right.'],
  subscription_exists: [17, 'never', 1, 'The number of the subscription is in use.', 'Report a bug.'],
  subscription_limit: [18, 'never', 2, 'Too many subscriptions in one session.', 'Unsubscribe from topics that are not needed.'],
  not_found: [19, 'never', 2, 'Nothing with this name is known.', 'Check the name or number.'],
  not_permitted: [20, 'never', 5, 'This device or administrator may not do that.', 'Ask an administrator of the network.'],
  blob_refused: [21, 'never', 1, 'The key or document does not match its name or is too large.', 'Make the key again and publish it again.'],
  ack_refused: [22, 'never', 1, 'The acknowledgement is not signed by this device or names nothing that it was sent.', 'Report a bug.'],

  // Admission of an envelope.
  quota_exceeded: [100, 'later', 7, 'This device has sent more bytes than its quota in the last hour.', 'Wait; the outbox goes on by itself.'],
  sender_mismatch: [101, 'never', 5, 'The envelope names another sender than the connected device.', 'Send it from the device that sealed it.'],
  device_unknown: [102, 'sync', 10, 'The device is not in the directory.', 'Wait until the enrolment is signed by enough administrators.'],
  device_inactive: [103, 'never', 10, 'The device is suspended, revoked, not yet valid or past its enrolment end.', 'Speak to an administrator; nothing can be sent from this device.'],
  topic_unknown: [104, 'sync', 2, 'There is no such topic.', 'Update the directory and choose the topic again.'],
  publish_refused: [105, 'never', 5, 'The member has no right to publish in this topic.', 'Ask an administrator for the right, or choose another topic.'],
  clearance_insufficient: [106, 'never', 5, 'The handling code is above the clearance for this topic.', 'Lower the handling code if that is correct, or ask for the clearance.'],
  kind_unsupported: [107, 'never', 6, 'This relay does not carry envelopes of this kind.', 'Ask the operator to update the relay.'],
  schema_refused: [108, 'sync', 6, 'The report type is not allowed in this topic.', 'Choose a topic that allows it, or ask an administrator.'],
  clock_skew: [109, 'never', 7, 'The clocks of this device and the relay differ by more than five minutes.', 'Set the clock of this device, then send again.'],
  too_old: [110, 'never', 6, 'The envelope was sealed more than seven days ago.', 'The outbox seals the report again and sends it.'],
  expired: [111, 'never', 6, 'The report has passed its own expiry time.', 'Write a new report if it still matters.'],
  directory_unknown: [112, 'sync', 7, 'The envelope refers to a directory that the relay does not have.', 'The client updates its directory and seals again.'],
  audience_stale: [113, 'sync', 7, 'The audience changed since the directory that the envelope names.', 'The client updates its directory and seals again.'],
  audience_invalid: [114, 'never', 6, 'The list of recipients is not the one that the directory gives.', 'Update the client; if it is up to date, report a bug.'],
  audience_too_large: [115, 'never', 6, 'The audience has more devices than one envelope can carry.', 'Address fewer members, or ask for a smaller topic.'],
  no_flu: [116, 'sync', 5, 'No active device of the Fusion and Liaison Unit could receive the report.', 'Tell the administrators: the unit must have an active device with a current key.'],
  slots_malformed: [117, 'never', 6, 'The number of key slots differs from the number of recipients.', 'Report a bug.'],
  signature_invalid: [118, 'never', 9, 'The signature does not verify.', 'Do not trust the content. If it is your own, send it again; else tell the administrators.'],
  payload_mismatch: [119, 'never', 9, 'The sealed payload is not the one that was signed.', 'It was altered on the way; send or fetch it again.'],
  slots_mismatch: [120, 'never', 9, 'The key slots are not the ones that were signed.', 'They were altered on the way; send or fetch it again.'],
  payload_too_large: [121, 'never', 6, 'The sealed payload is larger than the limit.', 'Shorten the report or split it in two.'],
  seq_reused: [122, 'never', 6, 'Another envelope has this place in the chain of the sender.', 'The device was restored or copied: the client starts its chain again.'],
  seq_gap: [123, 'later', 7, 'The envelope before this one has not arrived.', 'The outbox sends the earlier ones first.'],
  prev_mismatch: [124, 'never', 9, 'The envelope does not follow the one before it.', 'The device was restored or copied: the client starts its chain again.'],
  incarnation_stale: [125, 'never', 6, 'The sender restarted its chain with a number that is not greater than the last.', 'The client starts its chain again with a greater number.'],
  id_reused: [126, 'never', 6, 'The random name of the envelope was used for another one.', 'The client seals the report again.'],
  prev_rejected: [127, 'later', 7, 'An earlier envelope of the same chain in this frame was refused.', 'The outbox sends it again after the earlier one.'],
  exercise_mismatch: [128, 'never', 6, 'An exercise report belongs in an exercise topic, an actual one in an actual topic.', 'Choose the other topic or correct the status.'],
  checkpoint_stale: [129, 'sync', 7, 'There is no fresh signed checkpoint of the directory, so nothing may be sent.', 'Connect to the relay; if it persists, tell the administrators.'],

  // Directory.
  entry_malformed: [200, 'never', 6, 'The directory entry does not have the form of its operation.', 'Make the statement again with an up-to-date tool.'],
  base_mismatch: [201, 'never', 9, 'The statement was written on a directory that is not a beginning of this one.', 'Check the network; make the statement again on the current directory.'],
  nonce_used: [202, 'never', 6, 'This statement is in the directory already.', 'Nothing to do.'],
  statement_expired: [203, 'never', 6, 'The statement was not completed in time.', 'Make it again and gather the signatures sooner.'],
  time_invalid: [204, 'never', 6, 'The time of the statement lies before its base or after the relay\'s clock.', 'Set the clock of the machine that wrote the statement and make it again.'],
  subject_changed: [205, 'sync', 6, 'Somebody changed the same member, device or topic in the meantime.', 'Look at the change, then make the statement again.'],
  quorum_missing: [206, 'never', 5, 'Not enough administrators from different organisations have signed.', 'Ask further administrators to sign the same statement.'],
  signer_unknown: [207, 'never', 5, 'A signature is by somebody who is not an administrator (any more).', 'Remove that signature.'],
  signers_unordered: [208, 'never', 6, 'Signers must be listed once each, in ascending order.', 'Merge the signatures with the tool.'],
  subject_unknown: [209, 'sync', 2, 'The statement names a member, device, topic or administrator that does not exist.', 'Check the name; update the directory.'],
  subject_exists: [210, 'never', 6, 'A member, device or topic with this name or key exists already.', 'Choose another name, or make a new key.'],
  key_unfit: [211, 'never', 6, 'The public key is not canonical or not in the right group.', 'Make a new identity on the device.'],
  possession_invalid: [212, 'never', 6, 'The enrolment request was not signed by the key that it asks to enrol.', 'Make the enrolment request again on the device.'],
  suspend_limit: [213, 'never', 5, 'One administrator alone may suspend five devices a day; this one needs a second signature.', 'Ask another administrator to sign.'],
  last_flu: [214, 'never', 5, 'One administrator alone may not suspend the last two devices of the Fusion and Liaison Unit.', 'Ask another administrator to sign.'],
  epoch_refused: [215, 'never', 6, 'The key weeks do not follow the rules: only later weeks may be replaced.', 'Make the key weeks again with an up-to-date client.'],
  blob_missing: [216, 'later', 6, 'The public keys that the entry lists were not published first.', 'Publish the keys, then the entry.'],
  operation_unknown: [217, 'never', 6, 'The directory entry has an operation that this release does not know.', 'Update this program.'],
  name_confusable: [218, 'never', 6, 'The name differs from an existing one only in letters that look or count alike.', 'Choose a name that cannot be confused.'],
  quorum_unsafe: [219, 'never', 6, 'The thresholds do not fit the administrators: every threshold needs one organisation to spare.', 'Name administrators from more organisations or lower the threshold.'],
  state_unchanged: [220, 'never', 6, 'The device or member has this state already.', 'Nothing to do.'],

  // Opening a report.
  not_addressed: [300, 'never', 5, 'The report was not sealed for this device.', 'Ask the sender or the Fusion and Liaison Unit to share it.'],
  version_unknown: [301, 'never', 6, 'The report was sealed by a newer release.', 'Update this program.'],
  header_mismatch: [302, 'never', 9, 'The report was delivered under another heading than the signed one.', 'The relay does not tell the truth; tell the administrators.'],
  commitment_mismatch: [303, 'never', 9, 'The key in the slot is not the key that the sender committed to.', 'The sender sealed it wrongly; tell the Fusion and Liaison Unit.'],
  slot_unopenable: [304, 'never', 9, 'The slot for this device does not open.', 'The sender sealed it wrongly; ask for it again.'],
  payload_unopenable: [305, 'never', 9, 'The sealed payload does not open with the committed key.', 'The sender sealed it wrongly; ask for it again.'],
  padding_malformed: [306, 'never', 9, 'The padding of the opened payload is wrong.', 'The sender sealed it wrongly; ask for it again.'],
  content_malformed: [307, 'never', 9, 'The opened payload does not have the form of a report.', 'The sender sealed it wrongly; tell the Fusion and Liaison Unit.'],
  content_too_large: [308, 'never', 6, 'The report is larger than the limit once inflated.', 'Shorten the report.'],
  content_invalid: [309, 'never', 6, 'The report does not match its schema.', 'Correct the named field.'],
  schema_unknown: [310, 'never', 6, 'The directory allows this report type but this release does not know it.', 'Update this program; the report is kept.'],
  key_destroyed: [311, 'never', 6, 'The key of that week was destroyed, as it must be.', 'Ask the sender or the Fusion and Liaison Unit to share the report again.'],
  key_unavailable: [312, 'sync', 7, 'The public key of a recipient could not be fetched.', 'The client tries again; if it persists, tell the administrators.'],
  key_rejected: [313, 'never', 9, 'The public key of a recipient is not usable.', 'Tell the administrators: that device must publish a new key.'],
  slot_check_failed: [314, 'never', 9, 'The sender gave another recipient a key that does not open the report.', 'The Fusion and Liaison Unit is told; treat the sender with care.'],
  handling_mismatch: [315, 'never', 9, 'The handling code on the outside differs from the one in the report.', 'Treat it under the stricter of the two and tell the sender.'],
  chain_broken: [316, 'later', 9, 'An earlier report of this sender is missing.', 'The client asks for it; if it stays missing, tell the sender.'],
  chain_conflict: [317, 'never', 9, 'The sender signed two different reports for the same place.', 'The device may be copied; tell the administrators.'],
  directory_stale: [318, 'never', 9, 'The report was sealed under a directory that had long been replaced.', 'Somebody keeps the sender from learning of changes, or the device was taken over; tell the administrators.'],
  notice_unproved: [319, 'never', 9, 'The notice does not prove that the report breaks a rule.', 'Treat the member who sent the notice with care; the report stands.'],

  // The client's own machine.
  key_file_malformed: [400, 'never', 4, 'The key file cannot be read.', 'Restore it from its backup, or enrol a new identity.'],
  key_file_weak: [401, 'never', 4, 'The key file is protected more weakly than the permitted minimum.', 'Do not use it; make a new identity.'],
  key_file_costly: [402, 'never', 4, 'The key file asks for more memory than the permitted maximum.', 'Do not use it; it may be made to stop this machine.'],
  passphrase_wrong: [403, 'never', 4, 'The passphrase does not open the key file.', 'Type it again; check the keyboard layout.'],
  key_file_open: [404, 'never', 4, 'The key file can be read by other users of this machine.', 'Restrict it: chmod 600.'],
  store_unavailable: [405, 'later', 1, 'The local store cannot be written.', 'Check free space and permissions of the data folder.'],
  store_locked: [406, 'later', 3, 'Another program uses this identity at the moment.', 'Close it, or wait until it ends.'],
  network_file_malformed: [407, 'never', 3, 'The network file cannot be read.', 'Ask an administrator for the file again.'],
  network_mismatch: [408, 'never', 3, 'The identity, the store and the network file do not belong together.', 'Use the file of the network in which the identity is enrolled.'],
  relay_unknown: [409, 'never', 9, 'The relay is not the one that the directory names.', 'Stop. Check the address with an administrator: it may be an impostor.'],
  directory_invalid: [410, 'never', 9, 'The relay sent a directory entry that breaks the rules.', 'Stop and tell the administrators.'],
  directory_rollback: [411, 'never', 9, 'The relay knows less of the directory than this device.', 'It may have been restored from an old backup; tell the operator.'],
  checkpoint_invalid: [412, 'never', 9, 'The signed checkpoint does not match the directory entries.', 'Stop and tell the administrators.'],
  receipt_invalid: [413, 'never', 9, 'The receipt of the relay does not verify.', 'Stop and tell the administrators.'],
  offline: [414, 'later', 7, 'There is no connection to the relay.', 'The report is kept and goes out when the link is back.'],
  outcome_unknown: [415, 'unknown', 8, 'The link broke before the relay answered.', 'The same bytes are sent again until the answer comes.'],
  cancelled: [416, 'never', 1, 'The operation was cancelled.', 'Nothing to do.'],
  not_enrolled: [417, 'never', 4, 'This identity is not enrolled in the network.', 'Send the enrolment request to two administrators.'],
  report_conflict: [418, 'never', 6, 'A report with this name and another content exists.', 'Give the new report its own name.'],
  item_unknown: [419, 'never', 2, 'There is no item with this name in the outbox or the store.', 'List the items to find its name.'],
  item_busy: [420, 'never', 5, 'The item was sent and its outcome is not known yet, so it cannot be cancelled.', 'Wait for the answer of the relay.'],
  session_closed: [421, 'never', 7, 'The session is closed.', 'Open a new one.'],
  timeout: [422, 'later', 8, 'No answer came within the time given.', 'It is kept; look at the outbox later.'],
  request_malformed: [423, 'never', 6, 'The enrolment request cannot be read, or its parts do not fit together.', 'Ask for the file again, or make the request again on the device.'],
  statement_file_malformed: [424, 'never', 6, 'The statement file cannot be read, or its parts do not fit together.', 'Ask for the file again from the administrator who wrote it.'],
  key_file_exists: [425, 'never', 4, 'A key file is there already, and it is never replaced.', 'Choose another path, or move the old file away.'],
  usage_invalid: [426, 'never', 2, 'The command cannot be understood or lacks something.', 'Read the help: the same command with --help.'],
  file_unavailable: [427, 'never', 2, 'The file cannot be read or written.', 'Check its name, its folder and its permissions.'],
  file_exists: [428, 'never', 2, 'A file with this name is there already, and it is not replaced.', 'Choose another name, or move the old file away.'],
  fingerprint_mismatch: [429, 'never', 9, 'The fingerprint is not the one that was read out.', 'Do not sign. Compare all 40 digits again with the people at the device.'],
  backup_damaged: [430, 'never', 9, 'The backup is not complete, or it was altered.', 'Do not use it: take another copy. Nothing was changed here.'],
  outcome_forgotten: [431, 'never', 8, 'The report comes from a backup; it may have been sent or taken back since.', 'Look whether others have it; then `liaison outbox retry` or `liaison outbox cancel`.'],

  // The relay's own troubles.
  log_unavailable: [500, 'unknown', 7, 'The relay cannot write at the moment.', 'The same bytes are sent again until the answer comes.'],
  shutting_down: [501, 'later', 7, 'The relay is being stopped.', 'The client connects again by itself.'],
  internal: [502, 'later', 1, 'The relay met an error of its own.', 'Tell the operator the time.'],
  config_invalid: [503, 'never', 3, 'The configuration is not usable.', 'Correct the options that are listed.'],
  store_mismatch: [504, 'never', 3, "The relay's store belongs to another network or format.", 'Check the path or address; never mix stores.'],
  log_corrupt: [505, 'never', 3, "A record in the relay's store is damaged or missing.", 'Stop the relay, keep a copy of the store, and restore the last backup or a replica; nothing damaged is served.'],
  overloaded: [506, 'later', 7, 'The relay has more work than it can do in time.', 'The client tries again by itself after the advised time.'],
} as const

/** A stable name for one way to fail. */
export type ErrorCode = keyof typeof errorCodes

/** The row of a code. */
export function errorRow(code: ErrorCode): ErrorRow {
  const [n, retry, exit, text, remedy] = errorCodes[code]
  return { n, retry, exit, text, remedy }
}

const byNumber: ReadonlyMap<number, ErrorCode> = new Map(
  (Object.keys(errorCodes) as ErrorCode[]).map((code) => [errorCodes[code][0], code]),
)

/** The code with this wire number; `internal` for numbers that only a newer release knows. */
export const codeOfNumber = (n: number): ErrorCode => byNumber.get(n) ?? 'internal'

/** Whether a text is a code. */
export const isErrorCode = (text: string): text is ErrorCode => Object.hasOwn(errorCodes, text)

/** Further facts about one failure. */
export interface RelayErrorDetails {
  /** JSON pointer or option that is at fault. */
  readonly field?: string
  /** For our own logs and tests; never sent to a peer: may name members or topics. */
  readonly detail?: string
  readonly retryAfterMs?: number
  readonly cause?: unknown
}

/** What the SDK and the tools throw. Callers match `code`; texts may change. */
export class RelayError extends Error {
  override readonly name = 'RelayError'
  readonly code: ErrorCode
  readonly field: string | undefined
  readonly detail: string | undefined
  readonly retryAfterMs: number | undefined

  constructor(code: ErrorCode, details: RelayErrorDetails = {}) {
    super(errorRow(code).text, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.field = details.field
    this.detail = details.detail
    this.retryAfterMs = details.retryAfterMs
  }

  /** Whether doing the same again, perhaps after a sync, can succeed. */
  get retryable(): boolean {
    return errorRow(this.code).retry !== 'never'
  }

  /** Key of the translated text and remedy. */
  get messageKey(): string {
    return `error.${this.code}`
  }

  /** Where the code is explained. */
  get docs(): string {
    return `docs/errors.md#${this.code}`
  }
}

/** Whether a thrown value is ours. */
export const isRelayError = (error: unknown): error is RelayError => error instanceof RelayError
