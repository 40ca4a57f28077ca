import { randomBytes, sodiumReady } from '@liaison/protocol'
import t from 'tap'
import type { OutboxItem } from '../../../../client-sdk/src/outbox/outbox-item.ts'
import { OutboxItems } from '../../../../client-sdk/src/outbox/outbox-items.ts'

await sodiumReady()

const none = new Uint8Array()

const item = (id: string, order: number, changes: Partial<OutboxItem> = {}): OutboxItem => ({
  id,
  order,
  state: 'queued',
  schema: 'spotrep',
  k: 1,
  topic: 1,
  hc: 1,
  pr: 0,
  to: null,
  ref: null,
  body: none,
  created: 0,
  reseals: 0,
  sealed: null,
  receipt: null,
  code: null,
  idempotencyKey: null,
  ...changes,
})

const sealedAs = (core: Uint8Array): OutboxItem['sealed'] => ({
  envelope: { ctx: none, seal: none, sig: none, payload: none, slots: none },
  core,
  chain: none,
  inc: 0,
  seq: 0,
})

t.test('an item is found by every name that it has now, and by none that it had', async (t) => {
  const items = new OutboxItems()
  const [first, second] = [randomBytes(32), randomBytes(32)]
  items.put(item('a', 1, { idempotencyKey: 'mine', state: 'sealed', sealed: sealedAs(first) }))
  t.equal(items.byCore(first)?.id, 'a')
  t.equal(items.byIdempotencyKey('mine')?.id, 'a')
  items.put(item('a', 1, { idempotencyKey: 'mine', state: 'sealed', sealed: sealedAs(second) }))
  t.equal(items.byCore(first), null, 'those bytes were refused')
  t.equal(items.byCore(second)?.id, 'a')
  items.delete('a')
  t.same(
    [items.get('a'), items.byCore(second), items.byIdempotencyKey('mine'), items.list()],
    [null, null, null, []],
  )
  t.equal(items.byIdempotencyKey(''), null)
})

t.test('the list is in the order of submission, whatever the order of the store', async (t) => {
  const items = new OutboxItems()
  for (const [id, order] of [
    ['x', 3],
    ['y', 1],
    ['z', 2],
  ] as const) {
    items.put(item(id, order))
  }
  items.put(item('y', 1, { state: 'with-relay' }))
  t.same(
    items.list().map(({ id }) => id),
    ['y', 'z', 'x'],
  )
})

t.test('a round of sending looks only at what is to be sent, or has no answer', async (t) => {
  const items = new OutboxItems()
  items.put(item('a', 1))
  items.put(item('b', 2, { state: 'sealed' }))
  for (const state of ['with-relay', 'received', 'read', 'refused'] as const) {
    items.put(item(state, 3, { state }))
  }
  const names = (): string[] => items.unsent().map(({ id }) => id)
  t.same(names(), ['a', 'b'])
  items.put(item('b', 2, { state: 'with-relay' }))
  t.same(names(), ['a'])
  items.put(item('refused', 3))
  t.same(names(), ['a', 'refused'], 'tried again')
  items.delete('a')
  t.same(names(), ['refused'])
})
