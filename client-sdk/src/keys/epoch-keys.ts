import {
  type Directory,
  type EpochMs,
  encodeEntry,
  encodeStatement,
  limits,
  type SigningKey,
  signStatement,
  toHex,
  weekMs,
  weekOf,
} from '@liaison/protocol'
import { decodeCbor, encodeCbor } from '@liaison/protocol/internal'
import { type EpochKeyPair, newEpochKey } from '@liaison/seal'
import type { Change, ClientStore } from '../store/client-store.ts'

/** Weeks that a device keeps published ahead of the present one. */
const weeksAhead = limits.enrolWeeks - 1

/** A secret half as stored: the week it is for, and 32 bytes, or none once destroyed. */
interface StoredKey {
  readonly week: number
  readonly seed: Uint8Array
}

/** What the store says about one epoch key. */
export type SecretLookup =
  | { readonly kind: 'here'; readonly secretKey: Uint8Array }
  | { readonly kind: 'destroyed' }
  | { readonly kind: 'unknown' }

/** New keys and the statement that publishes them. */
export interface EpochRenewal {
  readonly entry: Uint8Array
  /** Public keys, to be stored at the relay before the entry. */
  readonly publicKeys: readonly Uint8Array[]
}

/** The secret halves of this device's weekly keys: made ahead, destroyed in time. */
export class EpochKeys {
  readonly #store: ClientStore

  constructor(store: ClientStore) {
    this.#store = store
  }

  /** What to write so that these pairs are kept. @param first Week of the first pair. */
  static changesFor(pairs: readonly EpochKeyPair[], first: number): Change[] {
    return pairs.map((pair, i) => ({
      table: 'epochs',
      key: toHex(pair.kid),
      value: encodeCbor([first + i, pair.secretKey]),
    }))
  }

  /** The secret half of one of this device's keys. */
  async secretFor(kid: Uint8Array): Promise<SecretLookup> {
    const bytes = await this.#store.get('epochs', toHex(kid))
    const stored = bytes === null ? null : readStored(bytes)
    if (stored === null) return { kind: 'unknown' }
    return stored.seed.length === 0
      ? { kind: 'destroyed' }
      : { kind: 'here', secretKey: stored.seed }
  }

  /**
   * Destroys what is due: keys of weeks that ended 14 days ago once the device has caught up, and at
   * the latest 56 days ago. @returns how many were destroyed.
   */
  async destroyDue(directory: Directory, now: EpochMs, caughtUp: boolean): Promise<number> {
    const keepMs = caughtUp ? limits.epochKeepMs : limits.epochKeepLateMs
    const changes: Change[] = []
    for (const [key, bytes] of await this.#store.list('epochs')) {
      const stored = readStored(bytes)
      if (stored === null || stored.seed.length === 0) continue
      const weekEnd = directory.genesisT + (stored.week + 1) * weekMs
      if (weekEnd + keepMs > now) continue
      changes.push({ table: 'epochs', key, value: encodeCbor([stored.week, new Uint8Array()]) })
    }
    if (changes.length > 0) await this.#store.commit(changes)
    return changes.length
  }

  /**
   * Makes keys for the weeks that are not yet published, or for all coming weeks when `replace` is
   * set, keeps the secret halves, and signs the entry. Null when nothing is missing.
   */
  async renew(
    directory: Directory,
    device: number,
    key: SigningKey,
    now: EpochMs,
    replace: boolean,
  ): Promise<EpochRenewal | null> {
    const present = weekOf(now, directory.genesisT)
    const covered = directory.device(device)?.lastWeek ?? present
    const first = replace ? present + 1 : Math.max(covered, present) + 1
    const count = present + weeksAhead - first + 1
    if (count <= 0) return null
    const pairs = Array.from({ length: count }, () => newEpochKey())
    // Kept before anything is published: a key that others use must never be lost by a crash.
    await this.#store.commit(EpochKeys.changesFor(pairs, first))
    const stmt = encodeStatement({
      op: 'epoch',
      body: { dev: device, wk: first, kids: pairs.map((p) => p.kid) },
      base: [directory.size, directory.root],
      t: now,
    })
    const entry = encodeEntry(stmt, [signStatement(directory.net, device, key, stmt)])
    return { entry, publicKeys: pairs.map((p) => p.publicKey) }
  }
}

function readStored(bytes: Uint8Array): StoredKey | null {
  const decoded = decodeCbor(bytes)
  if (!decoded.ok) return null
  const [week, seed] = decoded.value as unknown as readonly [number, Uint8Array]
  return { week, seed }
}

/** The nine pairs of an enrolment request. */
export const newEnrolmentKeys = (): EpochKeyPair[] =>
  Array.from({ length: limits.enrolWeeks }, () => newEpochKey())
