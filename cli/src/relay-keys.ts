import { randomBytes, signingKeyFromSeed, toBase64url } from '@liaison/protocol'

/** The keys of a new relay: the text of its key file, and what the plan of a network names. */
export interface RelayKeySet {
  /** Secret: the relay's key file. */
  readonly text: string
  readonly publicKeys: {
    readonly relay: Uint8Array
    readonly dirLog: Uint8Array
    readonly auditLog: Uint8Array
  }
}

/** Makes the keys of a relay. @param number Its number in the directory. */
export function newRelayKeys(number: number = 1): RelayKeySet {
  const seeds = { relay: randomBytes(32), dirLog: randomBytes(32), auditLog: randomBytes(32) }
  const publicOf = (seed: Uint8Array): Uint8Array => signingKeyFromSeed(seed).publicKey
  const file = {
    v: 1,
    number,
    relay: toBase64url(seeds.relay),
    dirLog: toBase64url(seeds.dirLog),
    auditLog: toBase64url(seeds.auditLog),
  }
  return {
    text: `${JSON.stringify(file, null, 2)}\n`,
    publicKeys: {
      relay: publicOf(seeds.relay),
      dirLog: publicOf(seeds.dirLog),
      auditLog: publicOf(seeds.auditLog),
    },
  }
}
