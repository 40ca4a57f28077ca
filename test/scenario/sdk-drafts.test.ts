import { ContentError } from '@liaison/client-sdk'
import { openLmdbStore } from '@liaison/client-sdk/node'
import t from 'tap'
import { rejectsWithCode } from '../support/rejects-with-code.ts'
import { openDevice, startReportScenario, take } from '../support/sdk.ts'

const nowhere = { url: 'ws://127.0.0.1:9/relay', waitFor: 'store' } as const

t.test('a draft is checked field by field, survives a restart, and becomes a report', async (t) => {
  await using relay = await startReportScenario()
  const device = relay.network.deviceOf('BF')
  const first = await openDevice(relay, device, nowhere)
  const draft = await first.compose('spotrep', { title: 'Column at dusk', meta: { lang: 'fr' } })
  t.match(draft.id, /^[0-9a-f]{8}-[0-9a-f]{4}-7/, 'a name that begins with the time')
  t.match(draft.value, { type: 'spotrep', version: 1, meta: { originator: 'BF', id: draft.id } })
  const [wrong] = await draft.set('/meta/handling', { tlp: 'PINK' })
  t.match(wrong, { pointer: '/meta/handling/tlp', code: 'enum' }, 'only of that field')
  t.same(await draft.set('/meta/handling/tlp', 'GREEN'), [])
  t.ok(
    (await draft.problems()).some(({ pointer }) => pointer === '/activity'),
    'what is missing',
  )
  for (const pointer of ['/meta/id', '/meta', '/type', 'title', '/title/x', '/__proto__/x', '']) {
    await rejectsWithCode(t, draft.set(pointer, 'x'), 'content_invalid')
  }
  const refused = await first.submit(draft, { topic: 'terrorism' }).catch((e: unknown) => e)
  t.ok(refused instanceof ContentError, 'it is not sent before it is complete')
  await first.close()

  const second = await openDevice(relay, device, nowhere)
  const again = await second.drafts.get(draft.id)
  if (again === null) throw new Error('the draft is gone')
  t.same(again.value, draft.value, 'word for word')
  t.equal((await second.drafts.list())[0], again, 'one object for one draft')
  await again.set('/meta/status', 'exercise')
  await again.set('/meta/precedence', 'routine')
  await again.set('/summary', 'Twenty vehicles.')
  await again.set('/activity', { code: 'movement' })
  await again.set('/place', { country: 'ML', precision: 'admin1' })
  await again.set('/time', { from: '2026-11-01T06:00:00Z', precision: 'day' })
  await again.set('/meta/references/-', draft.id)
  await again.set('/meta/references/0', undefined)
  t.same(
    (await again.problems()).map(({ pointer }) => pointer),
    ['/meta/issued'],
  )
  const submission = await second.submit(again, { topic: 'terrorism' })
  t.equal(submission.id, draft.id)
  t.same(await second.drafts.list(), [])
  await rejectsWithCode(t, again.set('/title', 'Too late'), 'item_unknown')
  await second.close()

  await using third = await openDevice(relay, device)
  t.equal(await third.drafts.get(draft.id), null)
  await using reader = await openDevice(relay, relay.network.deviceOf('ML'))
  await third.submission(draft.id).accepted(AbortSignal.timeout(10_000))
  t.match((await take(reader, 1))[0], { report: { title: 'Column at dusk', meta: { lang: 'fr' } } })
})

t.test('a draft ends in the very step in which the outbox has the report', async (t) => {
  await using relay = await startReportScenario()
  const device = relay.network.deviceOf('BF')
  const folder = `${relay.folder.path}/devices/kept`
  const commits: string[][] = []
  let fails = false
  await using session = await openDevice(relay, device, {
    ...nowhere,
    folder,
    wrapStore: (store) => ({
      get: (...args) => store.get(...args),
      list: (...args) => store.list(...args),
      commit: async (changes) => {
        if (fails) throw new Error('the disk is full')
        commits.push(changes.map(({ table, value }) => `${value === null ? '-' : '+'}${table}`))
        await store.commit(changes)
      },
      [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
    }),
  })
  const draft = await session.compose('spotrep', {
    title: 'Column',
    summary: 'Twenty vehicles.',
    activity: { code: 'movement' },
    place: { country: 'ML', precision: 'admin1' },
    time: { from: '2026-11-01T06:00:00Z', precision: 'day' },
    meta: { status: 'exercise', precedence: 'routine', handling: { tlp: 'GREEN' }, lang: 'en' },
  })
  fails = true
  await t.rejects(session.submit(draft, { topic: 'terrorism' }), /disk is full/)
  t.equal(session.outbox.list().length, 0)
  fails = false
  t.equal((await session.drafts.list()).length, 1, 'what could not be kept is still a draft')
  commits.length = 0
  await session.submit(draft, { topic: 'terrorism' })
  t.same(commits, [['+outbox', '-drafts']])

  const other = await session.compose('spotrep')
  await other.discard()
  await rejectsWithCode(t, session.submit(other, { topic: 'terrorism' }), 'item_unknown')
  t.same(await session.drafts.list(), [])
  await session.close()
  await using store = await openLmdbStore(folder)
  t.same(await store.list('drafts'), [])
})
