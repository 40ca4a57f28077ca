import { systemClock } from '@liaison/protocol'
import { makeNetwork, type TestDevice, type TestNetwork } from '../../test/support/network.ts'
import { prepareRelay } from '../../test/support/relay.ts'
import { type TempFolder, tempFolder } from '../../test/support/temp-folder.ts'
import { type Child, startRelayChild } from './children.ts'

const hourMs = 3600 * 1000

/** A relay process with the network it serves. */
export interface RelayUnderTest extends AsyncDisposable {
  readonly url: string
  readonly network: TestNetwork
  readonly child: Child
}

/** Topic of every measurement. */
export const benchTopic = 'bench'

/**
 * A network that began an hour ago, with publishers (which read nothing), readers of one topic and
 * one device of the unit, so that an audience has `readers + 1` devices.
 */
export function benchNetwork(o: {
  readonly publishers: number
  readonly readers: number
}): TestNetwork {
  const rights = { PUB: { pub: 1, read: 0 }, RDR: { pub: 0, read: 1 } } as const
  const network = makeNetwork({
    genesisT: systemClock() - hourMs,
    fluDevices: 1,
    members: [
      { code: 'PUB', devices: o.publishers },
      { code: 'RDR', devices: o.readers },
    ],
    topics: [{ name: benchTopic, grants: rights }],
  })
  const behind = systemClock() - network.now
  if (behind > 0) network.advance(behind)
  return network
}

/** The devices of one member, in the order of enrolment. */
export const devicesOf = (network: TestNetwork, code: string): TestDevice[] =>
  [...network.devices.values()].filter((device) => device.mem === network.member(code))

/** Starts a relay process for a network. @param fill Writes into the data folder before that. */
export async function relayUnderTest(
  network: TestNetwork,
  fill: (data: string) => Promise<void> = async () => undefined,
): Promise<RelayUnderTest> {
  const folder: TempFolder = await tempFolder()
  try {
    const config = await prepareRelay(network, folder)
    await fill(String(config['data']))
    const child = await startRelayChild(config)
    return {
      url: child.url,
      network,
      child,
      async [Symbol.asyncDispose]() {
        await child[Symbol.asyncDispose]()
        await folder[Symbol.asyncDispose]()
      },
    }
  } catch (error) {
    await folder[Symbol.asyncDispose]()
    throw error
  }
}
