import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** Longest wait for anything, ms. */
const waitMsMax = 10_000

/** What the relay's door did with bytes that no WebSocket library would send. */
export interface DoorAnswer {
  /** Status of the HTTP answer; 0 when the connection ended without one. */
  readonly status: number
  /** Close code of the WebSocket; 0 when it was not closed with one. */
  readonly closeCode: number
  readonly closeReason: string
}

const usual = (host: string): readonly string[] => [
  `Host: ${host}`,
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Version: 13',
  `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
  'Sec-WebSocket-Protocol: sir.v1.cbor',
]

/** What to send. */
export interface DoorOrder {
  /** Header lines in place of the usual ones, or beside them. */
  readonly headers?: (usual: readonly string[]) => readonly string[]
  readonly path?: string
  /** Sent after the upgrade was accepted. */
  readonly frames?: readonly Uint8Array[]
}

/** Speaks to the door over a bare TCP socket until the door ends the connection. */
export async function knock(url: string, order: DoorOrder): Promise<DoorAnswer> {
  const { hostname, port, host } = new URL(url)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => undefined)
  socket.setTimeout(waitMsMax, () => socket.destroy(new Error('the door stayed open')))
  await once(socket, 'connect')
  const headers = (order.headers ?? ((lines) => lines))(usual(host))
  socket.write(`GET ${order.path ?? '/relay'} HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n`)
  return converse(socket, order.frames ?? [])
}

async function converse(socket: Socket, frames: readonly Uint8Array[]): Promise<DoorAnswer> {
  let received = Buffer.alloc(0)
  let sent = false
  socket.on('data', (data: Buffer) => {
    received = Buffer.concat([received, data])
    // A client that hears a close ends the connection; the door would wait for that.
    if (sent && closeOf(bodyOf(received)).closeCode !== 0) return void socket.end()
    if (sent || !received.includes('\r\n\r\n')) return
    sent = true
    if (statusOf(received) !== 101) return void socket.end()
    for (const frame of frames) socket.write(frame)
    if (frames.length === 0) socket.end()
  })
  await once(socket, 'close')
  return { status: statusOf(received), ...closeOf(bodyOf(received)) }
}

const bodyOf = (received: Buffer): Buffer => received.subarray(received.indexOf('\r\n\r\n') + 4)

const statusOf = (received: Buffer): number =>
  Number(/^HTTP\/1\.1 (\d{3})/.exec(received.toString('latin1'))?.[1] ?? 0)

/** The close frame among the server's frames. */
function closeOf(frames: Buffer): { readonly closeCode: number; readonly closeReason: string } {
  for (let at = 0; at + 2 <= frames.length; ) {
    const opcode = (frames[at] ?? 0) & 15
    let length = (frames[at + 1] ?? 0) & 127
    at += 2
    if (length === 126) {
      length = frames.readUInt16BE(at)
      at += 2
    } else if (length === 127) {
      length = Number(frames.readBigUInt64BE(at))
      at += 8
    }
    if (at + length > frames.length) break
    if (opcode === 8 && length >= 2) {
      return {
        closeCode: frames.readUInt16BE(at),
        closeReason: frames.subarray(at + 2, at + length).toString(),
      }
    }
    at += length
  }
  return { closeCode: 0, closeReason: '' }
}

/** Parts of a WebSocket frame that a library would not let anybody choose. */
export interface FrameParts {
  /** First byte: FIN, RSV bits and opcode. */
  readonly first: number
  readonly payload?: Uint8Array
  readonly masked?: boolean
  /** Length that is claimed, in the longest form, whatever the payload is. */
  readonly claimed?: bigint
}

/** One client frame, as wrong as wanted. */
export function wsFrame(parts: FrameParts): Uint8Array {
  const { first, payload = new Uint8Array(), masked = true, claimed } = parts
  const mask = masked ? 0x80 : 0
  const head =
    claimed !== undefined
      ? Buffer.concat([Buffer.from([first, mask | 127]), bigEndian(claimed)])
      : payload.length < 126
        ? Buffer.from([first, mask | payload.length])
        : Buffer.from([first, mask | 126, payload.length >> 8, payload.length & 255])
  if (!masked) return Buffer.concat([head, payload])
  const key = randomBytes(4)
  const hidden = payload.map((byte, i) => byte ^ (key[i % 4] ?? 0))
  return Buffer.concat([head, key, hidden])
}

function bigEndian(n: bigint): Buffer {
  const out = Buffer.alloc(8)
  out.writeBigUInt64BE(n)
  return out
}
