import {
  frameAcks,
  frameAdminAnswer,
  frameBlobs,
  frameChallenge,
  frameDeliver,
  frameDir,
  frameError,
  frameFetched,
  framePing,
  framePong,
  frameReady,
  frameResult,
} from '@liaison/schemas/wire'
import { unreachable } from '../assert.ts'
import { type CborMap, type CborValue, encodeCbor } from '../cbor.ts'
import type { DecodeCode } from '../decode.ts'
import type { Result } from '../result.ts'
import { decodeFrame, type FrameReader } from './decode-frame.ts'
import { type DeliverTuple, deliverItemOf, deliverTuple } from './deliver-item.ts'
import { type DirectoryPage, frameTypes, type RelayFrame, type RelayStatus } from './types.ts'

interface PageMap {
  readonly from: number
  readonly size: number
  readonly entries: readonly Uint8Array[]
  readonly cp: Uint8Array
}

const pageMap = (page: DirectoryPage): CborMap => ({
  from: page.from,
  size: page.size,
  entries: page.entries,
  cp: page.checkpoint,
})

const pageOf = (map: PageMap): DirectoryPage => ({
  from: map.from,
  size: map.size,
  entries: map.entries,
  checkpoint: map.cp,
})

/** Encodes a frame that a relay sends. */
export const encodeRelayFrame = (frame: RelayFrame): Uint8Array =>
  encodeCbor(relayFrameValue(frame))

function relayFrameValue(frame: RelayFrame): CborValue {
  switch (frame.kind) {
    case 'challenge':
      return [frameTypes.challenge, frame.challenge, frame.sig]
    case 'ready':
      return [frameTypes.ready, { sid: frame.sid, t: frame.t, dir: pageMap(frame.dir) }]
    case 'result':
      return [frameTypes.result, frame.rq, frame.receipts, frame.sig]
    case 'deliver':
      return [frameTypes.deliver, frame.sub, frame.items.map(deliverTuple)]
    case 'acks':
      return [frameTypes.acks, frame.sub, frame.items.map((i) => [i.index, i.ack, i.sig])]
    case 'dir':
      return [frameTypes.dir, frame.rq, pageMap(frame.page)]
    case 'error':
      return [frameTypes.error, frame.code, frame.rq, frame.text, frame.retryAfterMs]
    case 'ping':
      return [frameTypes.ping, frame.t]
    case 'pong':
      return [frameTypes.pong, frame.t]
    case 'fetched':
      return [frameTypes.fetch, frame.rq, frame.items.map(deliverTuple)]
    case 'admin-answer': {
      const { status, leaves, from, size } = frame
      const body: { [key: string]: CborValue } = {}
      if (status !== undefined) body['status'] = { ...status }
      if (leaves !== undefined) body['leaves'] = leaves
      if (from !== undefined) body['from'] = from
      if (size !== undefined) body['size'] = size
      return [frameTypes.admin, frame.rq, body]
    }
    case 'blobs':
      return [frameTypes.blob, frame.rq, { blobs: frame.blobs, missing: frame.missing }]
    default:
      return unreachable(frame)
  }
}

type Reader = FrameReader<RelayFrame>

/** Each row was checked against the published schema before `read` sees it. */
const readers: ReadonlyMap<number, Reader> = new Map<number, Reader>([
  [
    frameTypes.challenge,
    {
      check: frameChallenge,
      read: (f) => ({ kind: 'challenge', challenge: f[1] as Uint8Array, sig: f[2] as Uint8Array }),
    },
  ],
  [
    frameTypes.ready,
    {
      check: frameReady,
      read: (f) => {
        const { sid, t, dir } = f[1] as { sid: Uint8Array; t: number; dir: PageMap }
        return { kind: 'ready', sid, t, dir: pageOf(dir) }
      },
    },
  ],
  [
    frameTypes.result,
    {
      check: frameResult,
      read: (f) => ({
        kind: 'result',
        rq: f[1] as number,
        receipts: f[2] as readonly Uint8Array[],
        sig: f[3] as Uint8Array,
      }),
    },
  ],
  [
    frameTypes.deliver,
    {
      check: frameDeliver,
      read: (f) => ({
        kind: 'deliver',
        sub: f[1] as number,
        items: (f[2] as readonly DeliverTuple[]).map(deliverItemOf),
      }),
    },
  ],
  [
    frameTypes.acks,
    {
      check: frameAcks,
      read: (f) => ({
        kind: 'acks',
        sub: f[1] as number,
        items: (f[2] as readonly (readonly [number, Uint8Array, Uint8Array])[]).map(
          ([index, ack, sig]) => ({ index, ack, sig }),
        ),
      }),
    },
  ],
  [
    frameTypes.dir,
    {
      check: frameDir,
      read: (f) => ({ kind: 'dir', rq: f[1] as number, page: pageOf(f[2] as PageMap) }),
    },
  ],
  [
    frameTypes.error,
    {
      check: frameError,
      read: (f) => ({
        kind: 'error',
        code: f[1] as number,
        rq: f[2] as number,
        text: f[3] as string,
        retryAfterMs: f[4] as number,
      }),
    },
  ],
  [frameTypes.ping, { check: framePing, read: (f) => ({ kind: 'ping', t: f[1] as number }) }],
  [frameTypes.pong, { check: framePong, read: (f) => ({ kind: 'pong', t: f[1] as number }) }],
  [
    frameTypes.fetch,
    {
      check: frameFetched,
      read: (f) => ({
        kind: 'fetched',
        rq: f[1] as number,
        items: (f[2] as readonly DeliverTuple[]).map(deliverItemOf),
      }),
    },
  ],
  [frameTypes.admin, { check: frameAdminAnswer, read: readAdminAnswer }],
  [
    frameTypes.blob,
    {
      check: frameBlobs,
      read: (f) => {
        const { blobs, missing } = f[2] as {
          blobs: readonly (readonly [Uint8Array, Uint8Array])[]
          missing: readonly Uint8Array[]
        }
        return { kind: 'blobs', rq: f[1] as number, blobs, missing }
      },
    },
  ],
])

function readAdminAnswer(f: readonly unknown[]): RelayFrame {
  const body = f[2] as {
    readonly status?: RelayStatus
    readonly leaves?: readonly Uint8Array[]
    readonly from?: number
    readonly size?: number
  }
  return { kind: 'admin-answer', rq: f[1] as number, ...body }
}

/** Decodes a frame from a relay. */
export function decodeRelayFrame(bytes: Uint8Array): Result<RelayFrame, DecodeCode> {
  return decodeFrame(bytes, readers)
}
