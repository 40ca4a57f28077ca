import {
  chainIdOf,
  decodeCore,
  type Envelope,
  encodeLeaf,
  equal,
  type Leaf,
  leafHash,
  type NetworkId,
  RelayError,
  slotLeaves,
  slotsMatch,
  slotsOf,
} from '@liaison/protocol'
import type { AcceptRequest, LeafPlace, RelayLog } from '../log/relay-log.ts'
import type { LogRecord } from './log-record.ts'

/** Records under way at once: enough to share a flush, few enough for the memory. */
const windowMax = 64

/** How much a replay put back. */
export interface Replayed {
  readonly leaves: number
  readonly directory: number
}

const damaged = (detail: string): RelayError => new RelayError('backup_damaged', { detail })

/**
 * Appends every record to an empty log, in order and through the log's own operations, so that chains,
 * idempotency and positions are what they were. Each must get the leaf that it had.
 *
 * @param log Must give writes that were begun one after the other to the store in that order.
 * @throws RelayError `file_exists` when the log is not empty; `backup_damaged`; `log_unavailable`, after
 *   which the log holds a part.
 */
export async function replayLog(
  log: RelayLog,
  net: NetworkId,
  records: AsyncIterable<LogRecord>,
): Promise<Replayed> {
  if (log.leafCount() > 0 || (await log.readDirectory(0, 1)).length > 0) {
    throw new RelayError('file_exists', { detail: 'The log is not empty.' })
  }
  let leaves = 0
  let directory = 0
  const pending = new Set<Promise<void>>()
  let failure: unknown = null
  for await (const record of records) {
    const done = put(log, net, record, directory).then((place) => {
      if (record.kind !== 'blob') checkPlace(record.leaf, place, at)
    })
    const at = leaves
    if (record.kind !== 'blob') leaves++
    if (record.kind === 'entry') directory++
    const tracked = done
      .catch((error: unknown) => {
        failure ??= error
      })
      .finally(() => pending.delete(tracked))
    pending.add(tracked)
    if (pending.size >= windowMax) await Promise.race(pending)
    if (failure !== null) break
  }
  await Promise.all(pending)
  if (failure !== null) throw failure
  return { leaves, directory }
}

function checkPlace(leaf: Leaf, place: LeafPlace | null, index: number): void {
  if (place?.index === index && equal(place.hash, leafHash(encodeLeaf(leaf)))) return
  throw damaged(`leaf ${index} is not the one that the backup has`)
}

async function put(
  log: RelayLog,
  net: NetworkId,
  record: LogRecord,
  directory: number,
): Promise<LeafPlace | null> {
  switch (record.kind) {
    case 'leaf':
      return log.appendLeaf(record.leaf)
    case 'entry':
      return log.appendDirectory(directory, record.entry, record.leaf)
    case 'ack':
      return log.appendAck(record.members, record.ack, record.sig, record.leaf)
    case 'blob':
      await log.putBlob(record.hash, record.bytes)
      return null
    case 'envelope': {
      const outcome = await log.accept(requestOf(net, record.envelope, record.leaf, directory))
      if (outcome.kind !== 'accepted') throw damaged(`an envelope was answered ${outcome.kind}`)
      return outcome.place.leaf
    }
  }
}

/** What the relay asked for when it accepted the envelope; all of it follows from the signed header. */
function requestOf(net: NetworkId, envelope: Envelope, leaf: Leaf, fence: number): AcceptRequest {
  const decoded = decodeCore(net, envelope.ctx, envelope.seal)
  const slots = slotsOf(envelope.slots)
  if (!decoded.ok || slots === null) throw damaged('an envelope cannot be read')
  const { ctx, seal, core } = decoded.value
  const leaves = slotLeaves(slots)
  if (slots.length > 0 && !slotsMatch(seal, leaves))
    throw damaged('slots are not those of the envelope')
  return {
    fence,
    core,
    from: ctx.from,
    topic: ctx.top,
    chain: chainIdOf(net, ctx),
    inc: ctx.inc ?? 0,
    seq: ctx.seq,
    prev: ctx.prev,
    id: ctx.id,
    t: leaf.t,
    envelope,
    slotLeaves: new Uint8Array(Buffer.concat(leaves)),
  }
}
