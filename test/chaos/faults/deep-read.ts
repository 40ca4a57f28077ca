import { createHash } from 'node:crypto'
import { chainIdOf, decodeCtx, kidOf, RelayError } from '@liaison/protocol'
import { openRedisLog, type RelayLog } from '@liaison/server'
import type { World } from '../world/world.ts'

/** What reading everything through the relay's own log gives. */
export type DeepRead =
  | { readonly kind: 'read'; readonly digest: string }
  /** It was noticed, with its name. */
  | { readonly kind: 'named'; readonly detail: string }

/** Reads every record that a relay ever reads. */
export async function deepRead(world: World): Promise<DeepRead> {
  const hash = createHash('sha256')
  const take = (value: unknown): void => {
    hash.update(
      JSON.stringify(value, (_key, one: unknown) =>
        one instanceof Uint8Array ? Buffer.from(one).toString('base64') : one,
      ) ?? 'none',
    )
  }
  try {
    const net = world.network.directory.net
    await using log = await openRedisLog({ redis: world.store.primary(), net })
    await readAll(log, world, take)
    return { kind: 'read', digest: hash.digest('hex') }
  } catch (error) {
    if (!(error instanceof RelayError) || !isNamed(error.code)) throw error
    return { kind: 'named', detail: `${error.code} ${error.message}` }
  }
}

const isNamed = (code: string): boolean =>
  code === 'log_corrupt' || code === 'store_mismatch' || code === 'config_invalid'

async function readAll(log: RelayLog, world: World, take: (value: unknown) => void): Promise<void> {
  const { network, topic } = world
  take(await log.readDirectory(0, 10_000))
  const leaves = log.leafCount()
  take(leaves)
  for (let from = 0; from < leaves; from += 2_000) take(await log.readLeaves(from, from + 2_000))
  for (let after = 0; after < log.topicHead(topic); after += 64) {
    const page = await log.readTopic(topic, after, 64)
    take(page)
    take(await Promise.all(page.map(({ cursor }) => log.readSlots(topic, cursor))))
    const finds = page.map(async ({ ctx }) => {
      const decoded = decodeCtx(ctx)
      if (!decoded.ok) return null
      const chain = chainIdOf(network.directory.net, decoded.value)
      return log.find(chain, decoded.value.inc ?? 0, decoded.value.seq)
    })
    take(await Promise.all(finds))
  }
  for (const device of network.devices.values()) {
    for (const key of device.epochKeys.values()) take(await log.getBlob(kidOf(key)))
  }
  for (const { mem } of network.devices.values()) take(await log.readAcks(mem, 0, 10_000))
}
