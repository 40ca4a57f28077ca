import { type ClientFrame, type ErrorCode, sodiumReady } from '@liaison/protocol'
import t from 'tap'
import type { Principal } from '../../../server/src/relay.ts'
import { authorise, speakers } from '../../../server/src/session/authorise.ts'
import { makeNetwork } from '../../support/network.ts'

await sodiumReady()

const network = makeNetwork()
const { directory } = network
const none = new Uint8Array()
const device = (code: string): Principal => ({ kind: 'device', dev: network.deviceOf(code).num })

/** One frame of each kind; `subscribe` asks for a topic that BF, ML and the unit may read. */
const frames: { readonly [K in ClientFrame['kind']]: ClientFrame & { readonly kind: K } } = {
  hello: { kind: 'hello', hello: none },
  auth: { kind: 'auth', sig: none },
  ping: { kind: 'ping', t: 0 },
  pong: { kind: 'pong', t: 0 },
  'dir-want': { kind: 'dir-want', rq: 1, from: 0 },
  append: { kind: 'append', rq: 1, entry: none },
  'blob-put': { kind: 'blob-put', rq: 1, blobs: [] },
  'blob-get': { kind: 'blob-get', rq: 1, hashes: [] },
  admin: { kind: 'admin', request: none, sig: none },
  publish: { kind: 'publish', rq: 1, envelopes: [] },
  ack: { kind: 'ack', ack: none, sig: none },
  subscribe: { kind: 'subscribe', sub: 1, top: network.topic('arms'), from: 0, fluPaths: false },
  'subscribe-acks': { kind: 'subscribe-acks', sub: 1, from: 0 },
  unsubscribe: { kind: 'unsubscribe', sub: 1 },
  credit: { kind: 'credit', sub: 1, frames: 1, bytes: 1 },
  'fetch-chain': {
    kind: 'fetch-chain',
    rq: 1,
    chain: none,
    inc: 0,
    from: 0,
    to: 0,
    fluPaths: false,
  },
  'fetch-core': { kind: 'fetch-core', rq: 1, cores: [], fluPaths: false },
}

/** Who speaks, whether the directory lets them be connected, and in which column of the table. */
const roles = {
  nobody: { principal: null, connected: true },
  officer: { principal: device('BF'), connected: true },
  unit: { principal: device('FLU'), connected: true },
  observer: { principal: device('FR'), connected: true },
  suspended: { principal: device('BF'), connected: false },
  administrator: { principal: { kind: 'administrator', adm: 1 }, connected: true },
  removed: { principal: { kind: 'administrator', adm: 1 }, connected: false },
} as const satisfies Record<string, { principal: Principal | null; connected: boolean }>

type Role = keyof typeof roles
type Row = readonly (ErrorCode | 'ok')[]

const early: Row = Array.from({ length: 6 }, () => 'already_authenticated' as const)
const anybody: Row = ['ok', 'ok', 'ok', 'device_inactive', 'ok', 'not_permitted']
const devices: Row = ['ok', 'ok', 'ok', 'device_inactive', 'not_permitted', 'not_permitted']
const unauthenticated = 'not_authenticated' as const

/** Columns in the order of `roles`. */
const table: Readonly<Record<ClientFrame['kind'], Row>> = {
  hello: ['ok', ...early],
  auth: ['ok', ...early],
  ping: [unauthenticated, ...anybody],
  pong: [unauthenticated, ...anybody],
  'dir-want': [unauthenticated, ...anybody],
  append: [unauthenticated, ...anybody],
  'blob-put': [unauthenticated, ...anybody],
  'blob-get': [unauthenticated, ...anybody],
  admin: [
    unauthenticated,
    'not_permitted',
    'not_permitted',
    'not_permitted',
    'not_permitted',
    'ok',
    'not_permitted',
  ],
  // An inactive device hears from admission what became of a report, with a receipt.
  publish: [unauthenticated, 'ok', 'ok', 'ok', 'ok', 'not_permitted', 'not_permitted'],
  ack: [unauthenticated, ...devices],
  subscribe: [
    unauthenticated,
    'ok',
    'ok',
    'subscription_refused',
    'device_inactive',
    'not_permitted',
    'not_permitted',
  ],
  'subscribe-acks': [unauthenticated, ...devices],
  unsubscribe: [unauthenticated, ...devices],
  credit: [unauthenticated, ...devices],
  'fetch-chain': [unauthenticated, ...devices],
  'fetch-core': [unauthenticated, ...devices],
}

t.test('every frame, from everybody', async (t) => {
  t.same(Object.keys(table).sort(), Object.keys(speakers).sort(), 'no frame is left out')
  for (const [kind, row] of Object.entries(table)) {
    const answers = (Object.keys(roles) as Role[]).map((role) => {
      const { principal, connected } = roles[role]
      const rights = { directory, mayConnect: () => connected }
      return authorise(rights, principal, frames[kind as ClientFrame['kind']]) ?? 'ok'
    })
    t.same(answers, row, kind)
  }
})

t.test('a topic that does not exist, and a member without the right to read', async (t) => {
  const rights = { directory, mayConnect: () => true }
  const subscribe = { ...frames.subscribe, top: 999 }
  t.equal(authorise(rights, device('BF'), subscribe), 'topic_unknown')
  t.equal(authorise(rights, device('NE'), frames.subscribe), 'subscription_refused')
})
