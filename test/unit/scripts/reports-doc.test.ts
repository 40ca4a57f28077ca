import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { reportNames } from '@liaison/schemas/reports'
import t from 'tap'
import { problemGroups } from '../../../schemas/src/problem.ts'
import { checkWordings, typeWordings } from '../../../schemas/tools/wordings.ts'
import { reportsDocument } from '../../../scripts/reports-doc.ts'

const root = fileURLToPath(new URL('../../../schemas', import.meta.url))
const page = new URL('../../../docs/reports.md', import.meta.url)

t.test('docs/reports.md says what the schemas say', async (t) => {
  const text = await readFile(page, 'utf8')
  t.ok((await reportsDocument(text, root)) === text, 'run npm run generate')
  for (const name of reportNames) {
    t.match(text, `\n## ${name}\n`)
    t.match(text, `](#${name}) |`, `${name} is in the table of the first page`)
  }
  for (const code of problemGroups.check) t.match(text, `\n| \`${code}\` |`)
})

t.test('every type and every check is worded, and nothing else', (t) => {
  t.same(Object.keys(typeWordings).sort(), [...reportNames].sort())
  t.same(Object.keys(checkWordings).sort(), [...problemGroups.check].sort())
  t.end()
})

t.test('a page without the mark is refused', async (t) => {
  await t.rejects(reportsDocument('# Reports\n', root), /lacks the line/)
})
