import { once } from 'node:events'
import { sodiumReady } from '@liaison/protocol'
import t from 'tap'
import { makeSealingNetwork } from '../support/epoch-keys.ts'
import { prepareRelay } from '../support/relay.ts'
import { startMain } from '../support/relay-main.ts'
import { tempFolder } from '../support/temp-folder.ts'

await sodiumReady()

t.test('the relay runs from its environment and ends in good order', async (t) => {
  await using folder = await tempFolder()
  const input = await prepareRelay(makeSealingNetwork(), folder)
  await using main = startMain({
    data: String(input['data']),
    network: String(input['network']),
    keys: String(input['keys']),
    port: '0',
    operatorPort: '0',
  })
  const listening = /Server listening at (http:\/\/127\.0\.0\.1:\d+)/g
  let addresses: string[] = []
  while (addresses.length < 2) {
    if (main.child.exitCode !== null) throw new Error(main.output())
    await once(main.child.stdout, 'data', { signal: AbortSignal.timeout(20_000) })
    addresses = [...main.output().matchAll(listening)].map(([, address = '']) => address)
  }
  const live = await fetch(`${addresses[1]}/livez`)
  t.equal(live.status, 200)
  t.same(await live.json(), { live: true })
  main.child.kill('SIGTERM')
  const { code, out } = await main.ended()
  t.equal(code, 0)
  t.match(out, /"msg":"stopped"/)
})

t.test('a configuration that cannot be used ends it with 78 and every problem', async (t) => {
  await using main = startMain({ host: '0.0.0.0', port: 'many' })
  const { code, out } = await main.ended()
  t.equal(code, 78)
  for (const problem of [
    'LIAISON_RELAY_DATA: is required',
    'LIAISON_RELAY_PORT: must be a port',
    'LIAISON_RELAY_HOST: is not loopback',
  ]) {
    t.match(out, problem)
  }
})

t.test('keys that the directory does not list end it with 78', async (t) => {
  await using folder = await tempFolder()
  const input = await prepareRelay(makeSealingNetwork(), folder)
  await using other = await tempFolder()
  const { keys } = await prepareRelay(makeSealingNetwork({ seed: 'another' }), other)
  await using main = startMain({
    data: String(input['data']),
    network: String(input['network']),
    keys: String(keys),
    port: '0',
    operatorPort: '0',
  })
  const { code, out } = await main.ended()
  t.equal(code, 78)
  t.match(out, 'keys are not in the directory')
})
