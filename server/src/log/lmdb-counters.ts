import { cursorOfKey, topicKey } from './lmdb-keys.ts'
import type { LmdbStores } from './lmdb-stores.ts'

/** Highest numbers in use. */
export interface Counters {
  directory: number
  leaves: number
  readonly topics: Map<number, number>
  readonly acks: Map<number, number>
}

/** Finds the ends of all runs; everything on disk at opening is durable. */
export function readCounters({ directory, leaves, topics, acks }: LmdbStores): Counters {
  return {
    directory: lengthOf(directory),
    leaves: lengthOf(leaves),
    topics: runEnds(topics),
    acks: runEnds(acks),
  }
}

/** Number of entries of a table whose keys are 0, 1, 2 and so on. */
function lengthOf(db: LmdbStores['leaves']): number {
  for (const key of db.getKeys({ reverse: true, limit: 1 })) return key + 1
  // Walking backwards, LMDB's default end excludes key 0 itself.
  return db.doesExist(0) ? 1 : 0
}

/** Last number of each run, by jumping from the end of one run to the one before it. */
function runEnds(db: LmdbStores['topics'] | LmdbStores['acks']): Map<number, number> {
  const ends = new Map<number, number>()
  let below: Buffer | undefined
  for (;;) {
    const range = { reverse: true, limit: 1, ...(below === undefined ? {} : { start: below }) }
    const [key] = [...db.getKeys(range)]
    if (key === undefined) return ends
    const run = key.readUInt32BE(0)
    ends.set(run, cursorOfKey(key))
    // Cursors start at 1, so (run, 0) lies below the whole run.
    below = topicKey(run, 0)
  }
}
