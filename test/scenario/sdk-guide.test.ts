import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ContentError } from '@liaison/client-sdk'
import { TestNetwork } from '@liaison/client-sdk/testing'
import { transform } from 'esbuild'
import t from 'tap'
import { root } from '../architecture/sources.ts'
import { makeReport, openDevice, startReportScenario } from '../support/sdk.ts'

t.test('every block of docs/sdk.md runs, one after the other', async (t) => {
  const guide = await readFile(join(root, 'docs/sdk.md'), 'utf8')
  const blocks = [...guide.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code = '']) => code)
  await using relay = await startReportScenario()
  const { network } = relay
  await using session = await openDevice(relay, network.deviceOf('BF'))
  await using reader = await openDevice(relay, network.deviceOf('ML'))
  const printed: string[] = []
  const print = (text: string): void => {
    printed.push(text)
  }
  const given = {
    session,
    reader,
    report: makeReport(network, 'BF'),
    print,
    ContentError,
    TestNetwork,
  }
  const names = Object.keys(given).join(', ')
  for (const block of blocks) {
    const { code } = await transform(`export default async ({ ${names} }) => {\n${block}}`, {
      loader: 'ts',
      format: 'esm',
    })
    const url = `data:text/javascript,${encodeURIComponent(code)}`
    const { default: run } = (await import(url)) as { default: (it: typeof given) => Promise<void> }
    await run(given)
  }
  t.equal(blocks.length, 8)
  t.same(
    printed.filter((line) => line !== 'progress'),
    [
      'accepted as leaf number',
      'somebody has it',
      '/meta/handling/tlp enum',
      '1 draft',
      'BF GREEN spotrep, verified: true',
      'first: report',
      '47 digits and spaces',
      'current: true',
      '1 report in the thread',
      '1 source',
      '0 actions',
      '/title too_short',
      '1 draft after the restart',
    ],
  )
})
