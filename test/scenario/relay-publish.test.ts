import { decodeLeaf, leafHash, toHex } from '@liaison/protocol'
import t from 'tap'
import { Composer } from '../support/composer.ts'
import { startScenario } from '../support/relay.ts'

t.test(
  'a published report gets a receipt that names its leaf, and reaches every recipient',
  async (t) => {
    await using relay = await startScenario()
    const { network } = relay
    const sender = network.deviceOf('BF')
    const reader = network.deviceOf('ML')
    const flu = network.deviceOf('FLU')
    const publisher = await relay.client(sender)
    const sealed = new Composer(network, sender).seal()
    const { receipts, codes } = await publisher.publish(sealed.envelope)
    t.same(codes, ['ok'])
    const [receipt] = receipts
    t.equal(toHex(receipt?.cid ?? new Uint8Array()), toHex(sealed.core))
    t.equal(receipt?.cur, 1)
    const log = relay.running.relay.source.log
    const [leaf] = await log.readLeaves(receipt?.ix ?? 0, (receipt?.ix ?? 0) + 1)
    t.equal(toHex(leafHash(leaf as Uint8Array)), toHex(receipt?.lh as Uint8Array))
    t.match(decodeLeaf(leaf as Uint8Array), { ok: true, value: { e: 'accept', by: sender.num } })
    for (const device of [reader, flu]) {
      const client = await relay.client(device)
      client.subscribe(1, network.topic('terrorism'))
      const { items } = await client.next('deliver')
      t.match(items, [{ form: 'full', cursor: 1 }])
    }
  },
)
