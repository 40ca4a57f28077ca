/** Bytes on the wire, counted on encoded frames. */
import {
  type Envelope,
  encodeClientFrame,
  encodeRelayFrame,
  inclusionPath,
  joinHashes,
  slotLeaves,
  slotsOf,
} from '@liaison/protocol'
import { newEpochKey, sealEnvelope } from '@liaison/seal'
import { reportBody, sealInput } from './seal.ts'
import { type BenchOptions, type Row, rowOf } from './support/row.ts'

/** Payload of the measured report: 736 padded bytes and the tag. */
const payloadBytes = 752

/** What a publish frame of one envelope may take at most, bytes. */
const publishTargets: readonly (readonly [n: number, bytes: number])[] = [
  [1, 2400],
  [10, 12_910],
  [30, 36_270],
  [100, 118_040],
]

/** What a deliver frame of one item at 100 recipients may take at most, bytes. */
const deliverTarget = 2640

function sealedFor(n: number): Envelope {
  const keys = Array.from({ length: n }, newEpochKey)
  const sealed = sealEnvelope({ ...sealInput(keys), body: reportBody() })
  if (!sealed.ok) throw new Error(sealed.error)
  const { envelope } = sealed.value
  if (envelope.payload.length !== payloadBytes) {
    throw new Error(`the payload has ${envelope.payload.length} bytes, not ${payloadBytes}`)
  }
  return envelope
}

const counted = (name: string, bytes: number, target: number, note: string): Row =>
  rowOf(name, 'bytes', [bytes], { limit: { name: 'target, at most', value: target }, note })

function deliverBytes(envelope: Envelope, idx: number): number {
  const slots = slotsOf(envelope.slots) ?? []
  const path = joinHashes(inclusionPath(slotLeaves(slots), idx))
  const { ctx, seal, sig, payload } = envelope
  const slot = slots[idx] ?? new Uint8Array()
  const item = { form: 'full', cursor: 4321, ctx, seal, sig, payload, idx, slot, path, flu: [] }
  return encodeRelayFrame({ kind: 'deliver', sub: 1, items: [{ ...item, form: 'full' }] }).length
}

/** Rows `bytes.publish.*` and `bytes.deliver`. */
export function bytesRows(options: BenchOptions): Row[] {
  const rows: Row[] = []
  const wanted = publishTargets.filter(([n]) => options.wants(`bytes.publish.${n}`))
  for (const [n, target] of wanted) {
    const frame = encodeClientFrame({ kind: 'publish', rq: 1, envelopes: [sealedFor(n)] })
    const note = 'whole publish frame with one envelope, payload 752 bytes'
    rows.push(counted(`bytes.publish.${n}`, frame.length, target, note))
  }
  if (options.wants('bytes.deliver')) {
    const envelope = sealedFor(100)
    // Of 100 leaves the first 64 stand deepest (seven siblings), the last four highest.
    const longest = deliverBytes(envelope, 0)
    const last = deliverBytes(envelope, 99)
    const note = 'whole deliver frame with one item of 100 recipients, without FLU paths'
    rows.push(counted('bytes.deliver', longest, deliverTarget, `${note}; longest path`))
    rows.push(counted('bytes.deliver.last', last, deliverTarget, `${note}; last leaf`))
  }
  return rows
}
