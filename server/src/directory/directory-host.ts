import {
  type AppliedEntry,
  type CheckedEntry,
  type Clock,
  Directory,
  type DirectoryPage,
  type ErrorCode,
  equal,
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

/** What an accepted entry changed, and its index. */
export interface Applied {
  readonly applied: AppliedEntry
  readonly index: number
}

/** An entry that this relay appended, and where that was recorded. */
export interface Recorded extends Applied {
  readonly leaf: LeafPlace
}

/** Called in the turn of the event loop in which an entry changed the directory. */
export type Enforce = (applied: Applied) => void

/** Times that an entry is judged again because another relay appended first. */
const appendTriesMax = 16

/** Feeds the pure state machine from the directory log, and is the only writer of either. */
export class DirectoryHost {
  readonly directory: Directory
  readonly #log: RelayLog
  readonly #clock: Clock
  readonly #logKey: SigningKey
  #checkpoint: Uint8Array | null = null
  /** Changes happen one after the other: each is judged against the state it is made to. */
  #turn: Promise<unknown> = Promise.resolve()
  #enforce: Enforce = () => undefined

  private constructor(directory: Directory, log: RelayLog, clock: Clock, logKey: SigningKey) {
    this.directory = directory
    this.#log = log
    this.#clock = clock
    this.#logKey = logKey
  }

  /**
   * Replays the log. An empty log is begun with the genesis entry.
   *
   * @throws RelayError `store_mismatch` when the log is not this network's, `log_corrupt` naming the
   *   entry that breaks the rules.
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
    if ((await log.readDirectory(0, 1)).length === 0) {
      // Null when another relay that starts now was first; what it wrote is checked below.
      await log.appendDirectory(0, genesis, {
        v: 1,
        t: clock(),
        e: 'directory',
        cur: 0,
        op: 'genesis',
      })
    }
    const [first] = await log.readDirectory(0, 1)
    if (first === undefined || !equal(first, genesis)) {
      throw new RelayError('store_mismatch', { detail: 'the directory has another genesis' })
    }
    const host = new DirectoryHost(directory, log, clock, logKey)
    await host.follow()
    return host
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

  /** Names what is to happen in the turn in which an entry takes effect, whoever appended it. */
  enforceWith(enforce: Enforce): void {
    this.#enforce = enforce
  }

  /** Applies what other relays appended, up to the end of the log. @throws RelayError */
  follow(): Promise<void> {
    return this.#inTurn(() => this.#follow())
  }

  async #follow(): Promise<void> {
    for (;;) {
      const from = this.directory.size
      const entries = await this.#log.readDirectory(from, relayLimits.directoryPageEntriesMax)
      if (entries.length === 0) return
      for (const entry of entries) {
        const index = this.directory.size
        const applied = this.directory.append(entry, null)
        if (!applied.ok) {
          throw new RelayError('log_corrupt', {
            detail: `directory entry ${index}: ${applied.error}`,
          })
        }
        this.#took({ applied: applied.value, index })
      }
    }
  }

  #took(applied: Applied): void {
    this.#checkpoint = null
    this.#enforce(applied)
  }

  /**
   * Judges and appends durably, then applies. The entry is enforced in the same turn of the event loop
   * in which the state changes, so that nothing can be sent between the two.
   */
  append(
    entry: Uint8Array,
    author: { readonly by?: number; readonly adm?: number },
    precondition: (checked: CheckedEntry) => Promise<ErrorCode | null>,
  ): Promise<Result<Recorded, ErrorCode>> {
    return this.#inTurn(() => this.#append(entry, author, precondition))
  }

  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(change)
    this.#turn = mine.catch(() => undefined)
    return mine
  }

  async #append(
    entry: Uint8Array,
    author: { readonly by?: number; readonly adm?: number },
    precondition: (checked: CheckedEntry) => Promise<ErrorCode | null>,
  ): Promise<Result<Recorded, ErrorCode>> {
    for (let tries = 0; tries < appendTriesMax; tries++) {
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
      if (leaf !== null) {
        const applied = this.directory.append(entry, now)
        if (!applied.ok) throw new RelayError('internal', { detail: `applied ${applied.error}` })
        this.#took({ applied: applied.value, index })
        return ok({ applied: applied.value, index, leaf })
      }
      await this.#follow()
    }
    throw new RelayError('overloaded', { detail: 'the directory grows faster than it is read' })
  }
}
