/** Shows what reaches a device, from the beginning, until it is stopped: follow.ts HOME */
import { openDevice } from './device.ts'

const [home = ''] = process.argv.slice(2)
const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())
await using session = await openDevice(home, null)

for await (const item of session.subscribe({}, { from: 'all', signal: stop.signal })) {
  switch (item.kind) {
    case 'report':
      console.log(`${item.from.member} ${item.handling} ${item.schema}: ${item.report.title}`)
      // "Received" was said by the SDK; that a person has read it, only the program knows.
      await item.ack({ read: true })
      break
    case 'undecryptable':
      console.log(`a closed item: ${item.reason}. ${item.remedy}`)
      break
    case 'gap':
      console.log(`missing from device ${item.device}: ${item.from} to ${item.to}`)
  }
}
