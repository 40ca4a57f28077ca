import {
  type AppliedEntry,
  type CheckedEntry,
  type Clock,
  Directory,
  type DirectoryPage,
  type ErrorCode,
  err,
  logOrigins,
  ok,
  RelayError,
  type Result,
  type SigningKey,
  signCheckpoint,
} from '@liaison/protocol'
import { relayLimits } from '../limits.ts'
import type { LeafPlace, RelayLog } from '../log/relay-log.ts'

/** What an accepted entry changed, and where it was recorded. */
export interface Recorded {
  readonly applied: AppliedEntry
  readonly index: number
  readonly leaf: LeafPlace
}

/** Feeds the pure state machine from the directory log, and is the only writer of either. */
export class DirectoryHost {
  readonly directory: Directory
  readonly #log: RelayLog
  readonly #clock: Clock
  readonly #logKey: SigningKey
  #checkpoint: Uint8Array | null = null
  /** Appends happen one after the other: each is judged against the state it is appended to. */
  #turn: Promise<unknown> = Promise.resolve()

  private constructor(directory: Directory, log: RelayLog, clock: Clock, logKey: SigningKey) {
    this.directory = directory
    this.#log = log
    this.#clock = clock
    this.#logKey = logKey
  }

  /**
   * Replays the log. An empty log is begun with the genesis entry.
   *
   * @throws RelayError `store_mismatch` or `directory_invalid` when the log is not this network's.
   */
  static async open(
    log: RelayLog,
    genesis: Uint8Array,
    clock: Clock,
    logKey: SigningKey,
  ): Promise<DirectoryHost> {
    const begun = Directory.fromGenesis(genesis)
    if (!begun.ok) throw new RelayError('directory_invalid', { detail: begun.error })
    const directory = begun.value
    let entries = await log.readDirectory(0, relayLimits.directoryPageEntriesMax)
    if (entries.length === 0) {
      await log.appendDirectory(0, genesis, {
        v: 1,
        t: clock(),
        e: 'directory',
        cur: 0,
        op: 'genesis',
      })
    }
    let at = 0
    while (entries.length > 0) {
      for (const entry of entries) {
        // Entry 0 is the genesis that the directory was begun with.
        const replayed = at === 0 ? ok(true) : directory.append(entry, null)
        if (!replayed.ok) {
          throw new RelayError('directory_invalid', { detail: `entry ${at}: ${replayed.error}` })
        }
        at++
      }
      entries = await log.readDirectory(at, relayLimits.directoryPageEntriesMax)
    }
    return new DirectoryHost(directory, log, clock, logKey)
  }

  /** Newest signed checkpoint: size and root of everything that is durable. */
  checkpoint(): Uint8Array {
    this.#checkpoint ??= signCheckpoint(this.#logKey, {
      origin: logOrigins(this.directory.name).dir,
      size: this.directory.size,
      root: this.directory.root,
    })
    return this.#checkpoint
  }

  /** A page of entries from `from`, bounded in number and bytes, with the checkpoint of the whole. */
  page(from: number): DirectoryPage {
    const entries: Uint8Array[] = []
    let bytes = 0
    for (let index = from; index < this.directory.size; index++) {
      const entry = this.directory.entry(index)
      if (entry === undefined || entries.length >= relayLimits.directoryPageEntriesMax) break
      bytes += entry.length
      // At least one entry: otherwise a client would ask for the same page for ever.
      if (entries.length > 0 && bytes > relayLimits.directoryPageBytesMax) break
      entries.push(entry)
    }
    return { from, size: this.directory.size, entries, checkpoint: this.checkpoint() }
  }

  /**
   * Judges, appends durably, then applies. `apply` runs in the same turn of the event loop in which
   * the state changes, so that nothing can be sent between the change and its enforcement.
   */
  append(
    entry: Uint8Array,
    author: { readonly by?: number; readonly adm?: number },
    precondition: (checked: CheckedEntry) => Promise<ErrorCode | null>,
    apply: (recorded: Recorded) => void,
  ): Promise<Result<Recorded, ErrorCode>> {
    const mine = this.#turn.then(() => this.#append(entry, author, precondition, apply))
    this.#turn = mine.catch(() => undefined)
    return mine
  }

  async #append(
    entry: Uint8Array,
    author: { readonly by?: number; readonly adm?: number },
    precondition: (checked: CheckedEntry) => Promise<ErrorCode | null>,
    apply: (recorded: Recorded) => void,
  ): Promise<Result<Recorded, ErrorCode>> {
    const now = this.#clock()
    const checked = this.directory.check(entry, now)
    if (!checked.ok) return checked
    const refused = await precondition(checked.value)
    if (refused !== null) return err(refused)
    const index = this.directory.size
    const leaf = await this.#log.appendDirectory(index, entry, {
      v: 1,
      t: now,
      e: 'directory',
      cur: index,
      op: checked.value.operation.op,
      ...author,
    })
    if (leaf === null)
      throw new RelayError('internal', { detail: 'second writer on the directory' })
    const applied = this.directory.append(entry, now)
    if (!applied.ok) throw new RelayError('internal', { detail: `applied ${applied.error}` })
    this.#checkpoint = null
    const recorded: Recorded = { applied: applied.value, index, leaf }
    apply(recorded)
    return ok(recorded)
  }
}
