import { chmod } from 'node:fs/promises'
import {
  type Directory,
  type DirectoryPage,
  decodeLeaf,
  decodeRelayFrame,
  encodeRelayFrame,
  epochMs,
  errorRow,
  fromBase64url,
  type RelayFrame,
  sodiumReady,
  systemClock,
  toBase64url,
} from '@liaison/protocol'
import t from 'tap'
import { WebSocket } from 'ws'
import {
  type AdminConnectOptions,
  type AdminSession,
  connectAsAdministrator,
} from '../../../../client-sdk/src/admin/admin-session.ts'
import {
  draftEnrol,
  draftMember,
  draftResume,
  draftSuspend,
} from '../../../../client-sdk/src/admin/drafts.ts'
import {
  type StatementFile,
  signStatementFile,
} from '../../../../client-sdk/src/admin/statement-file.ts'
import { TransientStore } from '../../../../client-sdk/src/admin/transient-store.ts'
import { makeEnrolmentRequest } from '../../../../client-sdk/src/identity/enrolment.ts'
import type { Identity } from '../../../../client-sdk/src/identity/identity.ts'
import { newIdentity } from '../../../../client-sdk/src/identity/key-file.ts'
import {
  formatNetworkFile,
  parseNetworkFile,
} from '../../../../client-sdk/src/identity/network-file.ts'
import type { OpenWebSocket, WebSocketLike } from '../../../../client-sdk/src/session/transport.ts'
import { type RunningRelay, startRelay } from '../../../../server/src/index.ts'
import { rejectsWithCode } from '../../../support/rejects-with-code.ts'
import { type TempFolder, tempFolder } from '../../../support/temp-folder.ts'
import { append, foundedNetwork, keyOf, signedByEnough } from './founding.ts'

await sodiumReady()

const hourMs = 3600 * 1000
const openSocket: OpenWebSocket = (url, subprotocol) => new WebSocket(url, subprotocol)

/** A socket through which every frame of the relay passes; null drops it. */
const altered =
  (alter: (frame: RelayFrame) => RelayFrame | null): OpenWebSocket =>
  (url, subprotocol) => {
    const socket: WebSocketLike = new WebSocket(url, subprotocol)
    const receive =
      (handler: ((event: never) => void) | null) =>
      ({ data }: { readonly data: ArrayBuffer }): void => {
        const frame = decodeRelayFrame(new Uint8Array(data))
        if (!frame.ok) throw new Error(frame.error)
        const next = alter(frame.value)
        if (next !== null) handler?.({ data: encodeRelayFrame(next).slice().buffer } as never)
      }
    return new Proxy(socket, {
      get: (_socket, name) => {
        const value: unknown = Reflect.get(socket, name)
        return typeof value === 'function' ? value.bind(socket) : value
      },
      set: (_socket, name, value) =>
        Reflect.set(socket, name, name === 'onmessage' ? receive(value) : value),
    })
  }

const administrator = (num: number): Identity => ({
  kind: 'administrator',
  signingKey: keyOf(num),
  storageKey: new Uint8Array(32),
})

const seedText = (num: number): string => toBase64url(keyOf(num).secretKey.subarray(0, 32))

interface Stage extends AsyncDisposable {
  readonly running: RunningRelay
  readonly directory: Directory
  readonly networkFile: string
  connect(changes?: Partial<AdminConnectOptions>): Promise<AdminSession>
}

/** A relay of a network that was just founded, and administrators who can connect to it. */
async function stage(): Promise<Stage> {
  const folder: TempFolder = await tempFolder()
  const { directory } = foundedNetwork(epochMs(systemClock() - hourMs))
  const networkFile = formatNetworkFile(directory, [])
  const network = await folder.write('network.json', networkFile)
  const keys = await folder.write(
    'relay.json',
    JSON.stringify({
      v: 1,
      number: 1,
      relay: seedText(101),
      dirLog: seedText(102),
      auditLog: seedText(103),
    }),
  )
  await chmod(keys, 0o600)
  const anywhere = { host: '127.0.0.1', port: 0 }
  const running = await startRelay({
    data: `${folder.path}/data`,
    network,
    keys,
    listen: anywhere,
    operator: anywhere,
    origins: [],
    logLevel: 'silent',
    behindTlsProxy: false,
  })
  return {
    running,
    directory,
    networkFile,
    connect: (changes = {}) =>
      connectAsAdministrator({
        url: running.url,
        network: parseNetworkFile(networkFile),
        identity: administrator(1),
        admin: 1,
        webSocket: openSocket,
        ...changes,
      }),
    async [Symbol.asyncDispose]() {
      await running.stop()
      await folder[Symbol.asyncDispose]()
    },
  }
}

