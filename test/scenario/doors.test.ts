import { relayLimits } from '@liaison/server'
import t from 'tap'
import { Composer } from '../support/composer.ts'
import { type DoorAnswer, type DoorOrder, knock, wsFrame } from '../support/raw-door.ts'
import { startScenario } from '../support/relay.ts'

interface Case {
  readonly what: string
  readonly order: DoorOrder
  readonly expected: Partial<DoorAnswer>
}

const without =
  (name: string, ...instead: string[]) =>
  (lines: readonly string[]): readonly string[] => [
    ...lines.filter((line) => !line.toLowerCase().startsWith(name)),
    ...instead,
  ]

const beside =
  (...more: string[]) =>
  (lines: readonly string[]): readonly string[] => [...lines, ...more]

const [text, binary, continuation, close, ping, pong] = [1, 2, 0, 8, 9, 10] as const
const fin = 0x80

const upgrades: readonly Case[] = [
  {
    what: 'a foreign origin',
    order: { headers: beside('Origin: https://evil.example') },
    expected: { status: 403 },
  },
  {
    what: 'the origin of a sandboxed page',
    order: { headers: beside('Origin: null') },
    expected: { status: 403 },
  },
  {
    what: 'two origins, the second a good one',
    order: { headers: beside('Origin: https://evil.example', 'Origin: http://localhost') },
    expected: { status: 403 },
  },
  {
    what: 'an origin that only looks like loopback',
    order: { headers: beside('Origin: http://localhost.evil.example') },
    expected: { status: 403 },
  },
  {
    what: 'a header block that is too large',
    order: { headers: beside(`X-Large: ${'a'.repeat(16_384)}`) },
    expected: { status: 431 },
  },
  {
    what: 'two thousand headers',
    order: { headers: beside(...Array.from({ length: 2000 }, (_, i) => `X-${i}: 1`)) },
    expected: { status: 431 },
  },
  {
    what: 'another version of WebSocket',
    order: { headers: without('sec-websocket-version', 'Sec-WebSocket-Version: 12') },
    expected: { status: 400 },
  },
  {
    what: 'no key',
    order: { headers: without('sec-websocket-key') },
    expected: { status: 400 },
  },
  {
    what: 'another subprotocol',
    order: { headers: without('sec-websocket-protocol', 'Sec-WebSocket-Protocol: sir.v9.cbor') },
    expected: { status: 426 },
  },
  {
    what: 'no subprotocol',
    order: { headers: without('sec-websocket-protocol') },
    expected: { status: 426 },
  },
  {
    what: 'no upgrade at all',
    order: { headers: without('upgrade') },
    expected: { status: 426 },
  },
  {
    what: 'a body with two lengths',
    order: { headers: beside('Content-Length: 4', 'Content-Length: 5') },
    expected: { status: 400 },
  },
  {
    what: 'a body with a length and in chunks',
    order: { headers: beside('Content-Length: 4', 'Transfer-Encoding: chunked') },
    expected: { status: 400 },
  },
  {
    what: 'a path that climbs',
    order: { path: '/relay/..%2f..%2fetc', headers: without('upgrade') },
    expected: { status: 404 },
  },
  {
    what: 'a path with a NUL in it',
    order: { path: '/relay%00', headers: without('upgrade') },
    expected: { status: 404 },
  },
  {
    what: 'a path with overlong UTF-8',
    order: { path: '/%c0%afrelay', headers: without('upgrade') },
    expected: { status: 400 },
  },
]

const frames: readonly Case[] = [
  {
    what: 'a frame without a mask',
    order: { frames: [wsFrame({ first: fin | binary, masked: false, payload: Buffer.from('x') })] },
    expected: { closeCode: 1002 },
  },
  {
    what: 'a frame that claims to be compressed',
    order: { frames: [wsFrame({ first: fin | 0x40 | binary, payload: Buffer.from('x') })] },
    expected: { closeCode: 1002 },
  },
  {
    what: 'an unknown opcode',
    order: { frames: [wsFrame({ first: fin | 3 })] },
    expected: { closeCode: 1002 },
  },
  {
    what: 'a close code that does not exist',
    order: { frames: [wsFrame({ first: fin | close, payload: Buffer.from([0x27, 0x0f]) })] },
    expected: { closeCode: 1002 },
  },
  {
    what: 'text',
    order: { frames: [wsFrame({ first: fin | text, payload: Buffer.from('{}') })] },
    expected: { closeCode: 1003, closeReason: 'frame_malformed' },
  },
  {
    what: 'text that is not UTF-8',
    order: { frames: [wsFrame({ first: fin | text, payload: Buffer.from([0xff, 0xfe]) })] },
    expected: { closeCode: 1007 },
  },
  {
    what: 'a length beyond the limit',
    order: { frames: [wsFrame({ first: fin | binary, claimed: BigInt(1 << 24) })] },
    expected: { closeCode: 1009 },
  },
  {
    what: 'a length beyond all numbers',
    order: { frames: [wsFrame({ first: fin | binary, claimed: 1n << 63n })] },
    expected: { closeCode: 1009 },
  },
  {
    what: 'fragments without end',
    order: {
      frames: [
        wsFrame({ first: binary, payload: Buffer.from('x') }),
        ...Array.from({ length: 64 }, () =>
          wsFrame({ first: continuation, payload: Buffer.from('x') }),
        ),
      ],
    },
    expected: { closeCode: 1008 },
  },
  {
    what: 'bytes that are no frame of ours',
    order: { frames: [wsFrame({ first: fin | binary, payload: Buffer.from([0xff, 0x00]) })] },
    expected: { closeCode: 4500, closeReason: 'cbor_malformed' },
  },
  {
    what: 'more pings than the limit',
    order: {
      frames: Array.from({ length: relayLimits.framesBurst + 200 }, () =>
        wsFrame({ first: fin | ping, payload: Buffer.from('x') }),
      ),
    },
    // Cut off without a word: its answers would wait behind each other.
    expected: { status: 101 },
  },
  {
    what: 'more pongs than the limit',
    order: {
      frames: Array.from({ length: relayLimits.framesBurst + 200 }, () =>
        wsFrame({ first: fin | pong }),
      ),
    },
    expected: { closeCode: 4000, closeReason: 'rate_limited' },
  },
]

t.test(
  'bad input at the door has its answer, and somebody else works on undisturbed',
  async (t) => {
    await using relay = await startScenario()
    const { network } = relay
    const composer = new Composer(network, network.deviceOf('BF'))
    const publisher = await relay.client(composer.device)
    const reader = await relay.client(network.deviceOf('ML'))
    reader.subscribe(1, network.topic('terrorism'))
    for (const { what, order, expected } of [...upgrades, ...frames]) {
      t.match(await knock(relay.url, order), expected, what)
      const { codes } = await publisher.publish(composer.seal().envelope)
      const { items } = await reader.next('deliver')
      reader.send({ kind: 'credit', sub: 1, frames: 1, bytes: 10_000 })
      if (codes[0] !== 'ok' || items.length !== 1) t.fail(`after ${what}: ${codes} ${items.length}`)
    }
    t.equal(reader.closed, null)
  },
)
