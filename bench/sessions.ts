/** What an idle connection costs, and how fast a suspension cuts sockets. */
import { once } from 'node:events'
import type { TestDevice, TestNetwork } from '../test/support/network.ts'
import { BenchClient, loopbackOf, within } from './support/client.ts'
import { benchNetwork, devicesOf, type RelayUnderTest, relayUnderTest } from './support/networks.ts'
import { type BenchOptions, type Row, rowOf } from './support/row.ts'

/** Connections of one loopback address; a relay admits 64. */
const perAddress = 60

/** A device may have two sessions at a time. */
const sessionsPerDevice = 2

/** Connects every device twice, a few at a time. */
async function connectTwice(
  relay: RelayUnderTest,
  devices: readonly TestDevice[],
): Promise<BenchClient[]> {
  const wanted = devices.flatMap((device) => Array(sessionsPerDevice).fill(device) as TestDevice[])
  const clients: BenchClient[] = []
  const atOnce = 20
  for (let at = 0; at < wanted.length; at += atOnce) {
    const batch = wanted.slice(at, at + atOnce).map((device, i) => {
      const localAddress = loopbackOf(Math.floor((at + i) / perAddress))
      return BenchClient.connect({ ...relay, localAddress }, { dev: device.num, key: device.key })
    })
    clients.push(...(await Promise.all(batch)))
  }
  return clients
}

const memoryOf = async (relay: RelayUnderTest): Promise<number> =>
  (await relay.child.ask<{ readonly rss: number }>({ memory: true })).rss

/** Row `connect`. */
export async function connectRows(options: BenchOptions): Promise<Row[]> {
  if (!options.wants('connect')) return []
  const connections = options.quick ? 200 : 400
  const network = benchNetwork({ publishers: 0, readers: connections / sessionsPerDevice })
  const devices = devicesOf(network, 'RDR')
  const values: number[] = []
  for (let run = 0; run < 3; run++) {
    await using relay = await relayUnderTest(network)
    // The first connections load code that all others share.
    const first = await connectTwice(relay, devices.slice(0, 10))
    for (const client of first) client.close()
    await Promise.all(first.map(({ socket }) => once(socket, 'close')))
    const before = await memoryOf(relay)
    const clients = await connectTwice(relay, devices)
    const after = await memoryOf(relay)
    for (const client of clients) client.close()
    values.push((after - before) / connections)
  }
  const note = `resident memory of the relay with ${connections} idle authenticated connections, less that before them, after a collection; without TLS`
  return [rowOf('connect', 'bytes/connection', values, { note })]
}

/** Suspends a whole member and waits until each of its sockets is reset. */
async function suspendOnce(
  relay: RelayUnderTest,
  admin: BenchClient,
  clients: readonly BenchClient[],
): Promise<{ readonly reset: number; readonly ack: number }> {
  const { network } = relay
  const entry = network.sign('suspend', { mem: network.member('RDR'), why: 'measurement' })
  let ack = Number.NaN
  const begin = performance.now()
  let last = begin
  await Promise.all([
    within('resets', (done) => {
      let left = clients.length
      for (const { socket } of clients) {
        socket.once('close', () => {
          last = performance.now()
          left -= 1
          if (left === 0) done()
        })
      }
    }),
    appended(admin, entry).then(() => {
      ack = performance.now() - begin
    }),
  ])
  network.appendEntry(entry)
  return { reset: last - begin, ack }
}

function appended(admin: BenchClient, entry: Uint8Array): Promise<void> {
  return within('a receipt', (done, failed) => {
    admin.onFrame = (frame) => {
      if (frame.kind === 'result') done()
      if (frame.kind === 'error') failed(new Error(`the relay answered: ${frame.text}`))
    }
    admin.send({ kind: 'append', rq: 1, entry })
  })
}

function administrator(relay: RelayUnderTest, network: TestNetwork): Promise<BenchClient> {
  const key = network.adminKeys.get(1)
  if (key === undefined) throw new Error('no administrator')
  return BenchClient.connect(relay, { adm: 1, key })
}

/** Rows `suspend` and `suspend.ack`. */
export async function suspendRows(options: BenchOptions): Promise<Row[]> {
  if (!options.wants('suspend')) return []
  const sockets = 200
  const network = benchNetwork({ publishers: 0, readers: sockets / sessionsPerDevice })
  await using relay = await relayUnderTest(network)
  const admin = await administrator(relay, network)
  const runs = options.quick ? 3 : 7
  const resets: number[] = []
  const acks: number[] = []
  for (let run = -1; run < runs; run++) {
    const clients = await connectTwice(relay, devicesOf(network, 'RDR'))
    const { reset, ack } = await suspendOnce(relay, admin, clients)
    if (run >= 0) {
      resets.push(reset)
      acks.push(ack)
    }
    const resume = network.sign('resume', { mem: network.member('RDR'), why: 'measurement' })
    await appended(admin, resume)
    network.appendEntry(resume)
  }
  admin.close()
  const note = `a member with ${sockets} open sockets is suspended on one relay; from the append to the last socket reset, seen by the clients`
  return [
    rowOf('suspend', 'ms', resets, { note }),
    rowOf('suspend.ack', 'ms', acks, { note: 'the same, to the signed receipt of the suspension' }),
  ].filter(({ name }) => options.wants(name))
}
