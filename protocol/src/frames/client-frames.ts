import {
  frameAck,
  frameAdmin,
  frameAppend,
  frameAuth,
  frameBlob,
  frameCredit,
  frameDirWant,
  frameFetch,
  frameHello,
  framePing,
  framePong,
  framePublish,
  frameSubscribe,
  frameUnsubscribe,
} from '@liaison/schemas/wire'
import { unreachable } from '../assert.ts'
import { type CborValue, encodeCbor } from '../cbor.ts'
import type { DecodeCode, WireCheck } from '../decode.ts'
import type { Envelope } from '../envelope/envelope.ts'
import type { Result } from '../result.ts'
import { decodeFrame } from './decode-frame.ts'
import { type BlobKind, type ClientFrame, frameTypes } from './types.ts'

type EnvelopeTuple = readonly [Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array]

const envelopeTuple = (e: Envelope): EnvelopeTuple => [e.ctx, e.seal, e.sig, e.payload, e.slots]

const envelopeOf = ([ctx, seal, sig, payload, slots]: EnvelopeTuple): Envelope => ({
  ctx,
  seal,
  sig,
  payload,
  slots,
})

/** Encodes a frame that a client sends. */
export const encodeClientFrame = (frame: ClientFrame): Uint8Array =>
  encodeCbor(clientFrameValue(frame))

function clientFrameValue(frame: ClientFrame): CborValue {
  switch (frame.kind) {
    case 'hello':
      return [frameTypes.hello, frame.hello]
    case 'auth':
      return [frameTypes.auth, frame.sig]
    case 'subscribe':
      return [
        frameTypes.subscribe,
        frame.sub,
        { top: frame.top, from: frame.from, fp: frame.fluPaths ? 1 : 0 },
      ]
    case 'subscribe-acks':
      return [frameTypes.subscribe, frame.sub, { acks: frame.from }]
    case 'unsubscribe':
      return [frameTypes.unsubscribe, frame.sub]
    case 'publish':
      return [frameTypes.publish, frame.rq, frame.envelopes.map(envelopeTuple)]
    case 'ack':
      return [frameTypes.ack, frame.ack, frame.sig]
    case 'credit':
      return [frameTypes.credit, frame.sub, frame.frames, frame.bytes]
    case 'dir-want':
      return [frameTypes.dir, frame.rq, { from: frame.from }]
    case 'ping':
      return [frameTypes.ping, frame.t]
    case 'pong':
      return [frameTypes.pong, frame.t]
    case 'fetch-chain': {
      const { chain, inc, from, to } = frame
      return [
        frameTypes.fetch,
        frame.rq,
        { chain, inc, from, to, ...(frame.fluPaths ? { fp: 1 } : {}) },
      ]
    }
    case 'fetch-core':
      return [
        frameTypes.fetch,
        frame.rq,
        { core: frame.cores, ...(frame.fluPaths ? { fp: 1 } : {}) },
      ]
    case 'admin':
      return [frameTypes.admin, frame.request, frame.sig]
    case 'append':
      return [frameTypes.append, frame.rq, frame.entry]
    case 'blob-put':
      return [frameTypes.blob, frame.rq, { put: frame.blobs }]
    case 'blob-get':
      return [frameTypes.blob, frame.rq, { get: frame.hashes }]
    default:
      return unreachable(frame)
  }
}

interface ChainQuery {
  readonly chain: Uint8Array
  readonly inc: number
  readonly from: number
  readonly to: number
  readonly fp?: number
}

interface Reader {
  readonly check: WireCheck
  readonly read: (tuple: readonly unknown[]) => ClientFrame
}

/** Each row was checked against the published schema before `read` sees it. */
const readers: ReadonlyMap<number, Reader> = new Map<number, Reader>([
  [
    frameTypes.hello,
    { check: frameHello, read: (f) => ({ kind: 'hello', hello: f[1] as Uint8Array }) },
  ],
  [frameTypes.auth, { check: frameAuth, read: (f) => ({ kind: 'auth', sig: f[1] as Uint8Array }) }],
  [frameTypes.subscribe, { check: frameSubscribe, read: readSubscribe }],
  [
    frameTypes.unsubscribe,
    { check: frameUnsubscribe, read: (f) => ({ kind: 'unsubscribe', sub: f[1] as number }) },
  ],
  [
    frameTypes.publish,
    {
      check: framePublish,
      read: (f) => ({
        kind: 'publish',
        rq: f[1] as number,
        envelopes: (f[2] as readonly EnvelopeTuple[]).map(envelopeOf),
      }),
    },
  ],
  [
    frameTypes.ack,
    {
      check: frameAck,
      read: (f) => ({ kind: 'ack', ack: f[1] as Uint8Array, sig: f[2] as Uint8Array }),
    },
  ],
  [
    frameTypes.credit,
    {
      check: frameCredit,
      read: (f) => ({
        kind: 'credit',
        sub: f[1] as number,
        frames: f[2] as number,
        bytes: f[3] as number,
      }),
    },
  ],
  [
    frameTypes.dir,
    {
      check: frameDirWant,
      read: (f) => ({
        kind: 'dir-want',
        rq: f[1] as number,
        from: (f[2] as { readonly from: number }).from,
      }),
    },
  ],
  [frameTypes.ping, { check: framePing, read: (f) => ({ kind: 'ping', t: f[1] as number }) }],
  [frameTypes.pong, { check: framePong, read: (f) => ({ kind: 'pong', t: f[1] as number }) }],
  [frameTypes.fetch, { check: frameFetch, read: readFetch }],
  [
    frameTypes.admin,
    {
      check: frameAdmin,
      read: (f) => ({ kind: 'admin', request: f[1] as Uint8Array, sig: f[2] as Uint8Array }),
    },
  ],
  [
    frameTypes.append,
    {
      check: frameAppend,
      read: (f) => ({ kind: 'append', rq: f[1] as number, entry: f[2] as Uint8Array }),
    },
  ],
  [frameTypes.blob, { check: frameBlob, read: readBlob }],
])

function readSubscribe(f: readonly unknown[]): ClientFrame {
  const sub = f[1] as number
  const query = f[2] as
    | { readonly top: number; readonly from: number; readonly fp: number }
    | { readonly acks: number }
  return 'acks' in query
    ? { kind: 'subscribe-acks', sub, from: query.acks }
    : { kind: 'subscribe', sub, top: query.top, from: query.from, fluPaths: query.fp === 1 }
}

function readFetch(f: readonly unknown[]): ClientFrame {
  const rq = f[1] as number
  const query = f[2] as ChainQuery | { readonly core: readonly Uint8Array[]; readonly fp?: number }
  const fluPaths = query.fp === 1
  if ('core' in query) return { kind: 'fetch-core', rq, cores: query.core, fluPaths }
  const { chain, inc, from, to } = query
  return { kind: 'fetch-chain', rq, chain, inc, from, to, fluPaths }
}

function readBlob(f: readonly unknown[]): ClientFrame {
  const rq = f[1] as number
  const body = f[2] as
    | { readonly put: readonly (readonly [BlobKind, Uint8Array])[] }
    | { readonly get: readonly Uint8Array[] }
  return 'put' in body
    ? { kind: 'blob-put', rq, blobs: body.put }
    : { kind: 'blob-get', rq, hashes: body.get }
}

/** Decodes a frame from a client. Size is checked before, by whoever owns the socket. */
export function decodeClientFrame(bytes: Uint8Array): Result<ClientFrame, DecodeCode> {
  return decodeFrame(bytes, readers)
}
