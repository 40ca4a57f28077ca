import {
  type Ack,
  decodeAck,
  epochMs,
  type NetworkId,
  sha256,
  signingKeyFromSeed,
  sodiumReady,
  toHex,
  utf8,
} from '@liaison/protocol'
import t from 'tap'
import { TransientStore } from '../../../../client-sdk/src/admin/transient-store.ts'
import { AckQueue } from '../../../../client-sdk/src/inbox/ack-queue.ts'
import type { Link } from '../../../../client-sdk/src/session/link.ts'
import { Batch } from '../../../../client-sdk/src/store/batch.ts'

await sodiumReady()

const net = sha256(utf8('net')) as NetworkId
const key = signingKeyFromSeed(sha256(utf8('key')))

/** The part of a link that acknowledgements use: a relay that refuses whatever names a core. */
function refusing(core: Uint8Array): { readonly link: Link; readonly taken: string[] } {
  const taken: string[] = []
  let ackRefusals = 0
  const link = {
    get ackRefusals() {
      return ackRefusals
    },
    send({ ack }: { readonly ack: Uint8Array }) {
      const decoded = decodeAck(ack)
      if (!decoded.ok) throw new Error(decoded.error)
      const { ok = [] }: Ack = decoded.value
      const names = ok.map(toHex)
      if (names.includes(toHex(core))) ackRefusals++
      else taken.push(...names)
    },
    barrier: () => Promise.resolve(),
  }
  return { link: link as unknown as Link, taken }
}

t.test('one word that is refused does not take the others with it', async (t) => {
  const store = new TransientStore()
  const queue = new AckQueue(store, { net, device: 3, key }, () => epochMs(1))
  const cores = Array.from({ length: 5 }, (_, i) => sha256(utf8(`core ${i}`)))
  for (const core of cores) {
    const batch = new Batch(store)
    await queue.add(batch, core, { kind: 'ok' })
    await batch.commit()
  }
  const { link, taken } = refusing(cores[2] as Uint8Array)
  await queue.flush(link)
  t.same(
    taken,
    cores.filter((_, i) => i !== 2).map((core) => toHex(core)),
  )
  t.same(await store.list('acks'), [], 'and it is not said again for ever')
})
