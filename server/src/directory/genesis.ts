import { decodeEntry, type NetworkId, networkIdOf, RelayError } from '@liaison/protocol'

/** Name of the network that a genesis entry begins. @throws RelayError `network_file_malformed` */
export function networkIdOfGenesis(genesis: Uint8Array): NetworkId {
  const entry = decodeEntry(genesis)
  if (!entry.ok) throw new RelayError('network_file_malformed')
  return networkIdOf(entry.value.stmt)
}
