/** Answers every message with one of a given length: what receiving and answering costs by itself. */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { WebSocketServer } from 'ws'

type Question = { readonly listen: true } | { readonly cpu: true } | { readonly stop: true }

/** About what a result frame with one receipt has, bytes. */
const answerBytes = 320

const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false })
const answer = new Uint8Array(answerBytes)
server.on('connection', (socket) => {
  socket.on('message', () => socket.send(answer, { binary: true }))
})

async function reply(question: Question): Promise<void> {
  if ('listen' in question) {
    if (server.address() === null) await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    process.send?.({ url: `ws://127.0.0.1:${port}` })
  } else if ('cpu' in question) {
    const { user, system } = process.cpuUsage()
    process.send?.({ cpu: user + system })
  } else {
    for (const socket of server.clients) socket.terminate()
    server.close()
    process.disconnect()
  }
}

process.on('message', (question: Question) => {
  reply(question).catch((error: unknown) => {
    console.error(error)
    process.exit(1)
  })
})
process.on('disconnect', () => process.exit(0))
