/** The relay of the demonstration, in a process of its own so that it can really be killed. */
import { readConfig, startRelay } from '@liaison/server'

const config = readConfig(JSON.parse(process.argv[2] ?? '{}') as Record<string, unknown>)
const running = await startRelay(config)
process.on('SIGTERM', () => {
  running.stop().then(
    () => process.exit(0),
    () => process.exit(1),
  )
})
process.send?.({ url: running.url, operatorUrl: running.operatorUrl })
