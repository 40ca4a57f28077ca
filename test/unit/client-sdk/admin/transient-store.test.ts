import t from 'tap'
import { TransientStore } from '../../../../client-sdk/src/admin/transient-store.ts'

t.test('rows are listed, narrowed and deleted as in a durable store', async (t) => {
  await using store = new TransientStore()
  const value = new Uint8Array([1])
  await store.commit(['b1', 'a2', 'a1', 'a3'].map((key) => ({ table: 'state', key, value })))
  const keys = async (query?: Parameters<TransientStore['list']>[1]): Promise<string[]> =>
    (await store.list('state', query)).map(([key]) => key)
  t.strictSame(await keys(), ['a1', 'a2', 'a3', 'b1'])
  t.strictSame(await keys({ prefix: 'a', after: 'a1' }), ['a2', 'a3'])
  t.strictSame(await keys({ reverse: true, limit: 2 }), ['b1', 'a3'])
  t.strictSame(await store.list('inbox'), [])
  t.strictSame(await store.get('state', 'a1'), value)
  await store.commit([{ table: 'state', key: 'a1', value: null }])
  t.equal(await store.get('state', 'a1'), null)
  t.equal(await store.get('inbox', 'a1'), null)
})
