import {
  type AdminRequest,
  type ClientFrame,
  type Clock,
  codeOfNumber,
  Directory,
  type DirectoryPage,
  decodeEntry,
  decodeReceipt,
  encodeAdminRequest,
  encodeEntry,
  equal,
  limits,
  RelayError,
  type RelayFrame,
  type RelayStatus,
  randomBytes,
  receiptHash,
  sha256,
  signAdminRequest,
  sodiumReady,
  systemClock,
  verifyReceipts,
} from '@liaison/protocol'
import { LocalDirectory } from '../directory/local-directory.ts'
import type { Identity } from '../identity/identity.ts'
import type { Network } from '../identity/network-file.ts'
import { Link, type RequestFrame, type Unasked } from '../session/link.ts'
import { errorOfFrame } from '../session/told-error.ts'
import type { OpenWebSocket } from '../session/transport.ts'
import { type ClientStore, numberKey } from '../store/client-store.ts'
import { statementProgress } from './review.ts'
import { networkOf, openStatementFile, type StatementFile } from './statement-file.ts'
import { TransientStore } from './transient-store.ts'

/** What an administrator's connection needs. */
export interface AdminConnectOptions {
  /** WebSocket address of a relay of the network. */
  readonly url: string
  readonly network: Network
  readonly identity: Identity
  /** Number of the administrator in the directory. */
  readonly admin: number
  /** Keeps the directory between runs; without it, it is fetched anew. */
  readonly store?: ClientStore
  readonly webSocket: OpenWebSocket
  readonly signal?: AbortSignal
  readonly clock?: Clock
}

/** Audit leaves as the relay gave them; `decodeLeaf` reads one. */
export interface LeafPage {
  /** Index of the first leaf here. */
  readonly from: number
  readonly leaves: readonly Uint8Array[]
  /** Leaves in the whole log; ask again from `from + leaves.length` until there. */
  readonly size: number
}

/**
 * Connects to a relay as an administrator and fetches the directory.
 *
 * @throws RelayError `network_file_malformed`, `network_mismatch`, `not_permitted` (the identity is
 * a device's), those of the connection, and `directory_*` when the relay's directory is not ours.
 */
export async function connectAsAdministrator(options: AdminConnectOptions): Promise<AdminSession> {
  await sodiumReady()
  const { identity, network, url, webSocket, admin } = options
  if (identity.kind !== 'administrator')
    throw new RelayError('not_permitted', { field: 'identity' })
  const store = options.store ?? new TransientStore()
  await seedStore(store, network)
  const local = await LocalDirectory.open(store, network.genesis)
  const link = await Link.connect({
    url,
    open: webSocket,
    directory: local.directory,
    principal: { kind: 'administrator', number: admin },
    key: identity.signingKey,
    signal: options.signal ?? new AbortController().signal,
  })
  const session = new AdminSession(link, local, identity, options.clock ?? systemClock)
  try {
    await session.begin()
  } catch (error) {
    session.close()
    throw error
  }
  return session
}

/** Puts what the network file brings into the store, after the file's own entries were verified. */
async function seedStore(store: ClientStore, network: Network): Promise<void> {
  const entries = [network.genesis, ...network.entries]
  const replayed = Directory.replay(entries)
  if (!replayed.ok) {
    const { index, code } = replayed.error
    throw new RelayError('network_file_malformed', {
      field: `/directory/${index - 1}`,
      detail: code,
    })
  }
  const rows = await store.list('directory')
  const differs = rows.some(([, stored], i) => {
    const entry = entries[i]
    return entry !== undefined && !equal(entry, stored)
  })
  if (differs) throw new RelayError('network_mismatch')
  const missing = entries.slice(rows.length)
  if (missing.length === 0) return
  await store.commit(
    missing.map((value, i) => ({ table: 'directory', key: numberKey(rows.length + i), value })),
  )
}

type Answer<K extends RelayFrame['kind']> = Extract<RelayFrame, { readonly kind: K }>

