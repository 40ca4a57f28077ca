import { openLmdbStore } from '@liaison/client-sdk/node'
import t from 'tap'
import { tempFolder } from '../support/temp-folder.ts'
import { clientStoreContract } from './client-store.ts'

for (const [what, run] of Object.entries(clientStoreContract)) {
  t.test(`the store in a folder ${what}`, async (t) => {
    await using folder = await tempFolder()
    await t.resolves(run(() => openLmdbStore(folder.path)))
  })
}
