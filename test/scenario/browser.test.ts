import { fileURLToPath } from 'node:url'
import { schemaHash } from '@liaison/schemas'
import { build } from 'esbuild'
import t from 'tap'
import { chromiumAdvice, findChromium } from '../../scripts/chromium.ts'
import type { SessionAnswer, SessionOrder } from '../browser/entry.ts'
import { openPage } from '../support/chromium.ts'
import { makeReport, openDevice, startReportScenario, take } from '../support/sdk.ts'

t.setTimeout(120_000)

const chromium = findChromium()
if (chromium === null) {
  if (process.env['CI'] !== undefined) throw new Error(chromiumAdvice)
  t.comment(chromiumAdvice)
}

/** The page's script. The build fails when anything of Node is imported. */
async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('../browser/entry.ts', import.meta.url))],
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'chrome120',
    conditions: ['@liaison/source'],
    write: false,
    logLevel: 'error',
  })
  return outputFiles[0]?.text ?? ''
}

t.test('the SDK in a browser', { skip: chromium === null && chromiumAdvice }, async (t) => {
  await using relay = await startReportScenario()
  await using opened = await openPage(chromium ?? '', await bundle())
  const { page, errors } = opened
  const call = <T>(name: string, argument: unknown): Promise<T> =>
    page.evaluate(
      async (name, argument) =>
        Reflect.get(Reflect.get(globalThis, 'liaison'), name)(argument) as T,
      name,
      argument,
    ) as Promise<T>

  const contract = await call<Record<string, string>>('storeContract', null)
  t.ok(Object.keys(contract).length >= 5)
  t.same(
    Object.entries(contract).filter(([, result]) => result !== 'ok'),
    [],
    'the store in IndexedDB keeps its contract',
  )

  const { network } = relay
  const reader = await openDevice(relay, network.deviceOf('ML'))
  const order: SessionOrder = {
    url: relay.url,
    schemas: [['spotrep', [...schemaHash('spotrep')]]],
    member: 'BF',
    report: makeReport(network, 'BF', { title: 'Sent from a page' }),
    wanted: 0,
  }
  const sent = await call<SessionAnswer>('session', order)
  t.equal(sent.states.at(-1), 'received')
  const [delivery] = await take(reader, 1)
  t.match(delivery, { kind: 'report', report: { title: 'Sent from a page' }, verified: true })

  await reader.submit(makeReport(network, 'ML', { title: 'Read in a page' }), {
    topic: 'terrorism',
  })
  const read = await call<SessionAnswer>('session', { ...order, report: null, wanted: 2 })
  const both = ['Sent from a page', 'Read in a page']
  t.same(read.shown, both)
  await page.reload()
  await page.waitForFunction('globalThis.liaison !== undefined')
  const again = await call<SessionAnswer>('session', { ...order, report: null, wanted: 2 })
  t.same(again.shown, both, 'it is still there after the page was loaded again')
  t.same(errors, [], 'nothing went wrong in the page, and nothing needed eval')
  await reader.close()
})
