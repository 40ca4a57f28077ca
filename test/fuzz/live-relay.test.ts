/** Frames that are nearly right, sent to a relay that runs, while another client works undisturbed. */
import { type ClientFrame, encodeClientFrame } from '@liaison/protocol'
import t from 'tap'
import { Composer } from '../support/composer.ts'
import { fuzzRounds, mutate } from '../support/mutate.ts'
import { seededBytes } from '../support/network.ts'
import { startScenario } from '../support/relay.ts'
import { seededRandom } from '../support/seeded-random.ts'

const random = seededRandom()

/** Frames of one connection before it is looked whether the neighbour is well. */
const framesAtOnce = 12

const h32 = seededBytes('fuzz', 32)

t.test(`no mutated frame ends the relay or is accepted (seed ${random.seed})`, async (t) => {
  await using relay = await startScenario()
  const { network } = relay
  const top = network.topic('terrorism')
  const honest = new Composer(network, network.deviceOf('BF'))
  const neighbour = await relay.client(honest.device)
  const attacker = network.deviceOf('ML')
  // Signed by its own device; every change must break the signature or a hash under it.
  const { envelope } = new Composer(network, attacker).seal()
  const frames: readonly ClientFrame[] = [
    { kind: 'publish', rq: 1, envelopes: [envelope] },
    { kind: 'subscribe', sub: 1, top, from: 0, fluPaths: false },
    { kind: 'credit', sub: 1, frames: 2, bytes: 1000 },
    { kind: 'dir-want', rq: 2, from: 0 },
    { kind: 'fetch-core', rq: 3, cores: [h32], fluPaths: false },
    { kind: 'fetch-chain', rq: 4, chain: h32, inc: 0, from: 0, to: 3, fluPaths: true },
    { kind: 'blob-get', rq: 5, hashes: [h32] },
    { kind: 'append', rq: 6, entry: network.entries().at(-1) as Uint8Array },
    { kind: 'ack', ack: seededBytes('ack', 120), sig: seededBytes('sig', 64) },
  ]
  const samples = frames.map(encodeClientFrame)
  const isSample = new Set(samples.map((bytes) => bytes.join()))
  const { size } = relay.running.relay.directory
  const { log } = relay.running.relay.source
  let sent = 0
  let published = 0
  for (let round = 0; round < fuzzRounds / 50; round++) {
    const client = await relay.client(attacker)
    for (let i = 0; i < framesAtOnce; i++) {
      const bytes = mutate(random, samples as [Uint8Array, ...Uint8Array[]])
      if (isSample.has(bytes.join())) continue
      client.sendBytes(bytes)
      sent++
    }
    if (round % 10 === 0) {
      t.match(await neighbour.publish(honest.seal().envelope), { codes: ['ok'] })
      published++
    }
    await client[Symbol.asyncDispose]()
  }
  await neighbour.barrier()
  t.ok(sent > fuzzRounds / 10, `${sent} frames were sent`)
  t.equal(log.topicHead(top), published, 'only the honest reports were accepted')
  t.equal(relay.running.relay.directory.size, size, 'and no directory entry')
})
