import type { Envelope, Leaf, RelayError } from '@liaison/protocol'
import type { ViewLeases } from './view-leases.ts'

/** Where an audit leaf stands, and its RFC 6962 leaf hash. */
export interface LeafPlace {
  readonly index: number
  readonly hash: Uint8Array
}

/** What the log remembers for ever about an accepted envelope: enough to give its first receipt again. */
export interface AcceptedPlace {
  readonly core: Uint8Array
  readonly topic: number
  readonly cursor: number
  readonly leaf: LeafPlace
  /** When it was accepted, ms. */
  readonly t: number
}

/** The newest place of a chain. */
export interface ChainHead {
  readonly inc: number
  readonly seq: number
  readonly core: Uint8Array
}

/** An envelope that passed every check which needs no log. */
export interface AcceptRequest {
  /** Size of the directory at which the relay decided. */
  readonly fence: number
  readonly core: Uint8Array
  /** Device that sent it. */
  readonly from: number
  readonly topic: number
  readonly chain: Uint8Array
  readonly inc: number
  readonly seq: number
  readonly prev: Uint8Array
  readonly id: Uint8Array
  readonly t: number
  readonly envelope: Envelope
  /** Merkle leaf hashes of the slots, 32 bytes each; paths are made from them at delivery. */
  readonly slotLeaves: Uint8Array
}

/** What became of an append. */
export type AcceptOutcome =
  | { readonly kind: 'accepted'; readonly place: AcceptedPlace }
  /** The same bytes were accepted before. */
  | { readonly kind: 'duplicate'; readonly place: AcceptedPlace }
  /** The directory grew meanwhile: decide again. */
  | { readonly kind: 'fence'; readonly size: number }
  | { readonly kind: 'refused'; readonly code: 'seq_reused' | 'id_reused' }
  | {
      readonly kind: 'refused'
      readonly code: 'seq_gap' | 'prev_mismatch' | 'incarnation_stale'
      readonly head: ChainHead | null
    }

/** An accepted envelope without its slots. */
export interface StoredEnvelope {
  readonly topic: number
  readonly cursor: number
  readonly core: Uint8Array
  readonly ctx: Uint8Array
  readonly seal: Uint8Array
  readonly sig: Uint8Array
  readonly payload: Uint8Array
  readonly slotLeaves: Uint8Array
  /** When it was accepted, ms. */
  readonly t: number
}

/** One acknowledgement in the log of a member. */
export interface StoredAck {
  readonly index: number
  readonly ack: Uint8Array
  readonly sig: Uint8Array
}

/**
 * Everything durable of one network. Each method that writes resolves after the data would survive
 * a power cut, never earlier: the caller answers its client on return. A rejection with
 * `log_unavailable` leaves *unknown* whether the write was kept; repeating it with the same bytes is
 * safe and gives the first answer. Reads see confirmed data only, never more.
 *
 * Cursors and acknowledgement indices count from 1; directory entries and leaves from 0.
 */
export interface RelayLog extends AsyncDisposable {
  /** False while writes would be refused: for now, or for good when {@link failure} is not null. */
  writable(): boolean
  /** Why nothing is written any more; only a person, or a restart, may go on from here. */
  failure(): RelayError | null
  /** How relays that share this log agree on its directory; null when one process owns it. */
  readonly leases: ViewLeases | null

  /** Entries from `from`, oldest first, at most `max`. */
  readDirectory(from: number, max: number): Promise<Uint8Array[]>
  /** Appends the entry at exactly index `at`; null when the directory has another size by now. */
  appendDirectory(at: number, entry: Uint8Array, leaf: Leaf): Promise<LeafPlace | null>

  /** The accepted envelope at one place of a chain, or null. */
  find(chain: Uint8Array, inc: number, seq: number): Promise<AcceptedPlace | null>
  /**
   * One atomic step: directory fence, idempotency by place and by id, chain head, topic entry,
   * audit leaf.
   */
  accept(request: AcceptRequest): Promise<AcceptOutcome>
  /** Last confirmed cursor of a topic; 0 when it is empty. */
  topicHead(topic: number): number
  /** Envelopes strictly after `after`, oldest first, at most `max`. */
  readTopic(topic: number, after: number, max: number): Promise<StoredEnvelope[]>
  /** Envelopes of a chain with `from` <= seq <= `to`, at most `max`. */
  readChain(
    chain: Uint8Array,
    inc: number,
    from: number,
    to: number,
    max: number,
  ): Promise<StoredEnvelope[]>
  /** The accepted envelope with this core hash, or null. */
  readCore(core: Uint8Array): Promise<StoredEnvelope | null>
  /** All slots of an accepted envelope, joined; null when there is none. */
  readSlots(topic: number, cursor: number): Promise<Uint8Array | null>

  /** Stores an acknowledgement for the given members; null when these bytes are stored already. */
  appendAck(
    members: readonly number[],
    ack: Uint8Array,
    sig: Uint8Array,
    leaf: Leaf,
  ): Promise<LeafPlace | null>
  /** Last confirmed index of a member's acknowledgements; 0 when there are none. */
  ackHead(member: number): number
  /** Acknowledgements strictly after `after`, oldest first, at most `max`. */
  readAcks(member: number, after: number, max: number): Promise<StoredAck[]>

  /** Appends one audit leaf. */
  appendLeaf(leaf: Leaf): Promise<LeafPlace>
  /** Leaves with `from` <= index < `to`. */
  readLeaves(from: number, to: number): Promise<Uint8Array[]>
  /** Number of confirmed leaves. */
  leafCount(): number

  /** Stores a public document under its hash. */
  putBlob(hash: Uint8Array, bytes: Uint8Array): Promise<void>
  /** The document with this hash, or null. */
  getBlob(hash: Uint8Array): Promise<Uint8Array | null>
}

/** Called after new data became readable: a hint to look at the log, nothing more. */
export interface LogListener {
  topicGrew(topic: number): void
  acksGrew(member: number): void
  /** Another relay appended to the directory, or this one did. */
  directoryGrew(): void
}
