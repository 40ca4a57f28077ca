/** A relay in a process of its own, so that a test can end it at any moment. Speaks to its parent. */
import { epochMs } from '@liaison/protocol'
import { type ConfigInput, type RunningRelay, readConfig, startRelay } from '@liaison/server'

/** What the parent sends: the configuration and the time at which the clock stands, or the end. */
export type RelayOrder =
  | { readonly config: ConfigInput; readonly now: number }
  | { readonly stop: true }

let running: RunningRelay | null = null

async function obey(order: RelayOrder): Promise<void> {
  if ('config' in order) {
    running = await startRelay(readConfig(order.config), { clock: () => epochMs(order.now) })
    process.send?.({ url: running.url })
  } else {
    await running?.stop()
    process.disconnect()
  }
}

process.on('message', (order: RelayOrder) => {
  obey(order).catch((error: unknown) => {
    console.error(error)
    process.exit(1)
  })
})
process.on('disconnect', () => process.exit(0))
process.send?.({ loaded: true })
