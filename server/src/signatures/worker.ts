/** A thread that does nothing but check signatures, batch after batch. */
import { parentPort } from 'node:worker_threads'
import { unpackChecks } from './batch.ts'
import { loadVerify } from './verify.ts'

const port = parentPort
if (port === null) throw new Error('this file is run as a worker')
const verify = await loadVerify()
port.on('message', (batch: Uint8Array) => {
  const good = unpackChecks(batch).map(({ signature, message, publicKey }) =>
    verify(signature, message, publicKey) ? 1 : 0,
  )
  port.postMessage(Uint8Array.from(good))
})
// Tells that it is ready; nothing is sent before.
port.postMessage(new Uint8Array())