/** One administrator's connection to one relay. It is not repaired when it breaks: connect again. */
export class AdminSession implements Disposable {
  readonly #link: Link
  readonly #local: LocalDirectory
  readonly #identity: Identity
  readonly #clock: Clock
  /** Requests go one after the other: answers to refused questions name none. */
  #turn: Promise<unknown> = Promise.resolve()
  /** What ended the session from this side. */
  #failure: RelayError | null = null
  /** Hears of errors that name no request. */
  #refused: (error: RelayError) => void = () => undefined

  /** Use {@link connectAsAdministrator}. */
  constructor(link: Link, local: LocalDirectory, identity: Identity, clock: Clock) {
    this.#link = link
    this.#local = local
    this.#identity = identity
    this.#clock = clock
    link.onFrame = (frame) => this.#heard(frame)
  }

  /** The directory as of the last answer or announcement of the relay. */
  get directory(): Directory {
    return this.#local.directory
  }

  /** The relay that answered. */
  get relay(): Link['info']['relay'] {
    return this.#link.info.relay
  }

  /** Resolves with the reason when the connection has ended. */
  get closed(): Promise<RelayError> {
    return this.#link.closed
  }

  /** Takes in what the relay sent with its greeting, and the rest. */
  async begin(): Promise<void> {
    if (await this.#apply(this.#link.info.ready.dir)) await this.sync()
  }

  /** Fetches what the relay's directory has and this one lacks. */
  sync(): Promise<void> {
    return this.#inTurn(() => this.#sync())
  }

  /**
   * Stores the keys of a statement at the relay, appends its entry, and waits until the directory
   * here contains it. What is there already counts as done, so it is safe to repeat.
   *
   * @returns its position in the directory: the number of the new member, device or topic.
   * @throws RelayError `quorum_missing`, the code with which the relay refused it,
   * `receipt_invalid`, or `outcome_unknown` when the connection broke: do the same again.
   */
  append(file: StatementFile): Promise<{ readonly index: number }> {
    return this.#inTurn(() => this.#append(file))
  }

  /** Figures of the relay. The question is signed and written to the relay's audit log. */
  async status(): Promise<RelayStatus> {
    const { status } = await this.#inTurn(() => this.#ask({ op: 'status' }))
    if (status === undefined) throw new RelayError('frame_unexpected', { detail: 'no status' })
    return status
  }

  /**
   * Audit leaves from one index (inclusive) to another (exclusive), or as many of them as one answer
   * holds. The question is signed and written to the relay's audit log.
   */
  async leaves(from: number, to?: number): Promise<LeafPage> {
    const range = to === undefined ? { from } : { from, to }
    const answer = await this.#inTurn(() => this.#ask({ op: 'leaves', ...range }))
    const { leaves, size } = answer
    if (leaves === undefined || size === undefined) {
      throw new RelayError('frame_unexpected', { detail: 'no leaves' })
    }
    return { from: answer.from ?? from, leaves, size }
  }

  /** Ends the connection. */
  close(): void {
    this.#link.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(() => {
      if (this.#failure !== null) throw this.#failure
      return work()
    })
    this.#turn = mine.catch(() => undefined)
    return mine
  }

