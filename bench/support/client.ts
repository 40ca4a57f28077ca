import { once } from 'node:events'
import {
  type ClientFrame,
  decodeRelayFrame,
  encodeClientFrame,
  encodeHello,
  type RelayFrame,
  randomBytes,
  type SigningKey,
  signAuth,
  verifyChallenge,
} from '@liaison/protocol'
import { WebSocket } from 'ws'
import type { TestNetwork } from '../../test/support/network.ts'

/** Longest wait for one answer, ms: a measurement that hangs must end. */
const waitMsMax = 60_000

/** Who connects. */
export interface BenchIdentity {
  readonly dev?: number
  readonly adm?: number
  readonly key: SigningKey
}

/** Where to connect to, and from which loopback address. */
export interface BenchTarget {
  readonly url: string
  readonly network: TestNetwork
  readonly localAddress?: string
}

/** The loopback address of a group of connections: a relay admits 64 from one address. */
export const loopbackOf = (group: number): string => `127.0.0.${group + 1}`

/** One authenticated connection that hands every frame to one function. */
export class BenchClient {
  readonly socket: WebSocket
  /** Takes every frame after the handshake, unless {@link onBytes} does. */
  onFrame: (frame: RelayFrame) => void = () => undefined
  /** Takes every frame after the handshake as it came, undecoded. */
  onBytes: ((bytes: Uint8Array) => void) | null = null

  private constructor(socket: WebSocket) {
    this.socket = socket
  }

  /** Connects and authenticates. @throws Error when the relay refuses or answers falsely. */
  static async connect(target: BenchTarget, who: BenchIdentity): Promise<BenchClient> {
    const { url, network, localAddress } = target
    const socket = new WebSocket(url, 'sir.v1.cbor', {
      perMessageDeflate: false,
      ...(localAddress === undefined ? {} : { localAddress }),
    })
    const client = new BenchClient(socket)
    await once(socket, 'open')
    const first = client.#nextFrame()
    const hello = encodeHello({
      v: [1],
      cn: randomBytes(32),
      dir: network.base(),
      org: 'ws://127.0.0.1',
      ...(who.dev === undefined ? {} : { dev: who.dev }),
      ...(who.adm === undefined ? {} : { adm: who.adm }),
    })
    client.send({ kind: 'hello', hello })
    const challenge = await first
    if (challenge.kind !== 'challenge') throw new Error(`no challenge: ${describe(challenge)}`)
    const { net } = network.directory
    const relayKey = network.relayKey.publicKey
    if (!verifyChallenge(net, relayKey, hello, challenge.challenge, challenge.sig)) {
      throw new Error('the challenge does not verify')
    }
    const second = client.#nextFrame()
    client.send({
      kind: 'auth',
      sig: signAuth(net, who.key, hello, challenge.challenge, relayKey),
    })
    const ready = await second
    if (ready.kind !== 'ready') throw new Error(`not ready: ${describe(ready)}`)
    socket.on('message', (data: Buffer) => {
      if (client.onBytes === null) client.onFrame(decoded(data))
      else client.onBytes(data)
    })
    return client
  }

  async #nextFrame(): Promise<RelayFrame> {
    const signal = AbortSignal.timeout(waitMsMax)
    const [data] = (await once(this.socket, 'message', { signal })) as [Buffer]
    return decoded(data)
  }

  send(frame: ClientFrame): void {
    this.socket.send(encodeClientFrame(frame))
  }

  /** Sends a frame that was encoded before. */
  sendBytes(bytes: Uint8Array): void {
    this.socket.send(bytes)
  }

  /** Cuts the connection. */
  close(): void {
    this.socket.terminate()
  }
}

function decoded(data: Buffer): RelayFrame {
  const frame = decodeRelayFrame(new Uint8Array(data.buffer, data.byteOffset, data.length))
  if (!frame.ok) throw new Error(`bad frame from the relay: ${frame.error}`)
  return frame.value
}

const describe = (frame: RelayFrame): string =>
  frame.kind === 'error' ? `error ${frame.code}: ${frame.text}` : frame.kind

/** Resolves when `begin` calls its argument; rejects when that does not happen within a minute. */
export function within(
  what: string,
  begin: (done: () => void, failed: (e: Error) => void) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`waited in vain for ${what}`)), waitMsMax)
    const settle = (): void => clearTimeout(timer)
    begin(
      () => {
        settle()
        resolve()
      },
      (error) => {
        settle()
        reject(error)
      },
    )
  })
}
