import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import t from 'tap'
import { RawSockets } from '../../../server/src/ingress/raw-sockets.ts'

/** A socket of one remote port, as far as this looks at it. */
const socketOf = (remotePort: number): Socket =>
  Object.assign(new EventEmitter(), { remoteAddress: '192.0.2.1', remotePort }) as unknown as Socket

t.test('the end of a socket does not hide the next one from the same port', (t) => {
  const server = new EventEmitter()
  const raw = new RawSockets(server)
  const [first, second, above] = [socketOf(4000), socketOf(4000), socketOf(4000)]
  server.emit('connection', first)
  t.equal(raw.below(above), first)
  server.emit('connection', second)
  first.emit('close')
  t.equal(raw.below(above), second)
  second.emit('close')
  t.equal(raw.below(above), above, 'nothing is kept of what is gone')
  t.equal(raw.below(socketOf(4001)).remotePort, 4001)
  t.end()
})