const memberFile = (directory: Directory, code: string): StatementFile =>
  signedByEnough(
    draftMember(directory, { code, kind: 'state', name: { en: code } }, systemClock()),
    directory,
  )

t.test('an administrator appends statements and sees them in the directory', async (t) => {
  await using on = await stage()
  using session = await on.connect()
  t.equal(session.directory.size, 1)
  t.equal(session.relay.num, 1)
  const file = memberFile(session.directory, 'ML')
  const { index } = await session.append(file)
  t.equal(session.directory.member(index)?.code, 'ML')
  t.strictSame(await session.append(file), { index }, 'what is there already is done')
  const { request } = makeEnrolmentRequest({
    net: session.directory.net,
    genesisT: session.directory.genesisT,
    identity: newIdentity('device'),
    member: index,
    memberCode: 'ML',
    org: 'service',
    role: 'officer',
    now: systemClock(),
  })
  const now = systemClock()
  const enrol = draftEnrol(session.directory, request, {
    clearance: 3,
    validFrom: now - hourMs,
    validUntil: now + 1000 * hourMs,
    now,
  })
  const device = await session.append(signedByEnough(enrol, session.directory))
  t.match(session.directory.device(device.index), { mem: index, clearance: 3 })
  const kid = fromBase64url(request.kids[0] ?? '') ?? new Uint8Array()
  t.equal((await on.running.relay.getBlobs(1, [kid])).blobs.length, 1, 'its keys are at the relay')
  const dev = device.index
  const suspend = draftSuspend(session.directory, { dev, why: 'test' }, systemClock())
  await session.append(signStatementFile(suspend, session.directory, 3, keyOf(3)))
  t.equal(session.directory.device(dev)?.state, 'suspended')
})

t.test(
  'another administrator sees it, from the store, the network file or the relay',
  async (t) => {
    await using on = await stage()
    const store = new TransientStore()
    using one = await on.connect({ store })
    for (const code of ['ML', 'NE', 'BF']) await one.append(memberFile(one.directory, code))
    using two = await on.connect({ identity: administrator(2), admin: 2 })
    t.equal(two.directory.size, 4)
    one.close()
    t.equal((await one.closed).code, 'session_closed')
    using again = await on.connect({ store })
    t.equal(again.directory.size, 4)
    t.equal((await store.list('directory')).length, 4)
    const full = parseNetworkFile(formatNetworkFile(two.directory, [], 3))
    using three = await on.connect({ network: full })
    t.equal(three.directory.size, 4)
    await three.append(memberFile(three.directory, 'TD'))
    await two.sync()
    t.equal(two.directory.memberByCode('TD')?.code, 'TD')
  },
)

t.test('several things at once go one after the other', async (t) => {
  await using on = await stage()
  using session = await on.connect()
  const files = ['ML', 'NE', 'BF', 'TD'].map((code) => memberFile(session.directory, code))
  const [appended, status, leaves] = await Promise.all([
    Promise.all(files.map((file) => session.append(file))),
    session.status(),
    session.leaves(0, 2),
  ])
  t.strictSame(
    appended.map(({ index }) => index),
    [1, 2, 3, 4],
  )
  t.match(status, { dir: 5, sessions: 1 })
  t.match(leaves, { from: 0, leaves: { length: 2 } })
})