  async #append(file: StatementFile): Promise<{ readonly index: number }> {
    const opened = openStatementFile(file)
    networkOf(file, opened, this.directory)
    const known = this.#indexOf(opened.stmt)
    if (known !== null) return { index: known }
    const progress = statementProgress(file, this.directory)
    if (!progress.complete) {
      const detail = `${progress.have.length} of ${progress.need} ${progress.unit}`
      throw new RelayError('quorum_missing', { field: '/signatures', detail })
    }
    await this.#putKeys(opened.blobs)
    const entry = encodeEntry(opened.stmt, opened.signatures)
    const result = await this.#request({ kind: 'append', entry }, 'result')
    const refusal = this.#refusalIn(result, entry)
    if (refusal !== null && refusal !== 'nonce_used') throw new RelayError(refusal)
    await this.#sync()
    const index = this.#indexOf(opened.stmt)
    // A used nonce is no success when it was another statement that used it.
    if (index === null) throw new RelayError(refusal ?? 'receipt_invalid')
    return { index }
  }

  async #putKeys(keys: readonly Uint8Array[]): Promise<void> {
    for (let i = 0; i < keys.length; i += limits.blobsPerFrameMax) {
      const blobs = keys.slice(i, i + limits.blobsPerFrameMax).map((key) => ['key', key] as const)
      await this.#request({ kind: 'blob-put', blobs }, 'blobs')
    }
  }

  /** The code with which the relay refused an entry, or null; only a signed word counts. */
  #refusalIn({ receipts, sig }: Answer<'result'>, entry: Uint8Array): RelayError['code'] | null {
    const { relay } = this.#link.info
    const [bytes] = receipts
    const signed = verifyReceipts(this.directory.net, relay.key, receipts.map(receiptHash), sig)
    const decoded = bytes === undefined ? null : decodeReceipt(bytes)
    if (!signed || receipts.length !== 1 || decoded?.ok !== true) {
      throw new RelayError('receipt_invalid')
    }
    const receipt = decoded.value
    if (receipt.rk !== relay.num || !equal(receipt.cid, sha256(entry))) {
      throw new RelayError('receipt_invalid')
    }
    return receipt.rc === 0 ? null : codeOfNumber(receipt.rc)
  }

  /** Where a statement stands in the directory. */
  #indexOf(stmt: Uint8Array): number | null {
    for (let index = this.directory.size - 1; index > 0; index--) {
      const entry = decodeEntry(this.directory.entry(index) ?? new Uint8Array())
      if (entry.ok && equal(entry.value.stmt, stmt)) return index
    }
    return null
  }

  /** Asks a signed question; the number of the request is inside the signature. */
  async #ask(question: Pick<AdminRequest, 'op' | 'from' | 'to'>): Promise<Answer<'admin-answer'>> {
    const frame = (rq: number): ClientFrame => {
      const request = encodeAdminRequest({
        ...question,
        rn: this.#link.info.relayNonce,
        rq,
        t: this.#clock(),
        n: randomBytes(16),
      })
      const { signingKey } = this.#identity
      return {
        kind: 'admin',
        request,
        sig: signAdminRequest(this.directory.net, signingKey, request),
      }
    }
    const refused = new Promise<never>((_resolve, reject) => {
      this.#refused = reject
    })
    return Promise.race([this.#request(frame, 'admin-answer'), refused])
  }

  #request<K extends 'result' | 'dir' | 'blobs' | 'admin-answer'>(
    frame: RequestFrame | ((rq: number) => ClientFrame),
    expected: K,
  ): Promise<Answer<K>> {
    return this.#link.request(frame, expected) as Promise<Answer<K>>
  }

  async #sync(): Promise<void> {
    let more = true
    while (more) {
      const { size } = this.directory
      const { page } = await this.#request({ kind: 'dir-want', from: size }, 'dir')
      more = await this.#apply(page)
      // A relay that promises more and gives nothing would keep us asking for ever.
      if (more && this.directory.size === size) throw new RelayError('directory_invalid')
    }
  }

  /** Applies a page; a directory that is not ours ends the session. @returns whether some is missing. */
  async #apply(page: DirectoryPage): Promise<boolean> {
    try {
      return (await this.#local.apply(page)).wantFrom !== null
    } catch (error) {
      const reason =
        error instanceof RelayError ? error : new RelayError('internal', { cause: error })
      this.#failure = reason
      this.close()
      throw reason
    }
  }

  #heard(frame: Unasked): void {
    if (frame.kind === 'error') this.#refused(errorOfFrame(frame))
    // A failure was noted by `#apply`; the next call reports it.
    if (frame.kind === 'dir') this.#apply(frame.page).catch(() => undefined)
  }
}
