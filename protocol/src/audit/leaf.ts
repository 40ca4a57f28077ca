import { leaf as checkLeaf } from '@liaison/schemas/wire'
import { type CborMap, encodeCbor } from '../cbor.ts'
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

/** Strict decoding of a leaf. */
export const decodeLeaf = (bytes: Uint8Array): Result<Leaf, DecodeCode> =>
  decodeAs<Leaf>(bytes, checkLeaf)