t.test('figures and audit leaves', async (t) => {
  await using on = await stage()
  using session = await on.connect()
  await session.append(memberFile(session.directory, 'ML'))
  const first = await session.status()
  t.match(first, { dir: 2, sessions: 1, accepted: 0, refused: 0 })
  const page = await session.leaves(0)
  t.equal(page.size, first.leaves + 1, 'the question itself is in the log')
  const events = page.leaves.map((bytes) => {
    const leaf = decodeLeaf(bytes)
    return leaf.ok ? leaf.value.e : leaf.error
  })
  t.equal(events.filter((e) => e === 'admin-read').length, 2)
  const one = await session.leaves(1, 2)
  t.strictSame([one.from, one.leaves.length], [1, 1])
})

t.test('what is not signed enough, or refused, is said by its code', async (t) => {
  await using on = await stage()
  using session = await on.connect()
  const unsigned = draftMember(
    session.directory,
    { code: 'ML', kind: 'state', name: { en: 'ML' } },
    systemClock(),
  )
  await rejectsWithCode(t, session.append(unsigned), 'quorum_missing')
  const [a, b] = [memberFile(session.directory, 'ML'), memberFile(session.directory, 'ML')]
  await session.append(a)
  await rejectsWithCode(t, session.append(b), 'subject_exists')
  t.equal(session.directory.size, 2)
  const other = foundedNetwork().directory
  await rejectsWithCode(t, session.append(memberFile(other, 'NE')), 'network_mismatch')
  const { index } = await session.append(memberFile(session.directory, 'NE'))
  t.equal(index, 2, 'the session goes on')
  t.throws(() => draftResume(session.directory, { mem: index, why: 'x' }, systemClock()), {
    code: 'state_unchanged',
  })
})

t.test('who is no administrator is not let in', async (t) => {
  await using on = await stage()
  const device = { ...administrator(1), kind: 'device' } as const
  await rejectsWithCode(t, on.connect({ identity: device }), 'not_permitted')
  await rejectsWithCode(t, on.connect({ identity: administrator(2) }), 'auth_failed')
  const stopped = new AbortController()
  stopped.abort()
  await rejectsWithCode(t, on.connect({ signal: stopped.signal }), 'cancelled')
})

t.test('a relay of another network, or a store of one, is refused', async (t) => {
  await using on = await stage()
  const other = foundedNetwork(epochMs(systemClock() - hourMs))
  const network = parseNetworkFile(formatNetworkFile(other.directory, []))
  await rejectsWithCode(t, on.connect({ network }), 'directory_fork')
  const store = new TransientStore()
  await store.commit([{ table: 'directory', key: '00000000000000', value: other.genesis }])
  await rejectsWithCode(t, on.connect({ store }), 'network_mismatch')
})

t.test('a network file with a history of its own is refused and leaves no trace', async (t) => {
  await using on = await stage()
  const own = foundedNetwork(epochMs(systemClock() - hourMs)).directory
  append(own, memberFile(own, 'ML'), systemClock())
  const foreign = toBase64url(own.entry(1) ?? new Uint8Array())
  const network = parseNetworkFile(
    JSON.stringify({ ...(JSON.parse(on.networkFile) as object), device: 1, directory: [foreign] }),
  )
  const store = new TransientStore()
  await rejectsWithCode(t, on.connect({ network, store }), 'network_file_malformed')
  t.strictSame(await store.list('directory'), [])
})

t.test('a relay that shows another directory ends the session', async (t) => {
  await using on = await stage()
  // This administrator knows an entry that the relay never had.
  append(on.directory, memberFile(on.directory, 'ML'), systemClock())
  const network = parseNetworkFile(formatNetworkFile(on.directory, [], 1))
  await rejectsWithCode(t, on.connect({ network }), 'directory_rollback')
})

t.test('a session whose relay has gone says so', async (t) => {
  await using on = await stage()
  using session = await on.connect()
  const file = memberFile(session.directory, 'ML')
  await on.running.stop()
  t.equal((await session.closed).code, 'shutting_down')
  await rejectsWithCode(t, session.append(file), 'shutting_down')
})

