import type { Envelope } from '../envelope/envelope.ts'

/** First element of every frame; docs/protocol.md, section "Frames". */
export const frameTypes = {
  hello: 1,
  challenge: 2,
  auth: 3,
  ready: 4,
  subscribe: 5,
  publish: 6,
  result: 7,
  deliver: 8,
  ack: 9,
  credit: 10,
  dir: 11,
  error: 12,
  ping: 13,
  pong: 14,
  fetch: 15,
  admin: 16,
  append: 17,
  blob: 18,
  acks: 19,
  unsubscribe: 23,
} as const

/** Kinds of documents that the relay stores by hash: epoch public keys and published schemas. */
export type BlobKind = 'key' | 'sch'

/** What a client may send. `rq` is the client's own number for a request; the answer repeats it. */
export type ClientFrame =
  | { readonly kind: 'hello'; readonly hello: Uint8Array }
  | { readonly kind: 'auth'; readonly sig: Uint8Array }
  | {
      readonly kind: 'subscribe'
      /** The client's number for the subscription, 0..65535. */
      readonly sub: number
      readonly top: number
      /** Last cursor that the client has; delivery begins after it. 0 is the beginning. */
      readonly from: number
      /** Whether paths of the FLU slots are wanted, for the slot check. */
      readonly fluPaths: boolean
    }
  | {
      readonly kind: 'subscribe-acks'
      readonly sub: number
      /** Last index that the client has, exclusive. */
      readonly from: number
    }
  | { readonly kind: 'unsubscribe'; readonly sub: number }
  | { readonly kind: 'publish'; readonly rq: number; readonly envelopes: readonly Envelope[] }
  | { readonly kind: 'ack'; readonly ack: Uint8Array; readonly sig: Uint8Array }
  | {
      readonly kind: 'credit'
      readonly sub: number
      readonly frames: number
      readonly bytes: number
    }
  | { readonly kind: 'dir-want'; readonly rq: number; readonly from: number }
  | { readonly kind: 'ping'; readonly t: number }
  | { readonly kind: 'pong'; readonly t: number }
  | {
      readonly kind: 'fetch-chain'
      readonly rq: number
      readonly chain: Uint8Array
      readonly inc: number
      /** First and last `seq` wanted, both inclusive. */
      readonly from: number
      readonly to: number
      readonly fluPaths: boolean
    }
  | {
      readonly kind: 'fetch-core'
      readonly rq: number
      readonly cores: readonly Uint8Array[]
      readonly fluPaths: boolean
    }
  | { readonly kind: 'admin'; readonly request: Uint8Array; readonly sig: Uint8Array }
  | { readonly kind: 'append'; readonly rq: number; readonly entry: Uint8Array }
  | {
      readonly kind: 'blob-put'
      readonly rq: number
      readonly blobs: readonly (readonly [BlobKind, Uint8Array])[]
    }
  | { readonly kind: 'blob-get'; readonly rq: number; readonly hashes: readonly Uint8Array[] }

/** A run of directory entries with a signed checkpoint of the whole log. */
export interface DirectoryPage {
  /** Index of the first entry here. */
  readonly from: number
  /** Size of the relay's directory, which the checkpoint signs. */
  readonly size: number
  readonly entries: readonly Uint8Array[]
  /** A signed note; docs/protocol.md, section "Checkpoint". */
  readonly checkpoint: Uint8Array
}

/** Why a relay serves an envelope without its payload. */
export const stubReasons = { recalled: 1, expired: 2, trimmed: 3 } as const

/** One place of a topic as delivered to one device. `cursor` counts from 1. */
export type DeliverItem =
  | {
      readonly form: 'full'
      readonly cursor: number
      readonly ctx: Uint8Array
      readonly seal: Uint8Array
      readonly sig: Uint8Array
      readonly payload: Uint8Array
      readonly idx: number
      readonly slot: Uint8Array
      readonly path: Uint8Array
      /** Index and path of each FLU slot; empty unless asked for. */
      readonly flu: readonly (readonly [idx: number, path: Uint8Array])[]
    }
  | {
      readonly form: 'stub'
      readonly cursor: number
      readonly ctx: Uint8Array
      readonly seal: Uint8Array
      readonly sig: Uint8Array
      readonly reason: number
    }
  /** Places `cursor` to `to`, both inclusive, are not for this device. */
  | { readonly form: 'skip'; readonly cursor: number; readonly to: number }

/** One acknowledgement as stored by the relay. */
export interface AckItem {
  readonly index: number
  readonly ack: Uint8Array
  readonly sig: Uint8Array
}

/** Figures that an administrator may read. */
export interface RelayStatus {
  readonly t: number
  readonly dir: number
  readonly leaves: number
  readonly sessions: number
  readonly accepted: number
  readonly refused: number
}

/** What a relay may send. */
export type RelayFrame =
  | { readonly kind: 'challenge'; readonly challenge: Uint8Array; readonly sig: Uint8Array }
  | {
      readonly kind: 'ready'
      readonly sid: Uint8Array
      readonly t: number
      readonly dir: DirectoryPage
    }
  | {
      readonly kind: 'result'
      readonly rq: number
      readonly receipts: readonly Uint8Array[]
      /** One signature for all receipts of the frame. */
      readonly sig: Uint8Array
    }
  | { readonly kind: 'deliver'; readonly sub: number; readonly items: readonly DeliverItem[] }
  | { readonly kind: 'acks'; readonly sub: number; readonly items: readonly AckItem[] }
  | { readonly kind: 'dir'; readonly rq: number; readonly page: DirectoryPage }
  | {
      readonly kind: 'error'
      /** Number of the code in the table of errors. */
      readonly code: number
      /** Request that failed, or 0. */
      readonly rq: number
      readonly text: string
      /** When to try again, ms; 0 when there is no advice. */
      readonly retryAfterMs: number
    }
  | { readonly kind: 'ping'; readonly t: number }
  | { readonly kind: 'pong'; readonly t: number }
  | { readonly kind: 'fetched'; readonly rq: number; readonly items: readonly DeliverItem[] }
  | {
      readonly kind: 'admin-answer'
      readonly rq: number
      readonly status?: RelayStatus
      readonly leaves?: readonly Uint8Array[]
      readonly from?: number
      readonly size?: number
    }
  | {
      readonly kind: 'blobs'
      readonly rq: number
      readonly blobs: readonly (readonly [hash: Uint8Array, bytes: Uint8Array])[]
      readonly missing: readonly Uint8Array[]
    }
