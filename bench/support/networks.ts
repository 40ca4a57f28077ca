import { systemClock } from '@liaison/protocol'
import { makeNetwork, type TestDevice, type TestNetwork } from '../../test/support/network.ts'
import type { RedisServer } from '../../test/support/redis-server.ts'
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
  /** Relays that the directory names. */
  readonly relays?: number
}): TestNetwork {
  const rights = { PUB: { pub: 1, read: 0 }, RDR: { pub: 0, read: 1 } } as const
  const network = makeNetwork({
    genesisT: systemClock() - hourMs,
    fluDevices: 1,
    relays: o.relays ?? 1,
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

/** What a measurement wants of its relay. */
export interface UnderTestOptions {
  /** Writes into the log before the relay starts; the argument is the data folder of the embedded one. */
  readonly fill?: (data: string) => Promise<void>
  /** Keeps the log there instead of in a folder; it is left running. */
  readonly redis?: RedisServer | undefined
  /** Number of the relay in the directory. */
  readonly number?: number
  /** The log in Redis holds the network already. */
  readonly keepData?: boolean
}

/** Starts a relay process for a network. */
export async function relayUnderTest(
  network: TestNetwork,
  options: UnderTestOptions = {},
): Promise<RelayUnderTest> {
  const { fill = async () => undefined, redis, number = 1, keepData = false } = options
  const folder: TempFolder = await tempFolder()
  try {
    const store = redis === undefined ? {} : { redis }
    const config = await prepareRelay(network, folder, { ...store, number, keepData })
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