t.test('a receipt that the relay did not sign for this entry counts for nothing', async (t) => {
  await using on = await stage()
  const flipped = (bytes: Uint8Array): Uint8Array =>
    bytes.map((byte, i) => (i === 9 ? byte ^ 1 : byte))
  let first: RelayFrame | null = null
  const changes: readonly ((frame: Extract<RelayFrame, { kind: 'result' }>) => RelayFrame)[] = [
    (frame) => {
      first = frame
      return { ...frame, sig: flipped(frame.sig) }
    },
    (frame) => ({ ...frame, receipts: [...frame.receipts, ...frame.receipts] }),
    // Signed indeed, but for the entry of the first round.
    (frame) => ({ ...(first as Extract<RelayFrame, { kind: 'result' }>), rq: frame.rq }),
  ]
  for (const [i, change] of changes.entries()) {
    const webSocket = altered((frame) => (frame.kind === 'result' ? change(frame) : frame))
    using session = await on.connect({ webSocket })
    const file = memberFile(session.directory, `M${i}`)
    await rejectsWithCode(t, session.append(file), 'receipt_invalid', `change ${i}`)
    await session.sync()
    t.ok(session.directory.memberByCode(`M${i}`), 'although it was appended')
    const done = await session.append(file)
    t.equal(session.directory.member(done.index)?.code, `M${i}`, 'so repeating it is enough')
  }
})

t.test('an entry that the directory has without our knowing is done', async (t) => {
  await using on = await stage()
  using one = await on.connect()
  // This one hears no announcements, so it does not know what the other has appended.
  const deaf = altered((frame) => (frame.kind === 'dir' && frame.rq === 0 ? null : frame))
  using two = await on.connect({ identity: administrator(2), admin: 2, webSocket: deaf })
  const file = memberFile(one.directory, 'ML')
  const { index } = await one.append(file)
  t.equal(two.directory.size, 1)
  t.strictSame(await two.append(file), { index })
})

t.test('a false directory ends the session, whenever it is shown', async (t) => {
  await using on = await stage()
  let lie = false
  const webSocket = altered((frame) => {
    if (!lie || frame.kind !== 'dir') return frame
    const checkpoint = frame.page.checkpoint.map((byte, i) => (i > 30 && i < 40 ? byte ^ 1 : byte))
    return { ...frame, page: { ...frame.page, checkpoint } }
  })
  using session = await on.connect({ webSocket })
  lie = true
  await rejectsWithCode(t, session.sync(), 'checkpoint_invalid')
  t.equal((await session.closed).code, 'session_closed')
  await rejectsWithCode(t, session.status(), 'checkpoint_invalid', 'and every later call says why')
})

t.test('an unanswered question fails when the relay refuses it', async (t) => {
  await using on = await stage()
  const webSocket = altered((frame) =>
    frame.kind === 'admin-answer'
      ? { kind: 'error', code: errorRow('rate_limited').n, rq: 0, text: '', retryAfterMs: 50 }
      : frame,
  )
  using session = await on.connect({ webSocket })
  const error = await rejectsWithCode(t, session.status(), 'rate_limited')
  t.equal(error?.retryAfterMs, 50)
})

t.test('a relay that promises entries and gives none is not asked for ever', async (t) => {
  await using on = await stage()
  let mute = false
  const webSocket = altered((frame) =>
    mute && frame.kind === 'dir'
      ? { ...frame, page: { ...frame.page, size: 9, entries: [] } }
      : frame,
  )
  using session = await on.connect({ webSocket })
  mute = true
  await rejectsWithCode(t, session.sync(), 'directory_invalid')
})

t.test('a long directory is fetched page by page', async (t) => {
  await using on = await stage()
  using one = await on.connect()
  for (const code of ['ML', 'NE', 'BF']) await one.append(memberFile(one.directory, code))
  const page = ({ entries, ...rest }: DirectoryPage): DirectoryPage => ({
    ...rest,
    entries: entries.slice(0, 1),
  })
  const webSocket = altered((frame) => {
    if (frame.kind === 'ready') return { ...frame, dir: page(frame.dir) }
    return frame.kind === 'dir' ? { ...frame, page: page(frame.page) } : frame
  })
  using two = await on.connect({ webSocket })
  t.equal(two.directory.size, 4)
})
