import { sodiumReady } from '@liaison/protocol'
import { EpochKeys } from '../keys/epoch-keys.ts'
import type { ClientStore } from '../store/client-store.ts'
import { Vault } from '../store/vault.ts'
import type { NewEnrolment } from './enrolment.ts'
import type { Identity } from './identity.ts'

/**
 * Keeps the secret halves of an enrolment's keys in the device's own store, encrypted. Resolves when
 * they would survive a power cut; only then may the request leave the machine.
 *
 * @throws RelayError `store_unavailable`.
 */
export async function keepEnrolment(
  store: ClientStore,
  identity: Identity,
  enrolment: NewEnrolment,
): Promise<void> {
  await sodiumReady()
  const vault = new Vault(store, identity.storageKey)
  await vault.commit(EpochKeys.changesFor(enrolment.pairs, enrolment.first))
}
