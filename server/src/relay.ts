import {
  adminsInForce,
  type BlobKind,
  type CheckedEntry,
  type Clock,
  checkEpochPublicKey,
  type Directory,
  decodeAck,
  decodeAdminRequest,
  type Envelope,
  type EpochMs,
  type ErrorCode,
  encodeReceipt,
  epochMs,
  equal,
  errorRow,
  kidOf,
  limits,
  type RelayFrame,
  receiptHash,
  receiptsSigningInput,
  type SigningKey,
  sha256,
  verifyAck,
  verifyAdminRequest,
} from '@liaison/protocol'
import type { Logger } from 'pino'
import { RejectAuditor } from './audit-reject.ts'
import { PreparedEnvelopes } from './delivery/prepared-envelopes.ts'
import { isFor } from './delivery/reader-item.ts'
import type { DeliverySource } from './delivery/topic-subscription.ts'
import type { Applied, DirectoryHost } from './directory/directory-host.ts'
import { ViewLease } from './directory/view-lease.ts'
import { relayLimits } from './limits.ts'
import { isTooMuch, type Load } from './load-watch.ts'
import type { RelayLog } from './log/relay-log.ts'
import type { Metrics } from './metrics.ts'
import { Publisher } from './publisher.ts'
import { Sessions } from './session/sessions.ts'
import type { SignatureChecker } from './signatures/signature-checker.ts'
import { TokenBucket } from './token-bucket.ts'

/** Who is connected: a device, or an administrator with the key that the directory lists. */
export type Principal =
  | { readonly kind: 'device'; readonly dev: number }
  | { readonly kind: 'administrator'; readonly adm: number }

/** What a relay is made of. */
export interface RelayDeps {
  readonly log: RelayLog
  readonly host: DirectoryHost
  /** Key that the directory lists for this relay; signs challenges and receipts. */
  readonly key: SigningKey
  readonly number: number
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: Metrics
  readonly signatures: SignatureChecker
  /** What the relay measures of itself. */
  readonly load: () => Load
  /** Milliseconds that never go back; for leases. */
  readonly monotonic?: () => number
}

/** Sockets that an entry cut off here. */
interface Cut {
  readonly sockets: number
  /** Ends when the audit log has them. */
  readonly recorded: Promise<unknown>
}

/** Entries whose cuts are remembered until their author is answered; others' are never asked for. */
const cutsKept = 64

/** Signed answer to a publish or append frame. */
export type ResultFrame = Extract<RelayFrame, { kind: 'result' }>

/**
 * The relay of one network: the only place that knows the order of the stages. It can tell who sends
 * to whom, when and how much; it has no code that could open an envelope.
 */
export class Relay {
  readonly key: SigningKey
  readonly number: number
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: Metrics
  readonly host: DirectoryHost
  readonly sessions: Sessions
  readonly source: DeliverySource
  readonly #load: () => Load
  readonly #signatures: SignatureChecker
  readonly #log: RelayLog
  readonly #publisher: Publisher
  readonly #rejects: RejectAuditor
  readonly #lease: ViewLease
  /** Sockets that the newest entries cut off, until their author is answered. By index. */
  readonly #cuts = new Map<number, Cut>()
  readonly #quotas = new Map<string, TokenBucket>()
  /** By device. */
  readonly #entryQuotas = new Map<number, TokenBucket>()
  #accepted = 0
  #refused = 0

