import { randomBytes, sha256, signAuth, utf8 } from '@liaison/protocol'
import t from 'tap'
import { WebSocket } from 'ws'
import { seededKey } from '../support/network.ts'
import { RawClient } from '../support/raw-client.ts'
import { startScenario } from '../support/relay.ts'

t.test(
  'a device with the listed key gets a session, the entries it lacks and a checkpoint',
  async (t) => {
    await using relay = await startScenario()
    const { network, url } = relay
    await using client = await RawClient.connect(url, network)
    const ready = await client.authenticate(network.deviceOf('BF'), { dir: network.base(3) })
    t.equal(ready.t, network.now)
    t.match(ready.dir, { from: 3, size: network.directory.size })
    t.same(ready.dir.entries, network.entries().slice(3))
    await using empty = await RawClient.connect(url, network)
    const all = await empty.authenticate(network.deviceOf('ML'), { dir: [0, sha256()] })
    t.same(all.dir.entries, network.entries(), 'from nothing, everything')
    await using adm = await RawClient.connect(url, network)
    const key = network.adminKeys.get(1)
    if (key !== undefined) await adm.authenticate({ adm: 1, key })
    t.equal(relay.running.relay.sessions.size, 3)
  },
)

t.test('wrong key, unknown device and unknown administrator get one answer', async (t) => {
  await using relay = await startScenario()
  const { network, url } = relay
  const key = seededKey('a stranger')
  for (const identity of [
    { dev: network.deviceOf('BF').num, key },
    { dev: 9999, key },
    { dev: 0, key },
    { adm: 1, key },
    { adm: 31, key },
  ]) {
    await using client = await RawClient.connect(url, network)
    await t.rejects(client.authenticate(identity), /auth_failed/)
    t.equal((await client.ended()).code, 4500)
  }
  t.equal(relay.running.relay.sessions.size, 0)
})

t.test('an answer to an earlier challenge does not open a second session', async (t) => {
  await using relay = await startScenario()
  const { network, url } = relay
  const device = network.deviceOf('BF')
  await using first = await RawClient.connect(url, network)
  const hello = first.helloBytes(device)
  const { challenge } = await first.challenge(hello)
  const relayKey = network.relayKey.publicKey
  const sig = signAuth(network.directory.net, device.key, hello, challenge, relayKey)
  first.send({ kind: 'auth', sig })
  await first.next('ready')
  await using second = await RawClient.connect(url, network)
  await second.challenge(hello)
  second.send({ kind: 'auth', sig })
  t.equal(await second.nextError(), 'auth_failed')
})

t.test('attack 32: an answer meant for another relay is worth nothing here', async (t) => {
  await using relay = await startScenario()
  const { network, url } = relay
  const device = network.deviceOf('BF')
  await using client = await RawClient.connect(url, network)
  const hello = client.helloBytes(device)
  const { challenge } = await client.challenge(hello)
  const otherRelay = seededKey('proxy').publicKey
  const sig = signAuth(network.directory.net, device.key, hello, challenge, otherRelay)
  client.send({ kind: 'auth', sig })
  t.equal(await client.nextError(), 'auth_failed')
})

t.test('attack 18: a hello that cannot be served is refused with its reason', async (t) => {
  await using relay = await startScenario()
  const { network, url } = relay
  const device = network.deviceOf('BF')
  const fork = [5, randomBytes(32)] as const
  const cases = [
    [{ org: 'wss://elsewhere.example' }, 'auth_failed'],
    [{ v: [2] }, 'version_unsupported'],
    [{ dir: fork }, 'directory_fork'],
    [{ dir: [0, randomBytes(32)] as const }, 'directory_fork'],
    [{ dev: device.num, adm: 1 }, 'frame_malformed'],
  ] as const
  for (const [changes, code] of cases) {
    await using client = await RawClient.connect(url, network)
    client.send({ kind: 'hello', hello: client.helloBytes(device, changes) })
    t.equal(await client.nextError(), code)
    t.equal((await client.ended()).reason, code)
  }
  await using ahead = await RawClient.connect(url, network)
  const ready = await ahead.authenticate(device, { dir: [9999, randomBytes(32)] })
  t.same(ready.dir.entries, [], 'a client that knows more judges for itself')
})

