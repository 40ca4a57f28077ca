import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { apiSnapshot, snapshotPath } from '../../../scripts/api-snapshot.ts'
import { root } from '../../architecture/sources.ts'

t.test('what the SDK exports is what was written down', async (t) => {
  const [now, kept] = await Promise.all([apiSnapshot(), readFile(join(root, snapshotPath), 'utf8')])
  const lines = (text: string): readonly string[] => text.split('\n')
  t.same(
    lines(now).filter((line) => !lines(kept).includes(line)),
    [],
    'nothing is new: npm run generate writes it down',
  )
  t.same(
    lines(kept).filter((line) => !lines(now).includes(line)),
    [],
    'nothing is gone',
  )
  t.equal(now, kept)
  t.match(now, /^class Session implements AsyncDisposable \{.* history\(query\?: HistoryQuery\)/m)
  t.match(now, /^function connect\(options: ConnectOptions\): Promise<Session>$/m)
})
