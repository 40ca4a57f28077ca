import {
  type Clock,
  codeOfNumber,
  type Directory,
  decodeReceipt,
  type ErrorCode,
  equal,
  errorRow,
  type NetworkId,
  type Receipt,
  RelayError,
  receiptHash,
  toHex,
  verifyReceipts,
} from '@liaison/protocol'
import { clientLimits } from '../session/limits.ts'
import type { Change } from '../store/client-store.ts'
import type { OutboxItem, SealedBytes } from './outbox-item.ts'
import type { OwnChains } from './own-chains.ts'

/** After these the device restarts its chain: its own store no longer proves where it stands. */
const restartCodes: ReadonlySet<ErrorCode> = new Set([
  'seq_reused',
  'seq_gap',
  'prev_mismatch',
  'incarnation_stale',
])

/** Refusals of these bytes, not of the report: it is sealed again. */
const resealCodes: ReadonlySet<ErrorCode> = new Set(['id_reused', 'too_old', 'prev_rejected'])

/** What the relay answered about one item. */
interface Outcome {
  readonly item: OutboxItem
  readonly sealed: SealedBytes
  readonly receipt: Receipt
  /** Receipt with what proves it, as it is kept. */
  readonly kept: NonNullable<OutboxItem['receipt']>
  readonly code: ErrorCode | null
}

/** What follows from the answers to one frame. */
export interface Settlement {
  /** Items in their new states. */
  readonly items: readonly OutboxItem[]
  /** Written with them: where this device's chains stand now. */
  readonly changes: readonly Change[]
  /** Why sending should rest a while, or null. */
  readonly waitCode: ErrorCode | null
  /** Whether the directory must be fetched first. */
  readonly sync: boolean
}

/**
 * Takes the answer to a frame apart.
 *
 * @throws RelayError `receipt_invalid` when the relay has not signed it, or not for these items.
 */
export function outcomesOf(
  batch: readonly OutboxItem[],
  result: { readonly receipts: readonly Uint8Array[]; readonly sig: Uint8Array },
  net: NetworkId,
  relayKey: Uint8Array,
): readonly Outcome[] {
  const { receipts, sig } = result
  const hashes = receipts.map(receiptHash)
  if (hashes.length !== batch.length || !verifyReceipts(net, relayKey, hashes, sig)) {
    throw new RelayError('receipt_invalid')
  }
  return batch.map((item, i) => {
    const bytes = receipts[i] ?? new Uint8Array()
    const receipt = decodeReceipt(bytes)
    const { sealed } = item
    if (!receipt.ok || sealed === null || !equal(receipt.value.cid, sealed.core)) {
      throw new RelayError('receipt_invalid')
    }
    const code = receipt.value.rc === 0 ? null : codeOfNumber(receipt.value.rc)
    return { item, sealed, receipt: receipt.value, kept: { bytes, hashes, sig }, code }
  })
}

/** Decides what becomes of each item: it is with the relay, sealed again, or refused for good. */
export async function settle(
  outcomes: readonly Outcome[],
  deps: { readonly chains: OwnChains; readonly directory: Directory; readonly clock: Clock },
): Promise<Settlement> {
  const { chains, directory, clock } = deps
  const changes: Change[] = []
  const items: OutboxItem[] = []
  const restarted = new Set<string>()
  let waitCode: ErrorCode | null = null
  let sync = false
  for (const { item, sealed, receipt, kept, code } of outcomes) {
    if (code === null) {
      changes.push(chains.accepted(sealed.chain, sealed))
      items.push({
        ...item,
        sealed: withoutContent(sealed),
        state: 'with-relay',
        receipt: kept,
        code: null,
      })
      continue
    }
    const { retry } = errorRow(code)
    const chain = toHex(sealed.chain)
    if (restartCodes.has(code) && !restarted.has(chain)) {
      restarted.add(chain)
      changes.push(await chains.restart(sealed.chain, receipt.head?.[0] ?? 0, directory, clock()))
    }
    const ofBytes = restartCodes.has(code) || resealCodes.has(code)
    if (retry === 'sync') sync = true
    if (retry === 'later' && !ofBytes) waitCode = code
    const reseals = item.reseals + (code === 'prev_rejected' ? 0 : 1)
    if (reseals > clientLimits.resealsMax) waitCode = code
    items.push(
      ofBytes || retry !== 'never'
        ? { ...item, state: 'queued', sealed: null, reseals, code }
        : { ...item, state: 'refused', receipt: kept, code },
    )
  }
  return { items, changes, waitCode, sync }
}

/** What is kept of accepted bytes: header, seal and signature, which prove what was sent. */
const withoutContent = (sealed: SealedBytes): SealedBytes => ({
  ...sealed,
  envelope: { ...sealed.envelope, payload: new Uint8Array(), slots: new Uint8Array() },
})