t.test('nothing but the handshake is heard before it, and nothing of it after', async (t) => {
  await using relay = await startScenario()
  const { network, url } = relay
  const device = network.deviceOf('BF')
  const fresh = async (send: (client: RawClient) => void): Promise<string> => {
    await using client = await RawClient.connect(url, network)
    send(client)
    return await client.nextError()
  }
  t.equal(await fresh((c) => c.subscribe(1, 3)), 'not_authenticated')
  t.equal(await fresh((c) => c.send({ kind: 'ping', t: 1 })), 'not_authenticated')
  t.equal(
    await fresh((c) => c.send({ kind: 'auth', sig: new Uint8Array(64) })),
    'not_authenticated',
  )
  t.equal(await fresh((c) => c.sendBytes(utf8('not cbor'))), 'cbor_malformed')
  t.equal(await fresh((c) => c.sendBytes(new Uint8Array([0x81, 0x01]))), 'frame_malformed')
  t.equal(await fresh((c) => c.sendBytes(new Uint8Array(4097))), 'frame_too_large')
  const session = await relay.client(device)
  session.send({ kind: 'hello', hello: session.helloBytes(device) })
  t.equal(await session.nextError(), 'already_authenticated')
  t.equal((await session.ended()).code, 4500)
})

t.test('a text message and an oversized one end the connection', async (t) => {
  await using relay = await startScenario()
  const { network, url } = relay
  await using text = await RawClient.connect(url, network)
  text.socket.send('hello')
  t.match(await text.ended(), { code: 1003, reason: 'frame_malformed' })
  const session = await relay.client(network.deviceOf('BF'))
  session.sendBytes(new Uint8Array(655_361))
  t.equal((await session.ended()).code, 1009, 'declared length is enough')
})

t.test('a socket that stays silent is closed in time', async (t) => {
  await using relay = await startScenario({}, { authMsMax: 50 })
  await using client = await RawClient.connect(relay.url, relay.network)
  t.equal(await client.nextError(), 'auth_timeout')
  t.equal((await client.ended()).code, 4000, 'it may come again')
})

t.test('a suspended device is told so, and only with its own signature', async (t) => {
  await using relay = await startScenario()
  const { network, url } = relay
  const device = network.deviceOf('ML')
  const admin = await relay.administrator(1)
  const entry = network.sign('suspend', { dev: device.num, why: 'lost' }, [1])
  t.same((await admin.append(entry)).codes, ['ok'])
  await using client = await RawClient.connect(url, network)
  await t.rejects(client.authenticate(device), /device_inactive/)
  await using stranger = await RawClient.connect(url, network)
  const key = seededKey('a stranger')
  await t.rejects(stranger.authenticate({ dev: device.num, key }), /auth_failed/)
})

t.test('the upgrade is refused for foreign origins and unknown subprotocols', async (t) => {
  await using relay = await startScenario({}, { config: { origins: ['https://desk.example'] } })
  const { url } = relay
  const upgrade = (origin: string | undefined, protocols: string[]): Promise<number> =>
    new Promise((resolve) => {
      const socket = new WebSocket(url, protocols, origin === undefined ? {} : { origin })
      socket.on('open', () => {
        resolve(101)
        socket.terminate()
      })
      socket.on('unexpected-response', (_request, response) => {
        resolve(response.statusCode ?? 0)
        response.destroy()
      })
      socket.on('error', () => undefined)
    })
  const cbor = ['sir.v1.cbor']
  t.equal(await upgrade(undefined, cbor), 101, 'no origin: not a browser')
  t.equal(await upgrade('https://desk.example', cbor), 101, 'listed')
  t.equal(await upgrade('http://localhost:4711', cbor), 101, 'loopback')
  t.equal(await upgrade('http://127.0.0.1:1', cbor), 101, 'loopback')
  t.equal(await upgrade('https://evil.example', cbor), 403)
  t.equal(await upgrade('https://localhost.evil.example', cbor), 403)
  t.equal(await upgrade('null', cbor), 403)
  t.equal(await upgrade(undefined, ['sir.v2.cbor']), 426)
  t.equal(await upgrade(undefined, []), 426)
  t.equal(relay.running.relay.sessions.size, 0)
})

t.test('the third session of a device ends its oldest', async (t) => {
  await using relay = await startScenario()
  const device = relay.network.deviceOf('BF')
  const first = await relay.client(device)
  const second = await relay.client(device)
  await relay.client(device)
  t.equal(await first.nextError(), 'rate_limited')
  t.equal((await first.ended()).code, 4000)
  await second.barrier()
  t.equal(relay.running.relay.sessions.size, 2)
})
