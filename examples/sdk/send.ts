/** Sends a report and waits until somebody has received it: send.ts HOME TOPIC REPORT */
import { readFile } from 'node:fs/promises'
import { openDevice } from './device.ts'

const [home = '', topic = '', file = ''] = process.argv.slice(2)
await using session = await openDevice(home, null)

// Checked against its schema and the directory, then kept on this machine. From here on nothing
// is lost: without a link it goes out later, also after a restart.
const report: unknown = JSON.parse(await readFile(file, 'utf8'))
const submission = await session.submit(report, { topic })

for await (const { state, code } of submission) {
  console.log(code === null ? state : `${state}: ${code}`)
  if (state === 'received') break
}
