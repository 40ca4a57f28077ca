/** The same functions on the example reports, as a device of the Liaison Unit would hold them. */
import { readdir, readFile } from 'node:fs/promises'
import { sha256, toHex, utf8 } from '@liaison/protocol'
import type { Report } from '@liaison/schemas'
import t from 'tap'
import {
  corroborationOf,
  openActions,
  type ThreadItem,
  threadOf,
} from '../../../../client-sdk/src/threads/index.ts'

const folder = new URL('../../../../examples/reports/', import.meta.url)
const files = (await readdir(folder)).filter((file) => file !== 'plan.json').sort()
const items = await Promise.all(
  files.map(async (file, index): Promise<ThreadItem> => {
    const report = JSON.parse(await readFile(new URL(file, folder), 'utf8')) as Report
    return {
      core: sha256(utf8(file)),
      from: { device: 1, member: report.meta.originator, label: undefined },
      schema: report.type,
      report,
      verified: true,
      receivedAt: index,
    }
  }),
)

const find = (slug: string): { readonly id: string; readonly core: string } => {
  const index = files.findIndex((file) => file.includes(slug))
  const item = items[index]
  if (item === undefined) throw new Error(`no example ${slug}`)
  return { id: item.report.meta.id, core: toHex(item.core) }
}
const at = (moment: string): { readonly now: number } => ({ now: Date.parse(moment) })

t.test('the situation reports on Mali supersede each other', (t) => {
  const thread = threadOf(items, find('un-mali-humanitario-31').id, at('2013-05-01T00:00:00Z'))
  t.same(
    thread?.entries.map(({ state }) => state),
    ['superseded', 'superseded', 'current'],
  )
  t.equal(thread?.root, find('un-mali-humanitaire-28').id)
  t.end()
})

t.test(
  'the first meeting of the focal points was due, is overdue, and is closed by its report',
  (t) => {
    const { id } = find('acsrt-point-focal-bamako-tenue')
    const closed = threadOf(items, id, at('2013-04-20T00:00:00Z'))
    t.match(closed?.recommendations, [
      { owner: 'ACSRT', due: '2013-04-17', state: 'closed', evidenceHeld: true, ignored: [] },
    ])
    const before = items.filter(({ report }) => report.meta.id !== id)
    const open = threadOf(before, find('auc-point-focal-bamako').id, at('2013-04-18T12:00:00Z'))
    t.match(open?.recommendations, [{ state: 'open', deadline: 'overdue' }])
    t.end()
  },
)

t.test('who answered the Commission on border measures, and who has not', (t) => {
  const thread = threadOf(items, find('auc-mesures-frontieres').id, {
    ...at('2013-04-01T00:00:00Z'),
    asked: ['DZ', 'SN', 'MR', 'NE'],
  })
  const [view] = thread?.questionnaires ?? []
  t.equal(view?.deadline, 'overdue')
  t.same(
    view?.responses.map(({ member, problems, late }) => [member, problems, late]),
    [
      ['SN', [], false],
      ['DZ', [], false],
    ],
  )
  t.same(view?.outstanding, ['MR', 'NE'])
  t.end()
})

t.test('the request of the Commission was answered by Mauritania', (t) => {
  const thread = threadOf(
    items,
    find('rfi-auc-border-measures-request').id,
    at('2013-04-01T00:00:00Z'),
  )
  t.match(thread?.questions, [{ asker: 'AUC', state: 'answered', responses: [{ member: 'MR' }] }])
  t.end()
})

t.test('the conclusions of Nouakchott are actions with owners', (t) => {
  const actions = openActions(items, { ...at('2013-04-01T00:00:00Z'), owner: 'ACSRT' })
  t.ok(actions.length > 0)
  t.ok(actions.every(({ owner }) => owner === 'ACSRT'))
  t.ok(
    actions.some(({ kind }) => kind === 'meeting-action'),
    'of the meeting',
  )
  t.end()
})

t.test('a summary of three reports is no further source', (t) => {
  const found = corroborationOf(items, find('flu-nord-mali-fin-2013').id)
  t.match(found, { sources: 1, circular: [], missing: [] })
  t.end()
})
