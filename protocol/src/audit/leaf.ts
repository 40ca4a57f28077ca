import { leaf as checkLeaf } from '@liaison/schemas/wire'
import { type CborMap, type CborValue, encodeCbor } from '../cbor.ts'
import { headLength, major, writeHead } from '../cbor-head.ts'
import { type DecodeCode, decodeAs } from '../decode.ts'
import type { Result } from '../result.ts'

/** What an audit leaf records. */
export type LeafEvent =
  | 'accept'
  | 'reject'
  | 'ack'
  | 'session'
  | 'enrol-seen'
  | 'suspend-enforced'
  | 'cert'
  | 'admin-read'
  | 'policy'
  | 'directory'
  | 'trim'
  | 'violation'
  | 'fault'
  | 'deliver'

/** One decision of the relay; nothing in it is secret, members appear as device numbers only. */
export interface Leaf {
  readonly v: 1
  readonly t: number
  readonly e: LeafEvent
  /** Device, or administrator, that caused it. */
  readonly by?: number
  readonly adm?: number
  /** Core hash, or SHA-256 of the refused or stored bytes. */
  readonly obj?: Uint8Array
  /** Error code of a refusal. */
  readonly rc?: number
  readonly top?: number
  readonly cur?: number
  /** How many events this leaf stands for, when refusals are only counted. */
  readonly n?: number
  /** Directory operation. */
  readonly op?: string
}

/** The one encoding of a leaf. */
export const encodeLeaf = (leaf: Leaf): Uint8Array => encodeCbor(leaf as unknown as CborMap)

/**
 * The encoding of a leaf in two pieces with the value of `cur` left out between them, for a store that
 * gives the cursor in the very step that appends: piece, CBOR unsigned integer, piece.
 *
 * Keys are sorted by their bytes, so one-letter and two-letter keys and `adm` stand before `cur`.
 */
export function encodeLeafAround(leaf: Omit<Leaf, 'cur'>): readonly [Uint8Array, Uint8Array] {
  const before: Record<string, CborValue> = {}
  const after: Record<string, CborValue> = {}
  for (const [key, value] of Object.entries(leaf) as [string, CborValue][]) {
    const isBefore = key.length < 3 || (key.length === 3 && key < 'cur')
    if (isBefore) before[key] = value
    else after[key] = value
  }
  const pairs = Object.keys(leaf).length + 1
  const key = encodeCbor('cur')
  const head = encodeCbor(before).subarray(1)
  const piece = new Uint8Array(1 + head.length + key.length)
  writeHead(piece, 0, major.map, pairs)
  piece.set(head, 1)
  piece.set(key, 1 + head.length)
  return [piece, encodeCbor(after).slice(1)]
}

/** The whole leaf from its two pieces and its cursor. */
export function joinLeafAround(
  [head, tail]: readonly [Uint8Array, Uint8Array],
  cursor: number,
): Uint8Array {
  const out = new Uint8Array(head.length + headLength(cursor) + tail.length)
  out.set(head)
  out.set(tail, writeHead(out, head.length, major.uint, cursor))
  return out
}

/** Strict decoding of a leaf. */
export const decodeLeaf = (bytes: Uint8Array): Result<Leaf, DecodeCode> =>
  decodeAs<Leaf>(bytes, checkLeaf)