  constructor(deps: RelayDeps) {
    this.key = deps.key
    this.number = deps.number
    this.clock = deps.clock
    this.logger = deps.logger
    this.metrics = deps.metrics
    this.host = deps.host
    this.#load = deps.load
    this.#signatures = deps.signatures
    this.#log = deps.log
    this.#rejects = new RejectAuditor(deps.log)
    this.sessions = new Sessions()
    this.#lease = new ViewLease({
      leases: deps.log.leases,
      relayNumber: deps.number,
      monotonic: deps.monotonic ?? (() => performance.now()),
      enforced: () => this.directory.size,
      follow: () => deps.host.follow(),
      lost: () => this.#loseView(),
      failed: (error) => deps.logger.warn({ err: error }, 'view of the directory not renewed'),
    })
    deps.host.enforceWith((applied) => this.#enforce(applied))
    const envelopes = new PreparedEnvelopes(deps.log, deps.host)
    this.source = { log: deps.log, envelopes }
    this.#publisher = new Publisher({
      host: deps.host,
      log: deps.log,
      clock: deps.clock,
      relayNumber: deps.number,
      rejects: this.#rejects,
      metrics: deps.metrics,
      signatures: deps.signatures,
      accepted: (stored, slots) => envelopes.accepted(stored, slots),
    })
    this.metrics.watch({
      connections: () => this.sessions.size,
      outstandingDeliveries: () => this.sessions.outstanding(),
      auditLeaves: () => deps.log.leafCount(),
      loopDelayMs: () => deps.load().loopDelayMs,
    })
  }

  get directory(): Directory {
    return this.host.directory
  }

  /** Present time of this relay, ms. */
  now(): EpochMs {
    return this.clock()
  }

  /**
   * Envelopes, documents and acknowledgements come out of one quota: all are kept.
   *
   * @returns How long this author must wait before it may store so many bytes, ms; 0 is now.
   */
  publishWaitMs(author: Principal, bytes: number, monotonicMs: number): number {
    const name = author.kind === 'device' ? `device ${author.dev}` : `administrator ${author.adm}`
    const known = this.#quotas.get(name)
    const { publishBytesBurst, publishBytesPerSecond } = relayLimits
    const bucket = known ?? new TokenBucket(publishBytesBurst, publishBytesPerSecond, monotonicMs)
    if (known === undefined) this.#quotas.set(name, bucket)
    return bucket.take(bytes, monotonicMs)
  }

  /**
   * How long this author must wait before it may append a directory entry, ms; 0 is now. Only devices
   * are held back: administrators answer for their entries by name.
   */
  appendWaitMs(author: Principal, monotonicMs: number): number {
    if (author.kind !== 'device') return 0
    const { deviceEntriesBurst, deviceEntriesPerHour } = relayLimits
    const known = this.#entryQuotas.get(author.dev)
    const bucket =
      known ?? new TokenBucket(deviceEntriesBurst, deviceEntriesPerHour / 3600, monotonicMs)
    if (known === undefined) this.#entryQuotas.set(author.dev, bucket)
    return bucket.take(1, monotonicMs)
  }

  /**
   * Admits envelopes in order.
   *
   * @param after Ends when what the session sent before has reached the log.
   */
  publish(
    device: number,
    rq: number,
    envelopes: readonly Envelope[],
    after: Promise<void>,
  ): { readonly reached: Promise<void>; readonly answer: Promise<ResultFrame> } {
    const { reached, done } = this.#publisher.begin(device, envelopes, after)
    const answer = done.then((published) => {
      for (const { refused, duplicate } of published) {
        this.#count(refused, duplicate)
        if (refused !== null) this.logger.info({ device, code: refused }, 'envelope refused')
      }
      return this.#result(
        rq,
        published.map((p) => p.receipt),
      )
    })
    return { reached, answer }
  }

  #count(refused: ErrorCode | null, duplicate: boolean): void {
    if (refused !== null) {
      this.#refused++
      this.metrics.refused(refused)
    } else if (!duplicate) {
      this.#accepted++
      this.metrics.accepted()
    }
  }

  #result(rq: number, receipts: readonly Uint8Array[]): ResultFrame {
    const { publicKey, secretKey } = this.key
    const input = receiptsSigningInput(this.directory.net, publicKey, receipts.map(receiptHash))
    const sig = this.#signatures.sign(input, secretKey)
    return { kind: 'result', rq, receipts, sig }
  }

  /** Stores a device's acknowledgement and shows it to the members whose reports it names. */
  async acknowledge(device: number, ack: Uint8Array, sig: Uint8Array): Promise<ErrorCode | null> {
    const decoded = decodeAck(ack)
    if (!decoded.ok) return decoded.error
    const record = this.directory.device(device)
    if (record === null || decoded.value.dev !== device) return 'ack_refused'
    if (!verifyAck(this.directory.net, record.identityKey, ack, sig)) return 'ack_refused'
    const { ok = [], rd = [], pu = [], bad = [] } = decoded.value
    const cores = [...ok, ...rd, ...pu, ...bad.map(([core]) => core)]
    const members = new Set<number>()
    for (const core of cores) {
      const envelope = await this.#log.readCore(core)
      if (envelope === null) return 'ack_refused'
      const prepared = await this.source.envelopes.prepare(envelope)
      if (!isFor(prepared, device)) return 'ack_refused'
      const sender = this.directory.device(prepared.header.from)
      if (sender !== null) members.add(sender.mem)
    }
    await this.#log.appendAck([...members], ack, sig, {
      v: 1,
      t: this.now(),
      e: 'ack',
      by: device,
      obj: sha256(ack),
      n: cores.length,
    })
    return null
  }

  /** Appends a directory entry and enforces it before the author hears of it. */
  async appendEntry(principal: Principal, rq: number, entry: Uint8Array): Promise<ResultFrame> {
    const author = principal.kind === 'device' ? { by: principal.dev } : { adm: principal.adm }
    const began = performance.now()
    const outcome = await this.host.append(entry, author, async (checked) => {
      const { operation } = checked
      // A device may only replace its own coming keys; everything else is the administrators'.
      const own = operation.op === 'epoch' && principal.kind === 'device'
      if (own && operation.body.dev !== principal.dev) return 'not_permitted'
      if (principal.kind === 'device' && !own) return 'not_permitted'
      return this.#missingKeys(checked)
    })
    if (outcome.ok) await this.#settle(outcome.value.index, began)
    // Its first answer got lost: whoever hears that it is in the directory takes it for in force.
    else if (outcome.error === 'nonce_used') await this.#lease.settled(this.directory.size)
    const t = this.now()
    const base = { v: 1, rk: this.number, d: 0, t, cid: sha256(entry) } as const
    const who = principal.kind === 'device' ? { dev: principal.dev } : { adm: principal.adm }
    if (outcome.ok) {
      const { index, leaf } = outcome.value
      const receipt = { ...base, rc: 0, cur: index, ix: leaf.index, lh: leaf.hash, ...who }
      return this.#result(rq, [encodeReceipt(receipt)])
    }
    this.logger.info({ ...who, code: outcome.error }, 'directory entry refused')
    return this.#result(rq, [encodeReceipt({ ...base, rc: errorRow(outcome.error).n, ...who })])
  }

  /** Keys must be here before an entry lists them: otherwise nobody could seal for the device. */
  async #missingKeys({ operation }: CheckedEntry): Promise<ErrorCode | null> {
    if (operation.op !== 'enrol' && operation.op !== 'epoch') return null
    const { kids } = operation.body
    for (const kid of kids) if ((await this.#log.getBlob(kid)) === null) return 'blob_missing'
    return null
  }

  /** Waits until an entry is in force at every relay, and until its cuts are recorded. */
  async #settle(index: number, began: number): Promise<void> {
    const cut = this.#cuts.get(index)
    this.#cuts.delete(index)
    await Promise.all([cut?.recorded, this.#lease.settled(index + 1)])
    if (cut !== undefined && cut.sockets > 0) this.metrics.suspended(performance.now() - began)
  }

  /**
   * Called in the turn in which the directory changed: sockets of whoever may no longer be here are
   * reset at once, so that not even a byte that waits in a buffer goes out.
   */
  #enforce({ applied, index }: Applied): void {
    const now = this.now()
    const cut = this.sessions.enforce(this.directory, now)
    this.sessions.announceDirectory(() => this.host.page(index))
    this.logger.info(
      { op: applied.operation.op, index, resetSockets: cut.length },
      'directory entry applied',
    )
    const recorded = Promise.all(
      cut.map((by) =>
        this.#log.appendLeaf({ v: 1, t: now, e: 'suspend-enforced', by, cur: index }),
      ),
    )
    recorded.catch((error: unknown) => this.logger.error({ err: error }, 'cut not recorded'))
    this.#cuts.delete(index - cutsKept)
    this.#cuts.set(index, { sockets: cut.length, recorded })
  }

  /** Another relay appended to the directory: take it over and say so at once. */
  directoryGrew(): void {
    if (this.#log.leases === null) return
    this.host.follow().then(
      () => this.#lease.renew(),
      (error: unknown) => this.logger.error({ err: error }, 'directory not followed'),
    )
  }

  /** Begins to serve. @throws RelayError `log_unavailable` */
  async start(): Promise<void> {
    await this.#lease.start()
  }

  /** Whether anything may be sent to anybody in this very turn. */
  serving(): boolean {
    return this.#lease.held()
  }

  /** Whether new connections and reports should come back later; what was begun goes on. */
  overloaded(): boolean {
    return isTooMuch(this.#load())
  }

  /** The directory may have changed without our knowledge: whatever waits to be sent is dropped. */
  #loseView(): void {
    this.logger.warn({ sessions: this.sessions.size }, 'view of the directory lost; sockets reset')
    this.sessions.resetAll()
  }

  /** Stores public documents: epoch public keys after a trial of each, schemas by size only. */
  async putBlobs(blobs: readonly (readonly [BlobKind, Uint8Array])[]): Promise<ErrorCode | null> {
    for (const [kind, bytes] of blobs) {
      if (bytes.length > limits.blobBytesMax) return 'blob_refused'
      if (kind === 'key' && !checkEpochPublicKey(bytes).ok) return 'blob_refused'
    }
    for (const [kind, bytes] of blobs) {
      await this.#log.putBlob(kind === 'key' ? kidOf(bytes) : sha256(bytes), bytes)
    }
    return null
  }

  /** Documents by hash, as many as fit in one frame; the rest is to be asked for again. */
  async getBlobs(
    rq: number,
    hashes: readonly Uint8Array[],
  ): Promise<Extract<RelayFrame, { kind: 'blobs' }>> {
    const blobs: (readonly [Uint8Array, Uint8Array])[] = []
    const missing: Uint8Array[] = []
    let bytes = 0
    for (const hash of hashes) {
      const blob = await this.#log.getBlob(hash)
      if (blob === null) missing.push(hash)
      else if (bytes + blob.length <= limits.deliverFrameBytesMax - 8192 || blobs.length === 0) {
        blobs.push([hash, blob])
        bytes += blob.length
      }
    }
    return { kind: 'blobs', rq, blobs, missing }
  }

  /** Answers an administrator's signed question; every one is written to the audit log. */
  async adminRead(
    adm: number,
    relayNonce: Uint8Array,
    request: Uint8Array,
    sig: Uint8Array,
  ): Promise<{ readonly rq: number; readonly answer: RelayFrame } | ErrorCode> {
    const decoded = decodeAdminRequest(request)
    if (!decoded.ok) return decoded.error
    const { op, rn, rq, from = 0, to } = decoded.value
    const key = this.#administratorKey(adm)
    if (key === undefined || !verifyAdminRequest(this.directory.net, key, request, sig)) {
      return 'signature_invalid'
    }
    if (!equal(rn, relayNonce)) return 'auth_failed'
    const t = this.now()
    await this.#log.appendLeaf({ v: 1, t, e: 'admin-read', adm, obj: sha256(request) })
    const leaves = this.#log.leafCount()
    if (op === 'leaves') {
      const end = Math.min(to ?? leaves, from + relayLimits.leafPageMax)
      const page = await this.#log.readLeaves(from, end)
      return { rq, answer: { kind: 'admin-answer', rq, leaves: page, from, size: leaves } }
    }
    const status = {
      t,
      dir: this.directory.size,
      leaves,
      sessions: this.sessions.size,
      accepted: this.#accepted,
      refused: this.#refused,
    }
    return { rq, answer: { kind: 'admin-answer', rq, status } }
  }

  /** Whether a principal may be here now. */
  mayConnect(principal: Principal): boolean {
    return principal.kind === 'device'
      ? this.directory.deviceActive(principal.dev, epochMs(this.now()))
      : this.#administratorKey(principal.adm) !== undefined
  }

  #administratorKey(adm: number): Uint8Array | undefined {
    return adminsInForce(this.directory.admins()).find((admin) => admin.num === adm)?.key
  }

  /** Writes what was only counted, and lets the others know that this relay ends. */
  async stop(): Promise<void> {
    await this.#rejects.flush(this.now())
    await this.#lease.stop()
  }
}
