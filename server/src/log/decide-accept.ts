import { equal } from '@liaison/protocol'
import type { AcceptedPlace, AcceptOutcome, AcceptRequest, ChainHead } from './relay-log.ts'

/** What the log holds about the request's place, chain and id at the moment of the append. */
export interface AcceptState {
  readonly directorySize: number
  readonly atPlace: AcceptedPlace | null
  readonly head: ChainHead | null
  /** Core hash that used the random id before. */
  readonly coreOfId: Uint8Array | null
}

const isZero = (bytes: Uint8Array): boolean => bytes.every((b) => b === 0)

/**
 * Whether an envelope may be appended; null means yes. Idempotency comes before the fence, because a
 * repeated envelope must get its first answer whatever happened since.
 */
export function decideAccept(
  request: AcceptRequest,
  state: AcceptState,
): Exclude<AcceptOutcome, { kind: 'accepted' }> | null {
  const { atPlace, head, coreOfId } = state
  if (atPlace !== null) {
    return equal(atPlace.core, request.core)
      ? { kind: 'duplicate', place: atPlace }
      : { kind: 'refused', code: 'seq_reused' }
  }
  if (coreOfId !== null) return { kind: 'refused', code: 'id_reused' }
  if (state.directorySize !== request.fence) return { kind: 'fence', size: state.directorySize }
  return decideChain(request, head)
}

function decideChain(
  request: AcceptRequest,
  head: ChainHead | null,
): {
  kind: 'refused'
  code: 'seq_gap' | 'prev_mismatch' | 'incarnation_stale'
  head: ChainHead | null
} | null {
  const refuse = (code: 'seq_gap' | 'prev_mismatch' | 'incarnation_stale') =>
    ({ kind: 'refused', code, head }) as const
  if (head !== null && request.inc < head.inc) return refuse('incarnation_stale')
  if (head === null || request.inc > head.inc) {
    if (request.seq !== 0) return refuse('seq_gap')
    return isZero(request.prev) ? null : refuse('prev_mismatch')
  }
  if (request.seq !== head.seq + 1) return refuse('seq_gap')
  return equal(request.prev, head.core) ? null : refuse('prev_mismatch')
}
