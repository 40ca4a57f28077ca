/**
 * What every store of a device must do. Runs under Node and in a browser, so it uses nothing of
 * either: each part throws when something is not as it must be.
 */
import type { ClientStore } from '@liaison/client-sdk'

/** Opens the same store again after it was closed. */
export type OpenStore = () => Promise<ClientStore>

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)

function mustBe(actual: unknown, expected: unknown, what: string): void {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)]
  if (a !== b) throw new Error(`${what}: ${a} instead of ${b}`)
}

/** Keys and first bytes, which say enough. */
async function rows(store: ClientStore, query: object = {}): Promise<string[]> {
  const found = await store.list('inbox', query)
  return found.map(([key, value]) => `${key}=${value[0]}`)
}

async function fill(store: ClientStore): Promise<void> {
  await store.commit(
    ['a/1', 'a/2', 'a/3', 'b/1', 'b/2'].map((key, i) => ({
      table: 'inbox',
      key,
      value: bytes(i),
    })),
  )
}

/** Parts of the contract by what they say. Each gets a store that is empty at first. */
export const clientStoreContract: Readonly<Record<string, (open: OpenStore) => Promise<void>>> = {
  'gives back what was committed, also after it was closed': async (open) => {
    const store = await open()
    mustBe(await store.get('state', 'x'), null, 'absent')
    const value = new Uint8Array(70_000).fill(7)
    await store.commit([{ table: 'state', key: 'x', value }])
    value.fill(0)
    mustBe((await store.get('state', 'x'))?.[69_999], 7, 'a copy is kept')
    mustBe(await store.get('drafts', 'x'), null, 'another table')
    await store[Symbol.asyncDispose]()
    await using again = await open()
    mustBe((await again.get('state', 'x'))?.length, 70_000, 'after closing')
    await again.commit([{ table: 'state', key: 'x', value: null }])
    mustBe(await again.get('state', 'x'), null, 'deleted')
  },

  'lists keys in their order, by prefix, after a key, with a limit, from either end': async (
    open,
  ) => {
    await using store = await open()
    await fill(store)
    mustBe(await rows(store), ['a/1=0', 'a/2=1', 'a/3=2', 'b/1=3', 'b/2=4'], 'all')
    mustBe(await rows(store, { prefix: 'a/' }), ['a/1=0', 'a/2=1', 'a/3=2'], 'prefix')
    mustBe(await rows(store, { prefix: 'c/' }), [], 'prefix of nothing')
    mustBe(await rows(store, { after: 'a/2' }), ['a/3=2', 'b/1=3', 'b/2=4'], 'after')
    mustBe(await rows(store, { after: 'a/25' }), ['a/3=2', 'b/1=3', 'b/2=4'], 'after no key')
    mustBe(await rows(store, { prefix: 'a/', after: 'a/1' }), ['a/2=1', 'a/3=2'], 'both')
    mustBe(await rows(store, { prefix: 'b/', after: 'a/3', limit: 1 }), ['b/1=3'], 'before it')
    mustBe(await rows(store, { prefix: 'a/', after: 'b/1' }), [], 'after the prefix')
    mustBe(await rows(store, { limit: 2 }), ['a/1=0', 'a/2=1'], 'limit')
    mustBe(await rows(store, { limit: 0 }), [], 'limit of nothing')
    mustBe(await rows(store, { reverse: true, limit: 2 }), ['b/2=4', 'b/1=3'], 'newest first')
    mustBe(
      await rows(store, { prefix: 'a/', after: 'a/1', reverse: true }),
      ['a/3=2', 'a/2=1'],
      'newest first down to a key',
    )
  },

  'commits many changes as one step, the last one of a key winning': async (open) => {
    await using store = await open()
    await fill(store)
    await store.commit([])
    await store.commit([
      { table: 'inbox', key: 'a/1', value: bytes(9) },
      { table: 'inbox', key: 'b/1', value: null },
      { table: 'state', key: 'cursor', value: bytes(5) },
      { table: 'inbox', key: 'a/1', value: bytes(10) },
    ])
    mustBe(await rows(store), ['a/1=10', 'a/2=1', 'a/3=2', 'b/2=4'], 'inbox')
    mustBe((await store.get('state', 'cursor'))?.[0], 5, 'state')
  },

  'keeps the order of commits that are under way together': async (open) => {
    await using store = await open()
    const all = Array.from({ length: 50 }, (_, i) =>
      store.commit([{ table: 'state', key: 'n', value: bytes(i) }]),
    )
    await Promise.all(all)
    mustBe((await store.get('state', 'n'))?.[0], 49, 'the last one')
  },

  'has one user at a time': async (open) => {
    const store = await open()
    let code = ''
    try {
      await (await open())[Symbol.asyncDispose]()
    } catch (error) {
      code = (error as { readonly code?: string }).code ?? String(error)
    }
    mustBe(code, 'store_locked', 'the second one')
    await store[Symbol.asyncDispose]()
    await (await open())[Symbol.asyncDispose]()
  },
}
