import { type EpochMs, sodiumReady, weekMs } from '@liaison/protocol'
import type { Identity } from '../identity/identity.ts'
import { decodeItem, encodeItem } from '../outbox/outbox-item.ts'
import { OwnChains } from '../outbox/own-chains.ts'
import type { Change, ClientStore } from '../store/client-store.ts'
import { Vault } from '../store/vault.ts'

/** What was found in a restored store. */
export interface Restored {
  /** Ids of reports that waited to be sent and now wait for a person. */
  readonly held: readonly string[]
  /** Reports that were on their way, with an outcome not known: the same bytes are sent again. */
  readonly repeated: number
}

/**
 * Makes a store that came from a backup safe to go on from, before anything connects with it. What
 * happened after the backup is unknown, therefore
 *
 * - every chain of this device begins anew: no place of a chain is ever signed twice;
 * - a report that waited is not sent by itself: since the backup it may have been sent or taken back.
 *
 * @param store The restored store, not yet used by a session.
 * @param genesisT When the network began, ms: weeks are counted from there.
 */
export async function settleRestored(
  store: ClientStore,
  identity: Identity,
  genesisT: EpochMs,
  now: EpochMs,
): Promise<Restored> {
  await sodiumReady()
  const vault = new Vault(store, identity.storageKey)
  const changes: Change[] = [await OwnChains.beginAnew(vault, incarnationAt(genesisT, now))]
  const held: string[] = []
  let repeated = 0
  for (const [key, bytes] of await vault.list('outbox')) {
    const item = decodeItem(bytes)
    if (item.state === 'sealed') repeated++
    if (item.state !== 'queued') continue
    held.push(item.id)
    const value = encodeItem({ ...item, state: 'refused', code: 'outcome_forgotten' })
    changes.push({ table: 'outbox', key, value })
  }
  await vault.commit(changes)
  return { held, repeated }
}

/**
 * Incarnations count up from a thousand times the week. A restart that the relay asks for takes the
 * first numbers of a week; a restored device counts by ten minutes, so that the same backup restored
 * twice does not begin at the same place.
 */
function incarnationAt(genesisT: EpochMs, now: EpochMs): number {
  return Math.floor((Math.max(0, now - genesisT) / weekMs) * 1000)
}
