import { type ErrorCode, isErrorCode } from '@liaison/protocol'
import { type CborMap, decodeCbor, encodeCbor } from '@liaison/protocol/internal'

/** What every kept item has. */
interface RowBase {
  readonly topic: number
  /** Place in the topic; 0 for a gap, which has none. */
  readonly cursor: number
  /** When this device took it in, ms. */
  readonly t: number
}

/** What is known about the sender of an item whose signature verified. */
export interface RowSender {
  readonly dev: number
  readonly mem: number
}

/**
 * Whether a notice of a violation shows the fault that it names; `unchecked` when the envelope that it
 * is about could not be had.
 */
export type NoticeProof = 'proved' | 'not-proved' | 'unchecked'

/** A report or control message that was opened and is valid. */
export interface ReportRow extends RowBase {
  readonly kind: 'report'
  readonly core: Uint8Array
  readonly from: RowSender
  /** UTF-8 JSON as it was sealed. */
  readonly body: Uint8Array
  /** Published schema, such as `spotrep`; empty when this release does not know it. */
  readonly schema: string
  /** When it was sealed, by the sender's clock, ms. */
  readonly sealedAt: number
  /** Handling code, 0..4. */
  readonly hc: number
  /** The sender was suspended before this device took it in. */
  readonly senderSuspended: boolean
  /** The sender began its chain anew with this item. */
  readonly chainRestarted: boolean
  /** Another content was received under the same report id of the same member. */
  readonly conflict: boolean
  /** Of a notice of a violation; null of everything else. */
  readonly proof: NoticeProof | null
}

/** An item that could not be opened or broke a rule; its content is withheld. */
export interface UndecryptableRow extends RowBase {
  readonly kind: 'undecryptable'
  readonly code: ErrorCode
  readonly core: Uint8Array | null
  readonly from: RowSender | null
}

/** Items of a sender that are missing, after the relay was asked for them. */
export interface GapRow extends RowBase {
  readonly kind: 'gap'
  readonly dev: number
  /** First and last missing place of the sender's chain. */
  readonly from: number
  readonly to: number
}

/** One thing that reached this device. */
export type InboxRow = ReportRow | UndecryptableRow | GapRow

/** Bits of what is known about a notice. */
const proofFlags: Readonly<Record<NoticeProof, number>> = {
  proved: 8,
  'not-proved': 16,
  unchecked: 32,
}

const proofOf = (flags: number): NoticeProof | null =>
  (Object.keys(proofFlags) as NoticeProof[]).find((name) => (flags & proofFlags[name]) !== 0) ??
  null

/** Encodes a row for the store. */
export function encodeRow(row: InboxRow): Uint8Array {
  const base = { k: row.kind, top: row.topic, cur: row.cursor, t: row.t }
  switch (row.kind) {
    case 'report':
      return encodeCbor({
        ...base,
        core: row.core,
        from: [row.from.dev, row.from.mem],
        body: row.body,
        sch: row.schema,
        at: row.sealedAt,
        hc: row.hc,
        flags:
          (row.senderSuspended ? 1 : 0) |
          (row.chainRestarted ? 2 : 0) |
          (row.conflict ? 4 : 0) |
          (row.proof === null ? 0 : proofFlags[row.proof]),
      })
    case 'undecryptable': {
      const map: { [key: string]: CborMap[string] } = { ...base, code: row.code }
      if (row.core !== null) map['core'] = row.core
      if (row.from !== null) map['from'] = [row.from.dev, row.from.mem]
      return encodeCbor(map)
    }
    case 'gap':
      return encodeCbor({ ...base, dev: row.dev, a: row.from, b: row.to })
  }
}

interface StoredRow {
  readonly k: InboxRow['kind']
  readonly top: number
  readonly cur: number
  readonly t: number
  readonly core?: Uint8Array
  readonly from?: readonly [number, number]
  readonly body?: Uint8Array
  readonly sch?: string
  readonly at?: number
  readonly hc?: number
  readonly flags?: number
  readonly code?: string
  readonly dev?: number
  readonly a?: number
  readonly b?: number
}

/** Reads a row that this release wrote. */
export function decodeRow(bytes: Uint8Array): InboxRow {
  const decoded = decodeCbor(bytes)
  if (!decoded.ok) throw new Error('a stored row does not decode')
  const s = decoded.value as unknown as StoredRow
  const base = { topic: s.top, cursor: s.cur, t: s.t }
  const from = s.from === undefined ? null : { dev: s.from[0], mem: s.from[1] }
  if (s.k === 'gap') return { kind: 'gap', ...base, dev: s.dev ?? 0, from: s.a ?? 0, to: s.b ?? 0 }
  if (s.k === 'undecryptable') {
    const code = s.code !== undefined && isErrorCode(s.code) ? s.code : 'internal'
    return { kind: 'undecryptable', ...base, code, core: s.core ?? null, from }
  }
  const flags = s.flags ?? 0
  return {
    kind: 'report',
    ...base,
    core: s.core ?? new Uint8Array(),
    from: from ?? { dev: 0, mem: 0 },
    body: s.body ?? new Uint8Array(),
    schema: s.sch ?? '',
    sealedAt: s.at ?? 0,
    hc: s.hc ?? 0,
    senderSuspended: (flags & 1) !== 0,
    chainRestarted: (flags & 2) !== 0,
    conflict: (flags & 4) !== 0,
    proof: proofOf(flags),
  }
}
