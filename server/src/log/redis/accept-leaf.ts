import { encodeLeafAround, type Leaf } from '@liaison/protocol'
import type { BarePlace } from './records.ts'

/** The audit leaf of an acceptance. */
export const acceptLeaf = (place: Omit<BarePlace, 'leafIndex'>): Leaf => ({
  ...leafWithoutCursor(place),
  cur: place.cursor,
})

const leafWithoutCursor = ({
  t,
  from,
  core,
  topic,
}: Pick<BarePlace, 't' | 'from' | 'core' | 'topic'>) =>
  ({ v: 1, t, e: 'accept', by: from, obj: core, top: topic }) as const

/** The same leaf around its cursor, which only the store knows. */
export const acceptLeafAround = (
  place: Pick<BarePlace, 't' | 'from' | 'core' | 'topic'>,
): readonly [Uint8Array, Uint8Array] => encodeLeafAround(leafWithoutCursor(place))
