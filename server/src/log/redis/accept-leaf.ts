import { encodeLeafAround, joinLeafAround } from '@liaison/protocol'
import type { BarePlace } from './records.ts'

/** The audit leaf of an acceptance, in two pieces around the cursor that only the store knows. */
export const acceptLeafAround = ({
  t,
  from,
  core,
  topic,
}: Pick<BarePlace, 't' | 'from' | 'core' | 'topic'>): readonly [Uint8Array, Uint8Array] =>
  encodeLeafAround({ v: 1, t, e: 'accept', by: from, obj: core, top: topic })

/** Bytes of the whole leaf. */
export const acceptLeafBytes = (place: Omit<BarePlace, 'leafIndex'>): Uint8Array =>
  joinLeafAround(acceptLeafAround(place), place.cursor)
