import type { TestNetwork } from './network.ts'
import { reportNetwork } from './sdk.ts'

/**
 * A network of the present time with several relays on this machine: told apart by their keys, not by
 * their address.
 */
export function localNetwork(relays: number): TestNetwork {
  const genesisT = Date.now() - 3_600_000
  const listed = reportNetwork({ relays, genesisT }).directory.policy().relays
  const local = listed.map((relay) => ({ ...relay, origin: '127.0.0.1' }))
  return reportNetwork({ relays, genesisT, genesis: { relays: local } })
}
