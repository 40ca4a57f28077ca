import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openLmdbStore } from '@liaison/client-sdk/node'
import t from 'tap'
import { rejectsWithCode } from '../../../support/rejects-with-code.ts'
import { tempFolder } from '../../../support/temp-folder.ts'

t.test('a store has one user at a time', async (t) => {
  await using folder = await tempFolder()
  const store = await openLmdbStore(folder.path)
  await rejectsWithCode(t, openLmdbStore(folder.path), 'store_locked')
  await store[Symbol.asyncDispose]()
  await using again = await openLmdbStore(folder.path)
  t.equal(await again.get('state', 'nothing'), null)
})

t.test(
  'a lock of a killed process is taken over, also when a new one has its number',
  async (t) => {
    await using folder = await tempFolder()
    const lock = join(folder.path, 'lock')
    const gone = 4_194_305
    const first = await openLmdbStore(folder.path)
    // As after the start of a container, where every process has the number of the one before.
    const namesake = (await readFile(lock, 'utf8')).replace(/ \d+$/, ' 17')
    await first[Symbol.asyncDispose]()
    for (const left of [String(gone), `${gone} 17`, namesake, '', 'nonsense']) {
      await writeFile(lock, left)
      const store = await openLmdbStore(folder.path)
      t.match(await readFile(lock, 'utf8'), new RegExp(`^${process.pid}\\b`), `after "${left}"`)
      await rejectsWithCode(t, openLmdbStore(folder.path), 'store_locked')
      await store[Symbol.asyncDispose]()
    }
  },
)

t.test(
  'a lock without the start of its process holds while one with that number runs',
  async (t) => {
    await using folder = await tempFolder()
    await writeFile(join(folder.path, 'lock'), String(process.ppid))
    await rejectsWithCode(t, openLmdbStore(folder.path), 'store_locked')
  },
)
