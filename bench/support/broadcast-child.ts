/** Sends frames of given sizes to every connection: what a WebSocket server without any relay can do. */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'

type Question =
  | { readonly listen: true }
  | { readonly count: number; readonly bytes: number }
  | { readonly stop: true }

const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false })
const sockets = new Set<WebSocket>()
server.on('connection', (socket) => {
  sockets.add(socket)
  socket.on('close', () => sockets.delete(socket))
})

/** Frames that are sent before the event loop gets its turn, as a relay would let it. */
const burst = 8

async function broadcast(count: number, bytes: number): Promise<void> {
  const frame = new Uint8Array(bytes)
  for (let sent = 0; sent < count; sent++) {
    for (const socket of sockets) socket.send(frame, { binary: true })
    if (sent % burst === burst - 1) await new Promise((resolve) => setImmediate(resolve))
  }
}

async function answer(question: Question): Promise<void> {
  if ('listen' in question) {
    if (server.address() === null) await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    process.send?.({ url: `ws://127.0.0.1:${port}` })
  } else if ('count' in question) {
    await broadcast(question.count, question.bytes)
    process.send?.({ sent: question.count })
  } else {
    for (const socket of sockets) socket.terminate()
    server.close()
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
