import { coreHashOf, creditBytes, toHex } from '@liaison/protocol'
import type { RawClient } from '../../support/raw-client.ts'

/** Reads a topic from one cursor to another. @returns core hashes of what came, in order */
export async function coresFrom(
  client: RawClient,
  topic: number,
  from: number,
  to: number,
): Promise<string[]> {
  const cores: string[] = []
  if (from >= to) return cores
  client.subscribe(7, topic, from)
  for (let cursor = from; cursor < to; ) {
    const frame = await client.next('deliver')
    for (const item of frame.items) {
      if (item.form !== 'skip') {
        cores.push(toHex(coreHashOf(client.network.directory.net, item.ctx, item.seal)))
      }
      cursor = item.form === 'skip' ? item.to : item.cursor
    }
    const bytes = frame.items.reduce((sum, item) => sum + creditBytes(item), 0)
    client.send({ kind: 'credit', sub: 7, frames: 1, bytes })
  }
  return cores
}
