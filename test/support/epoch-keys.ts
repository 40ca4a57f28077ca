import { type EpochMs, weekOf } from '@liaison/protocol'
import { type EpochKeyPair, epochKeyFromSeed, type SealRecipient } from '@liaison/seal'
import {
  makeNetwork,
  type NetworkOptions,
  seededBytes,
  type TestDevice,
  type TestNetwork,
} from './network.ts'

const pairs = new Map<string, EpochKeyPair>()

/** The X-Wing key pair of a device for one week; depends on the three texts only. */
export function epochPair(seed: string, label: string, week: number): EpochKeyPair {
  const name = `${seed} ${label} ${week}`
  const known = pairs.get(name)
  if (known !== undefined) return known
  const pair = epochKeyFromSeed(seededBytes(`epoch ${name}`, 32))
  pairs.set(name, pair)
  return pair
}

/** A test network whose devices have real X-Wing keys, so that reports can be sealed and opened. */
export function makeSealingNetwork(options: NetworkOptions = {}): TestNetwork {
  const seed = options.seed ?? 'liaison test network'
  return makeNetwork({
    epochKey: (label, week) => epochPair(seed, label, week).publicKey,
    ...options,
  })
}

/** The pair of a device for the week that contains `t`. */
export const pairOf = (network: TestNetwork, device: TestDevice, t: EpochMs): EpochKeyPair =>
  epochPair(network.seed, device.label, weekOf(t, network.directory.genesisT))

/** Recipients as {@link sealEnvelope} wants them, by device number. */
export function recipientsOf(
  network: TestNetwork,
  devices: readonly { readonly dev: number; readonly kid: Uint8Array }[],
  t: EpochMs,
): SealRecipient[] {
  return devices.map(({ dev, kid }) => {
    const device = network.devices.get(dev)
    if (device === undefined) throw new Error(`no device ${dev}`)
    return { kid, publicKey: pairOf(network, device, t).publicKey }
  })
}
