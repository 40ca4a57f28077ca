import { sha256, sodiumReady, utf8 } from '@liaison/protocol'
import t from 'tap'
import { TransientStore } from '../../../../client-sdk/src/admin/transient-store.ts'
import { AckQueue } from '../../../../client-sdk/src/inbox/ack-queue.ts'
import { Batch } from '../../../../client-sdk/src/store/batch.ts'
import { makeNetwork } from '../../../support/network.ts'

await sodiumReady()

t.test('words that are added at the same time do not take each other’s place', async (t) => {
  const network = makeNetwork()
  const device = network.deviceOf('ML')
  const sign = { net: network.directory.net, device: device.num, key: device.key }
  await using store = new TransientStore()
  const queue = new AckQueue(store, sign, () => network.now)
  await Promise.all(
    ['one', 'two', 'three'].map(async (name) => {
      const batch = new Batch(store)
      await queue.add(batch, sha256(utf8(name)), { kind: 'read' })
      await batch.commit()
    }),
  )
  t.equal((await store.list('acks')).length, 3)
})
