import { readFile } from 'node:fs/promises'
import { errorCodes } from '@liaison/protocol'
import t from 'tap'
import { Metrics } from '../../../server/src/metrics.ts'

const read = (path: string): Promise<string> =>
  readFile(new URL(`../../../docs/${path}`, import.meta.url), 'utf8')

/** Names of figures in a text, without the endings that a histogram adds. */
const figuresIn = (text: string): ReadonlySet<string> =>
  new Set(
    [...text.matchAll(/\b(?:liaison|nodejs|process)_[a-z0-9_]+/g)].map(([name]) =>
      name.replace(/_(?:bucket|count|sum)$/, ''),
    ),
  )

const metrics = new Metrics('0.0.0')
metrics.watch({
  connections: () => 1,
  outstandingDeliveries: () => 1,
  auditLeaves: () => 1,
  loopDelayMs: () => 1,
})
const known = figuresIn(
  (await metrics.text())
    .split('\n')
    .filter((line) => line.startsWith('# TYPE'))
    .join('\n'),
)

t.test('the dashboard and the alerts ask for figures that there are', async (t) => {
  for (const file of ['operations/dashboard.json', 'operations/alerts.yml']) {
    const asked = figuresIn(await read(file))
    t.ok(asked.size > 5, `${file} asks for something`)
    t.same(
      [...asked].filter((name) => !known.has(name)),
      [],
      file,
    )
  }
  const { panels } = JSON.parse(await read('operations/dashboard.json')) as {
    readonly panels: readonly { readonly id: number }[]
  }
  t.equal(new Set(panels.map(({ id }) => id)).size, panels.length)
})

t.test('the page names every figure of ours, and only codes that exist', async (t) => {
  const page = await read('operations.md')
  const named = figuresIn(page)
  const ours = [...known].filter((name) => name.startsWith('liaison_'))
  t.same(
    ours.filter((name) => !named.has(name)),
    [],
  )
  const alerts = await read('operations/alerts.yml')
  const codes = /code=~"([a-z_|]+)"/.exec(alerts)?.[1]?.split('|') ?? []
  t.ok(codes.length > 0)
  t.same(
    codes.filter((code) => !Object.hasOwn(errorCodes, code)),
    [],
  )
})
