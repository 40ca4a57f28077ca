/** A relay process for measurements: takes its configuration from, and reports to, its parent. */
import { type ConfigInput, type RunningRelay, readConfig, startRelay } from '@liaison/server'

type Question =
  | { readonly config: ConfigInput }
  | { readonly memory: true }
  | { readonly stop: true }

let running: RunningRelay | null = null

async function answer(question: Question): Promise<void> {
  if ('config' in question) {
    // What it can do is measured here, not when it would rather do less.
    const load = () => ({ loopDelayMs: 0, heapUsedPercent: 0 })
    running = await startRelay(readConfig(question.config), { load })
    process.send?.({ url: running.url })
  } else if ('memory' in question) {
    globalThis.gc?.()
    process.send?.({ rss: process.memoryUsage.rss() })
  } else {
    await running?.stop()
    process.disconnect()
  }
}

process.on('message', (question: Question) => {
  answer(question).catch((error: unknown) => {
    console.error(error)
    process.exit(1)
  })
})
process.on('disconnect', () => process.exit(0))
